// Several steps as one: a selection becomes a subpipeline. `ungroup` is the way back.

import { targetsOf } from "./check";
import { BODY } from "./parts";
import { portsOf } from "./ports";
import { type Field, freeName, type Role, type SignatureField } from "./signature";
import {
	type Edge,
	freeId,
	type Graph,
	type GraphNode,
	isEnd,
	nodeById,
	type Position,
	type StepNode,
	UNTOUCHED,
} from "./spec";

/** The graph with the group in it, or the sentence that refuses it. */
export type Grouped =
	| { readonly graph: Graph; readonly id: string; readonly refused: "" }
	| { readonly graph: null; readonly refused: string };

/** A value that crosses the border of the group, and all wires that carry it. */
interface Crossing {
	readonly field: Field;
	readonly wires: readonly Edge[];
}

const COLUMN = 320;

/** The chosen steps and notes inside of one subpipeline. The ends stay outside. */
export function group(graph: Graph, ids: readonly string[], name = "group"): Grouped {
	const chosen = new Set(ids);
	const inner = graph.nodes.filter((node) => chosen.has(node.id) && !isEnd(node));
	const within = new Set(inner.map((node) => node.id));
	if (inner.length === 0) {
		return refuse("Select the steps that should become one; input and output stay outside.");
	}
	const circle = comesBack(graph, within);
	if (circle) return refuse(circle);
	const into = graph.edges.filter((edge) => within.has(edge.target) && !within.has(edge.source));
	const out = graph.edges.filter((edge) => within.has(edge.source) && !within.has(edge.target));
	const inputs = crossings(graph, into, "input", []);
	const outputs = crossings(
		graph,
		out,
		"output",
		inputs.map(({ field }) => field.name),
	);
	if (inputs.length === 0)
		return refuse("No wire leads into these steps: draw one to them first.");
	if (outputs.length === 0)
		return refuse("Nothing uses these steps: wire what they answer on first.");

	const id = freeId("n", new Set([...graph.nodes, ...graph.notes].map((one) => one.id)));
	const kept = graph.nodes.filter((node) => !within.has(node.id));
	const isInside = (noteId: string) => chosen.has(noteId);
	const node: StepNode = {
		id,
		kind: "subpipeline",
		name: freeName(
			name,
			kept.map((other) => other.name),
		),
		position: middle(inner),
		signature: {
			fields: [...asRole(inputs, "input"), ...asRole(outputs, "output")],
			instruction: "",
		},
		params: {},
		module: "",
		...UNTOUCHED,
		parts: {
			[BODY]: bodyOf(
				inner,
				graph.edges.filter((edge) => within.has(edge.source) && within.has(edge.target)),
				graph.notes.filter((note) => isInside(note.id)),
				inputs,
				outputs,
			),
		},
	};
	const edges = [
		...graph.edges.filter((edge) => !within.has(edge.source) && !within.has(edge.target)),
		...inputs.map(({ field, wires: [wire] }) => ({
			...(wire as Edge),
			target: id,
			target_field: field.name,
		})),
		...outputs.flatMap(({ field, wires }) =>
			wires.map((wire) => ({ ...wire, source: id, source_field: field.name })),
		),
	];
	const notes = graph.notes.filter((note) => !isInside(note.id));
	return { graph: { nodes: [...kept, node], edges, notes }, id, refused: "" };
}

/** The sentence about a way that leaves the group and comes back; empty when there is none. */
function comesBack(graph: Graph, within: ReadonlySet<string>): string {
	const targets = targetsOf(graph);
	const waiting = [...within].flatMap((id) => [...(targets.get(id) ?? [])]);
	const seen = new Set<string>(within);
	for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
		if (seen.has(id)) continue;
		seen.add(id);
		const further = [...(targets.get(id) ?? [])];
		if (further.some((target) => within.has(target))) {
			const name = nodeById(graph, id)?.name;
			return `That would run in a circle: these steps need what “${name}” answers, and it needs what they answer. Take it along, or leave some of them out.`;
		}
		waiting.push(...further);
	}
	return "";
}

