// What people do to the pipelines inside of a node: begin one, fit its ends, remove it.

import { addNode, setFields, setSignature } from "./actions";
import { connect } from "./connect";
import { emptyPart } from "./part_starts";
import { type Part, partsOf } from "./parts";
import { type Field, freeName, type Role, type SignatureField } from "./signature";
import { type EndKind, freeId, type Graph, isEnd, isStep, nodeById, type StepNode } from "./spec";

/** The graph with the part begun in the node. One that is there stays as it is. */
export function addPart(graph: Graph, id: string, name: string): Graph {
	return changeNode(graph, id, (node) => {
		const part = partsOf(node).find((one) => one.name === name);
		if (!part || name in node.parts) return node;
		return { ...node, parts: { ...node.parts, [name]: emptyPart(part) } };
	});
}

/** The graph without this pipeline inside of the node. */
export function removePart(graph: Graph, id: string, name: string): Graph {
	return changeNode(graph, id, (node) => {
		const { [name]: gone, ...parts } = node.parts;
		return gone ? { ...node, parts } : node;
	});
}

/** The graph with this pipeline as the part. A subpipeline has the fields of what is inside. */
export function fillPart(graph: Graph, id: string, name: string, inside: Graph): Graph {
	const filled = changeNode(graph, id, (node) => {
		const isWanted = partsOf(node).some((part) => part.name === name);
		return isWanted ? { ...node, parts: { ...node.parts, [name]: inside } } : node;
	});
	const node = nodeById(filled, id);
	if (filled === graph || node?.kind !== "subpipeline") return filled;
	const fieldsOf = (kind: EndKind, role: Role) => {
		const end = inside.nodes.filter(isEnd).find((one) => one.kind === kind);
		return (end?.fields ?? []).map((field) => ({ ...field, role }));
	};
	const inputs = fieldsOf("input", "input");
	const names = inputs.map(({ name: taken }) => taken);
	// A step has no input and output of one name: what is called so inside is told as a problem.
	const outputs = fieldsOf("output", "output").filter((field) => !names.includes(field.name));
	return setSignature(filled, id, [...inputs, ...outputs]);
}

/** The graph with the pipeline of one part under the name of another that has none. */
export function renamePart(graph: Graph, id: string, name: string, next: string): Graph {
	return changeNode(graph, id, (node) => {
		if (!(name in node.parts) || next in node.parts) return node;
		const parts = Object.entries(node.parts).map(([key, part]) => [
			key === name ? next : key,
			part,
		]);
		return { ...node, parts: Object.fromEntries(parts) };
	});
}

/** The graph with the fields of the step at the ends of the part. Wires follow a renamed field;
 * those of fields that are gone go with them. */
export function takeOverFields(graph: Graph, id: string, name: string): Graph {
	return changeNode(graph, id, (node) => {
		const part = partsOf(node).find((one) => one.name === name);
		const inside = node.parts[name];
		if (!part || !inside) return node;
		const inputs = withEnd(inside, "input", part.inputs);
		const changed = withEnd(inputs, "output", part.outputs);
		return { ...node, parts: { ...node.parts, [name]: changed } };
	});
}

/** The graph with a Predict step that makes of all inputs all outputs, wired on both sides. Only
 * for a pipeline whose ends have fields and between which nothing is drawn. */
export function bridge(graph: Graph): Graph {
	const ends = graph.nodes.filter(isEnd);
	const given = ends.find(({ kind }) => kind === "input");
	const wanted = ends.find(({ kind }) => kind === "output");
	if (!given?.fields.length || !wanted?.fields.length || ends.length < graph.nodes.length) {
		return graph;
	}
	const names = given.fields.map(({ name }) => name);
	const answers = wanted.fields.map((field) => ({ field, name: freeName(field.name, names) }));
	const fields: SignatureField[] = [
		...given.fields.map((field) => ({ ...field, role: "input" as const })),
		...answers.map(({ field, name }) => ({ ...field, name, role: "output" as const })),
	];
	const x = Math.round((given.position.x + wanted.position.x) / 40) * 20;
	const blank = {
		kind: "predict",
		name: "predict",
		signature: { fields, instruction: "" },
	} as const;
	const [added, id] = addNode(graph, blank, { x, y: given.position.y });
	const wires = [
		...names.map((name) => [given.id, name, id, name] as const),
		...answers.map(({ field, name }) => [id, name, wanted.id, field.name] as const),
	];
	return wires.reduce(
		(drawn, [source, source_field, target, target_field]) =>
			connect(drawn, { source, source_field, target, target_field }),
		added,
	);
}

/** Whether the ends of the part have other fields than the step gives and wants. */
export function hasOtherFields(node: StepNode, part: Part): boolean {
	const inside = node.parts[part.name];
	if (!inside) return false;
	const shown = (fields: readonly Field[]) =>
		JSON.stringify(fields.map(({ name, type }) => [name, type]).sort());
	const fieldsOf = (kind: EndKind) =>
		inside.nodes.filter(isEnd).find((end) => end.kind === kind)?.fields ?? [];
	return (
		shown(fieldsOf("input")) !== shown(part.inputs) ||
		shown(fieldsOf("output")) !== shown(part.outputs)
	);
}

function withEnd(graph: Graph, kind: EndKind, fields: readonly Field[]): Graph {
	const end = graph.nodes.find((node) => node.kind === kind);
	if (end) return setFields(graph, end.id, fields);
	const xs = graph.nodes.map(({ position }) => position.x);
	const x = kind === "input" ? Math.min(320, ...xs) - 320 : Math.max(320, ...xs) + 320;
	const id = freeId("n", new Set(graph.nodes.map((node) => node.id)));
	return {
		...graph,
		nodes: [...graph.nodes, { id, kind, name: kind, position: { x, y: 0 }, fields }],
	};
}

function changeNode(graph: Graph, id: string, change: (node: StepNode) => StepNode): Graph {
	const node = nodeById(graph, id);
	if (!node || !isStep(node)) return graph;
	const changed = change(node);
	if (changed === node) return graph;
	return { ...graph, nodes: graph.nodes.map((other) => (other === node ? changed : other)) };
}
