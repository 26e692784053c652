// What people do to a graph. Each is one small function from a graph to another.

import { moveNotes, notesWithout } from "./notes";
import { startOf, withStartingParts } from "./part_starts";
import { portsOf } from "./ports";
import { type Field, freeName, type Role, type Signature, type SignatureField } from "./signature";
import {
	type Edge,
	freeId,
	type Graph,
	type GraphNode,
	isEnd,
	isStep,
	type Kind,
	nodeById,
	type PinnedDemo,
	type Position,
	type StepKind,
	UNTOUCHED,
} from "./spec";

/** What the palette adds: a kind, or a saved module of the project. */
export interface Blank {
	readonly kind: Kind;
	readonly name: string;
	readonly signature?: Signature;
	readonly params?: Readonly<Record<string, unknown>>;
	readonly module?: string;
}

/** The graph with a new node, and the node's id. */
export function addNode(graph: Graph, blank: Blank, position: Position): [Graph, string] {
	const id = freeId("n", idsOf(graph));
	const name = freeName(blank.name, namesOf(graph));
	const { kind } = blank;
	const node: GraphNode =
		kind === "input" || kind === "output"
			? { id, kind, name, position, fields: [] }
			: withStartingParts({
					id,
					kind,
					name,
					position,
					...startOf(kind),
					...(blank.signature ? { signature: blank.signature } : {}),
					...(blank.params ? { params: blank.params } : {}),
					module: blank.module ?? "",
					...UNTOUCHED,
				});
	return [{ ...graph, nodes: [...graph.nodes, node] }, id];
}

/** Without these nodes and wires, and without the wires of the nodes. */
export function remove(graph: Graph, nodes: readonly string[], edges: readonly string[]): Graph {
	const goneNodes = new Set(nodes);
	const goneEdges = new Set(edges);
	const kept = (edge: Edge) =>
		!goneEdges.has(edge.id) && !goneNodes.has(edge.source) && !goneNodes.has(edge.target);
	return {
		...graph,
		nodes: graph.nodes.filter((node) => !goneNodes.has(node.id)),
		edges: graph.edges.filter(kept),
		notes: notesWithout(graph, goneNodes),
	};
}

export function disconnect(graph: Graph, edge: string): Graph {
	return remove(graph, [], [edge]);
}

/** Nodes and notes at other places. */
export function moveNodes(graph: Graph, positions: ReadonlyMap<string, Position>): Graph {
	return mapNodes(moveNotes(graph, positions), (node) => {
		const position = positions.get(node.id);
		if (!position) return node;
		if (position.x === node.position.x && position.y === node.position.y) return node;
		return { ...node, position };
	});
}

export function rename(graph: Graph, id: string, name: string): Graph {
	return mapNodes(graph, (node) => (node.id === id ? { ...node, name } : node));
}

/** Change a step's kind; wires from fields that the old kind added go with it. */
export function setKind(graph: Graph, id: string, kind: StepKind): Graph {
	const changed = mapNodes(graph, (node) =>
		node.id === id && isStep(node) ? { ...node, kind } : node,
	);
	return dropLooseWires(changed, id);
}

export function setParams(graph: Graph, id: string, params: Record<string, unknown>): Graph {
	return mapNodes(graph, (node) => (node.id === id && isStep(node) ? { ...node, params } : node));
}

/** Another LM for this step alone; empty: the run's. */
export function setLm(graph: Graph, id: string, lm: string): Graph {
	return mapNodes(graph, (node) => (node.id === id && isStep(node) ? { ...node, lm } : node));
}

/** Other worked examples that the step always shows. */
export function setDemos(graph: Graph, id: string, demos: readonly PinnedDemo[]): Graph {
	return mapNodes(graph, (node) => (node.id === id && isStep(node) ? { ...node, demos } : node));
}

export function setInstruction(graph: Graph, id: string, instruction: string): Graph {
	return mapNodes(graph, (node) =>
		node.id === id && isStep(node)
			? { ...node, signature: { ...node.signature, instruction } }
			: node,
	);
}

/** Other fields for the input or the output node. Wires follow a renamed field. */
export function setFields(graph: Graph, id: string, fields: readonly Field[]): Graph {
	const node = nodeById(graph, id);
	if (!node || !isEnd(node)) return graph;
	const role = node.kind === "input" ? "output" : "input";
	const changed = mapNodes(graph, (other) => (other.id === id ? { ...node, fields } : other));
	return dropLooseWires(followRenames(changed, id, role, node.fields, fields), id);
}

/** Other fields for a step. Wires follow a renamed field, descriptions follow their names. */
export function setSignature(graph: Graph, id: string, fields: readonly SignatureField[]): Graph {
	const node = nodeById(graph, id);
	if (!node || !isStep(node)) return graph;
	const before = node.signature.fields;
	const signature = { ...node.signature, fields };
	let changed = mapNodes(graph, (other) => (other.id === id ? { ...node, signature } : other));
	for (const role of ["input", "output"] as const) {
		const side = (all: readonly SignatureField[]) => all.filter((field) => field.role === role);
		changed = followRenames(changed, id, role, side(before), side(fields));
	}
	return dropLooseWires(changed, id);
}

/** Keep what the string form does not say: descriptions, constraints and defaults of fields whose
 * name or place is the same. */
export function keepDescriptions(
	before: readonly SignatureField[],
	after: readonly SignatureField[],
): SignatureField[] {
	return after.map((field, index) => {
		const same = before.find(({ name, role }) => name === field.name && role === field.role);
		const place = before.length === after.length ? before[index] : undefined;
		const moved = after.some(({ name }) => name === place?.name);
		const kept = same ?? (moved ? undefined : place);
		return { ...kept, ...field, description: kept?.description ?? "" };
	});
}