/** One field for each value that crosses, however many wires carry it. */
function crossings(
	graph: Graph,
	wires: readonly Edge[],
	role: Role,
	taken: readonly string[],
): Crossing[] {
	const values = new Map<string, Edge[]>();
	for (const wire of wires) {
		const key = JSON.stringify([wire.source, wire.source_field]);
		values.set(key, [...(values.get(key) ?? []), wire]);
	}
	const names = [...taken];
	return [...values.values()].map((carrying) => {
		const field = crossingField(graph, carrying, role, names);
		names.push(field.name);
		return { field, wires: carrying };
	});
}

/** An input is called as where it leads, if that is one name; an output as what it is inside. */
function crossingField(
	graph: Graph,
	wires: readonly Edge[],
	role: Role,
	taken: readonly string[],
): Field {
	const [{ source, source_field, target, target_field }] = wires as [Edge];
	const isOneName = role === "input" && wires.every((wire) => wire.target_field === target_field);
	const port = (id: string, side: Role, name: string) => {
		const node = nodeById(graph, id);
		return node && portsOf(node).find((one) => one.role === side && one.name === name);
	};
	const type = port(source, "output", source_field) ?? port(target, "input", target_field);
	return {
		name: freeName(isOneName ? target_field : source_field, taken),
		type: type?.text ?? "str",
		description: "",
	};
}

function asRole(all: readonly Crossing[], role: Role): SignatureField[] {
	return all.map(({ field }) => ({ ...field, role }));
}

function bodyOf(
	inner: readonly GraphNode[],
	edges: readonly Edge[],
	notes: Graph["notes"],
	inputs: readonly Crossing[],
	outputs: readonly Crossing[],
): Graph {
	const ids = new Set(inner.map((node) => node.id));
	const names = inner.map((node) => node.name);
	const endNode = (kind: "input" | "output", all: readonly Crossing[], x: number): GraphNode => {
		const id = freeId("n", ids);
		ids.add(id);
		const fields = all.map(({ field }) => field);
		return { id, kind, name: freeName(kind, names), position: { x, y: 0 }, fields };
	};
	const left = Math.min(...inner.map(({ position }) => position.x));
	const right = Math.max(...inner.map(({ position }) => position.x));
	const top = Math.min(...inner.map(({ position }) => position.y));
	const shift = { x: COLUMN - left, y: -top };
	const input = endNode("input", inputs, 0);
	const output = endNode("output", outputs, right - left + 2 * COLUMN);
	const all = [...edges];
	const taken = new Set(
		[...edges, ...inputs.flatMap(({ wires }) => wires)].map((edge) => edge.id),
	);
	for (const { field, wires } of inputs) {
		all.push(...wires.map((wire) => ({ ...wire, source: input.id, source_field: field.name })));
	}
	for (const { field, wires } of outputs) {
		const [{ source, source_field }] = wires as [Edge];
		const id = freeId("e", taken);
		taken.add(id);
		all.push({ id, source, source_field, target: output.id, target_field: field.name });
	}
	return {
		nodes: [
			input,
			...inner.map((node) => ({ ...node, position: plus(node.position, shift) })),
			output,
		],
		edges: all,
		notes: notes.map((note) => ({ ...note, position: plus(note.position, shift) })),
	};
}

/** About where the nodes are, on the grid of the board. */
export function middle(nodes: readonly GraphNode[]): Position {
	const of = (axis: "x" | "y") => {
		const all = nodes.map(({ position }) => position[axis]);
		const mean = (Math.min(...all) + Math.max(...all)) / 2;
		return nodes.length > 0 ? Math.round(mean / 20) * 20 : 0;
	};
	return { x: of("x"), y: of("y") };
}

export function plus(one: Position, other: Position): Position {
	return { x: one.x + other.x, y: one.y + other.y };
}

/** Nothing is changed, and this is why. */
export function refuse(refused: string): Grouped {
	return { graph: null, refused };
}
