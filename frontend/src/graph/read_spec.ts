// A drawing out of anybody's JSON: what can be mended is mended and told, the rest is refused.

import type { Field, Role, Signature } from "./signature";
import {
	type Base,
	type Edge,
	freeId,
	type Graph,
	type GraphNode,
	isEndKind,
	isObject,
	isStepKind,
	LONGEST_NOTE,
	MOST_DEEP,
	MOST_EDGES,
	MOST_NODES,
	MOST_NOTES,
	type Note,
	type Position,
	VERSION,
} from "./spec";

export type ReadSpec =
	| { graph: Graph; repairs: string[]; refused: "" }
	| { graph: null; repairs: []; refused: string };

export function readSpec(data: unknown): ReadSpec {
	const repairs: string[] = [];
	const count = { nodes: 0, edges: 0 };
	try {
		return { graph: readLevel(data, repairs, count, 0), repairs, refused: "" };
	} catch (error) {
		if (!(error instanceof Refused)) throw error;
		return { graph: null, repairs: [], refused: error.message };
	}
}

/** Nothing of it is shown, so that nothing of it is lost. */
class Refused extends Error {}

interface Count {
	nodes: number;
	edges: number;
}

/** One pipeline, and what is inside of its nodes. */
function readLevel(data: unknown, repairs: string[], count: Count, depth: number): Graph {
	if (!isObject(data)) throw new Refused("This is no pipeline: expected a JSON object.");
	if (depth > MOST_DEEP) {
		throw new Refused(`Pipelines may lie in each other ${MOST_DEEP} deep, and no deeper.`);
	}
	if (data.version !== VERSION) {
		throw new Refused(
			`This pipeline is of version ${JSON.stringify(data.version)}; this studio reads ${VERSION}. ` +
				"It is not shown, so that nothing of it is lost. Update the studio to edit it.",
		);
	}
	const { nodes, edges, notes } = data;
	if (!Array.isArray(nodes) || !Array.isArray(edges)) {
		throw new Refused("A pipeline needs a list of nodes and of edges.");
	}
	count.nodes += nodes.length;
	count.edges += edges.length;
	if (count.nodes > MOST_NODES || count.edges > MOST_EDGES) {
		throw new Refused(
			`A pipeline may have ${MOST_NODES} nodes and ${MOST_EDGES} wires; ` +
				`this one has ${count.nodes} and ${count.edges}.`,
		);
	}
	const read = readNodes(nodes, repairs, (part) => readLevel(part, repairs, count, depth + 1));
	return {
		nodes: read,
		edges: readEdges(edges, read, repairs),
		notes: readNotes(notes, read, repairs),
	};
}

type ReadPart = (part: unknown) => Graph;

function readNodes(items: unknown[], repairs: string[], readPart: ReadPart): GraphNode[] {
	const ids = new Set<string>();
	const nodes: GraphNode[] = [];
	for (const item of items) {
		if (!isObject(item)) {
			repairs.push("Something that is no node was removed.");
			continue;
		}
		let id = text(item.id);
		if (!id || ids.has(id)) {
			const fresh = freeId("n", new Set([...ids, ...items.map(idOf)]));
			repairs.push(
				id ? `Two nodes had the id “${id}”: the second is now “${fresh}”.` : "A node had no id.",
			);
			id = fresh;
		}
		ids.add(id);
		nodes.push(readNode(item, id, readPart));
	}
	return nodes;
}

function readNode(item: Record<string, unknown>, id: string, readPart: ReadPart): GraphNode {
	const base = { id, name: text(item.name), position: readPosition(item.position) };
	const kind = text(item.kind);
	if (isEndKind(kind)) {
		const extra = without(item, [...BASE_KEYS, "fields"]);
		return { ...base, ...extra, kind, fields: readFields(item.fields) };
	}
	if (isStepKind(kind)) {
		const parts = isObject(item.parts) ? Object.entries(item.parts) : [];
		return {
			...base,
			...without(item, [...BASE_KEYS, ...STEP_KEYS]),
			kind,
			signature: readSignature(item.signature),
			params: isObject(item.params) ? item.params : {},
			module: text(item.module),
			lm: text(item.lm),
			demos: Array.isArray(item.demos) ? item.demos.filter(isObject) : [],
			parts: Object.fromEntries(parts.map(([name, part]) => [name, readPart(part)])),
		};
	}
	return { ...base, kind: "unknown", raw: item };
}