/** Show an output of a step as an output of the pipeline: a field and its wire. */
export function expose(graph: Graph, id: string, field: string): Graph {
	const source = nodeById(graph, id);
	const output = graph.nodes.find((node) => node.kind === "output");
	const port = source && portsOf(source).find((p) => p.role === "output" && p.name === field);
	if (!port || !output || !isEnd(output)) return graph;
	const name = freeName(
		field,
		output.fields.map((other) => other.name),
	);
	const added = { name, type: port.text, description: "" };
	const edge: Edge = {
		id: freeId("e", new Set(graph.edges.map((other) => other.id))),
		source: id,
		source_field: field,
		target: output.id,
		target_field: name,
	};
	const nodes = graph.nodes.map((node) =>
		node === output ? { ...output, fields: [...output.fields, added] } : node,
	);
	return { ...graph, nodes, edges: [...graph.edges, edge] };
}

/** Whether an output of a step is wired into the output node. */
export function isExposed(graph: Graph, id: string, field: string): boolean {
	const output = graph.nodes.find((node) => node.kind === "output");
	return graph.edges.some(
		(edge) => edge.source === id && edge.source_field === field && edge.target === output?.id,
	);
}

/** Nodes with the wires between them: what copying takes along. */
export function cut(graph: Graph, ids: readonly string[]): Graph {
	const taken = new Set(ids);
	return {
		nodes: graph.nodes.filter((node) => taken.has(node.id)),
		edges: graph.edges.filter((edge) => taken.has(edge.source) && taken.has(edge.target)),
		notes: graph.notes.filter((note) => taken.has(note.id)),
	};
}

/** The graph with `clip` in it under new ids and names, and the new id of each of its nodes and
 * notes. A second input or output stays out. */
export function paste(
	graph: Graph,
	clip: Graph,
	offset: Position,
): [Graph, ReadonlyMap<string, string>] {
	const aside = ({ x, y }: Position) => ({ x: x + offset.x, y: y + offset.y });
	const ids = idsOf(graph);
	const names = new Set(namesOf(graph));
	const fresh = new Map<string, string>();
	const nodes = [...graph.nodes];
	for (const node of clip.nodes) {
		if (isEnd(node) && nodes.some((other) => other.kind === node.kind)) continue;
		const id = freeId("n", ids);
		const name = freeName(node.name, names);
		ids.add(id);
		names.add(name);
		fresh.set(node.id, id);
		nodes.push({ ...node, id, name, position: aside(node.position) });
	}
	const edgeIds = new Set(graph.edges.map((edge) => edge.id));
	const edges = [...graph.edges];
	for (const edge of clip.edges) {
		const [source, target] = [fresh.get(edge.source), fresh.get(edge.target)];
		if (!source || !target) continue;
		const id = freeId("e", edgeIds);
		edgeIds.add(id);
		edges.push({ ...edge, id, source, target });
	}
	// Nodes and notes stand side by side on the board: no two of them have one id.
	const noteIds = new Set([...ids, ...graph.notes.map((note) => note.id)]);
	const notes = [...graph.notes];
	for (const note of clip.notes) {
		const id = freeId("t", noteIds);
		noteIds.add(id);
		fresh.set(note.id, id);
		notes.push({ ...note, id, position: aside(note.position) });
	}
	return [{ ...graph, nodes, edges, notes }, fresh];
}

function mapNodes(graph: Graph, change: (node: GraphNode) => GraphNode): Graph {
	const nodes = graph.nodes.map(change);
	return nodes.some((node, index) => node !== graph.nodes[index]) ? { ...graph, nodes } : graph;
}

/** A field is renamed when one name of a side changed and the number of fields did not. */
function followRenames(
	graph: Graph,
	id: string,
	role: Role,
	before: readonly Field[],
	after: readonly Field[],
): Graph {
	if (before.length !== after.length) return graph;
	const known = new Set(before.map((field) => field.name));
	const kept = new Set(after.map((field) => field.name));
	const names = new Map<string, string>();
	before.forEach((field, index) => {
		const name = after[index]?.name ?? "";
		if (name !== field.name && !known.has(name) && !kept.has(field.name)) {
			names.set(field.name, name);
		}
	});
	if (names.size === 0) return graph;
	const edges = graph.edges.map((edge) => {
		if (role === "input" && edge.target === id) {
			return { ...edge, target_field: names.get(edge.target_field) ?? edge.target_field };
		}
		if (role === "output" && edge.source === id) {
			return { ...edge, source_field: names.get(edge.source_field) ?? edge.source_field };
		}
		return edge;
	});
	return { ...graph, edges };
}

/** Without wires that lead to fields of the node which are not there any more. */
function dropLooseWires(graph: Graph, id: string): Graph {
	const node = nodeById(graph, id);
	if (!node) return graph;
	const has = (role: Role, name: string) =>
		portsOf(node).some((port) => port.role === role && port.name === name);
	const edges = graph.edges.filter(
		(edge) =>
			(edge.source !== id || has("output", edge.source_field)) &&
			(edge.target !== id || has("input", edge.target_field)),
	);
	return edges.length === graph.edges.length ? graph : { ...graph, edges };
}

function idsOf(graph: Graph): Set<string> {
	return new Set([...graph.nodes, ...graph.notes].map((one) => one.id));
}

function namesOf(graph: Graph): string[] {
	return graph.nodes.map((node) => node.name);
}