const BASE_KEYS: readonly string[] = ["id", "kind", "name", "position"];
const STEP_KEYS: readonly string[] = ["signature", "params", "module", "lm", "demos", "parts"];

/** `extra` with all keys but these, if there are any. */
function without(item: Record<string, unknown>, keys: readonly string[]): Pick<Base, "extra"> {
	const others = Object.entries(item).filter(([key]) => !keys.includes(key));
	return others.length > 0 ? { extra: Object.fromEntries(others) } : {};
}

function readEdges(items: unknown[], nodes: GraphNode[], repairs: string[]): Edge[] {
	const known = new Set(nodes.map((node) => node.id));
	const ids = new Set<string>();
	const edges: Edge[] = [];
	for (const item of items) {
		const edge = isObject(item) ? readEdge(item) : null;
		if (!edge || !known.has(edge.source) || !known.has(edge.target)) {
			repairs.push("A wire led to a node that is not there: it was removed.");
			continue;
		}
		const id =
			edge.id && !ids.has(edge.id) ? edge.id : freeId("e", new Set([...ids, ...items.map(idOf)]));
		ids.add(id);
		edges.push({ ...edge, id });
	}
	return edges;
}

function readEdge(item: Record<string, unknown>): Edge {
	return {
		...item,
		id: text(item.id),
		source: text(item.source),
		source_field: text(item.source_field),
		target: text(item.target),
		target_field: text(item.target_field),
	};
}

function readNotes(items: unknown, nodes: GraphNode[], repairs: string[]): Note[] {
	if (!Array.isArray(items)) return [];
	// Nodes and notes stand side by side on the board: no two of them have one id.
	const ids = new Set(nodes.map((node) => node.id));
	const notes: Note[] = [];
	for (const item of items.filter(isObject)) {
		if (notes.length === MOST_NOTES) {
			repairs.push(`A pipeline may have ${MOST_NOTES} notes: the others were removed.`);
			break;
		}
		const told = text(item.id);
		const id = told && !ids.has(told) ? told : freeId("t", new Set([...ids, ...items.map(idOf)]));
		ids.add(id);
		const words = text(item.text);
		if (words.length > LONGEST_NOTE) {
			repairs.push(`A note may have ${LONGEST_NOTE} letters: the end of one was cut off.`);
		}
		const kept = words.slice(0, LONGEST_NOTE);
		notes.push({ id, text: kept, position: readPosition(item.position) });
	}
	return notes;
}

function readFields(items: unknown): Field[] {
	if (!Array.isArray(items)) return [];
	return items.filter(isObject).map((item) => ({
		...item, // constraints, a default: kept as they are
		name: text(item.name),
		type: text(item.type) || "str",
		description: text(item.description),
	}));
}

export function readSignature(data: unknown): Signature {
	if (!isObject(data) || !Array.isArray(data.fields)) return { fields: [], instruction: "" };
	const roles = data.fields.filter(isObject).map((item) => text(item.role));
	const fields = readFields(data.fields).map((field, index) => {
		const role: Role = roles[index] === "output" ? "output" : "input";
		return { ...field, role };
	});
	return { fields, instruction: text(data.instruction) };
}

function readPosition(position: unknown): Position {
	if (!isObject(position)) return { x: 0, y: 0 };
	const number = (value: unknown) =>
		typeof value === "number" && Number.isFinite(value) ? value : 0;
	return { x: number(position.x), y: number(position.y) };
}

function idOf(item: unknown): string {
	return isObject(item) ? text(item.id) : "";
}

function text(value: unknown): string {
	return typeof value === "string" ? value : "";
}
