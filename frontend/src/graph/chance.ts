// Random drawings and random edits for tests, always the same for the same seed.

import {
	addNode,
	expose,
	moveNodes,
	remove,
	rename,
	setFields,
	setInstruction,
	setParams,
	setSignature,
} from "./actions";
import { oneStep } from "./builders";
import { connect } from "./connect";
import { changeAt } from "./levels";
import { freeId, type Graph, type GraphNode, isEnd, isStep, nodeById } from "./spec";

export interface Chance {
	/** From 0 up to but without `end`. */
	below(end: number): number;
	one<T>(items: readonly T[]): T | undefined;
}

/** Mulberry32: small, and good enough for tests. */
export function chanceOf(seed: number): Chance {
	let state = seed >>> 0;
	const next = () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
	};
	const below = (end: number) => Math.floor(next() * end);
	return { below, one: (items) => items[below(items.length)] };
}

type Edit = (graph: Graph, chance: Chance) => Graph;

const EDITS: Readonly<Record<string, Edit>> = {
	add: (graph, chance) =>
		addNode(graph, { kind: "predict", name: `s${chance.below(9)}` }, spot(chance))[0],
	remove: (graph, chance) => {
		const node = chance.one(graph.nodes.filter((found) => !isEnd(found)));
		return node ? remove(graph, [node.id], []) : graph;
	},
	cut: (graph, chance) => {
		const edge = chance.one(graph.edges);
		return edge ? remove(graph, [], [edge.id]) : graph;
	},
	rename: onStep((graph, node, chance) => rename(graph, node.id, `r${chance.below(9)}`)),
	instruct: onStep((graph, node, chance) =>
		setInstruction(graph, node.id, `Do ${chance.below(99)}.`),
	),
	param: onStep((graph, node, chance) =>
		isStep(node)
			? setParams(graph, node.id, { ...node.params, [`p${chance.below(3)}`]: chance.below(99) })
			: graph,
	),
	field: onStep((graph, node, chance) => {
		if (!isStep(node)) return graph;
		const name = `f${chance.below(9)}`;
		const { fields } = node.signature;
		if (fields.some((field) => field.name === name)) {
			return setSignature(
				graph,
				node.id,
				fields.filter((field) => field.name !== name),
			);
		}
		const role = chance.below(2) ? ("input" as const) : ("output" as const);
		const added = { name, type: chance.below(2) ? "str" : "int", description: "", role };
		const place = chance.below(fields.length + 1);
		return setSignature(graph, node.id, fields.toSpliced(place, 0, added));
	}),
	reorder: onStep((graph, node) =>
		isStep(node) ? setSignature(graph, node.id, node.signature.fields.toReversed()) : graph,
	),
	demo: onStep((graph, node, chance) =>
		isStep(node)
			? withNode(graph, { ...node, demos: [...node.demos, { text: `d${chance.below(9)}` }] })
			: graph,
	),
	lm: onStep((graph, node, chance) =>
		isStep(node) ? withNode(graph, { ...node, lm: `lm-${chance.below(3)}` }) : graph,
	),
	move: onStep((graph, node, chance) => moveNodes(graph, new Map([[node.id, spot(chance)]]))),
	wire: (graph, chance) => {
		const [source, target] = [chance.one(graph.nodes), chance.one(graph.nodes)];
		const out = source && chance.one(fieldsOf(source, "output"));
		const into = target && chance.one(fieldsOf(target, "input"));
		if (!source || !target || !out || !into || source === target) return graph;
		return connect(graph, {
			source: source.id,
			source_field: out,
			target: target.id,
			target_field: into,
		});
	},
	ends: (graph, chance) => {
		const input = graph.nodes.find((node) => node.kind === "input");
		if (!input || !isEnd(input)) return graph;
		const field = { name: `i${chance.below(9)}`, type: "str", description: "" };
		if (input.fields.some(({ name }) => name === field.name)) return graph;
		return setFields(graph, input.id, [...input.fields, field]);
	},
	show: onStep((graph, node, chance) =>
		expose(graph, node.id, chance.one(fieldsOf(node, "output")) ?? ""),
	),
	note: (graph, chance) => {
		const id = freeId("t", new Set(graph.notes.map((note) => note.id)));
		const note = { id, text: `note ${chance.below(99)}`, position: spot(chance) };
		return { ...graph, notes: [...graph.notes, note] };
	},
	rewrite: (graph, chance) => {
		const note = chance.one(graph.notes);
		if (!note) return graph;
		const text = `note ${chance.below(99)}`;
		return { ...graph, notes: graph.notes.map((old) => (old === note ? { ...note, text } : old)) };
	},
	forget: (graph, chance) => {
		const note = chance.one(graph.notes);
		return { ...graph, notes: graph.notes.filter((other) => other !== note) };
	},
	nest: onStep((graph, node, chance) =>
		isStep(node)
			? withNode(graph, { ...node, parts: { ...node.parts, [`b${chance.below(2)}`]: oneStep() } })
			: graph,
	),
	inside: onStep((graph, node, chance) => {
		const part = isStep(node) ? chance.one(Object.keys(node.parts)) : undefined;
		if (!part) return graph;
		return changeAt(graph, [{ node: node.id, part }], (level) => edit(level, chance));
	}),
};

/** One random edit. It may change nothing. */
export function edit(graph: Graph, chance: Chance): Graph {
	const name = chance.one(Object.keys(EDITS));
	return name && EDITS[name] ? EDITS[name](graph, chance) : graph;
}

/** Up to `most` random edits. */
export function edits(graph: Graph, chance: Chance, most: number): Graph {
	let edited = graph;
	for (let count = chance.below(most + 1); count > 0; count -= 1) edited = edit(edited, chance);
	return edited;
}

/** A drawing of some size. */
export function drawing(chance: Chance): Graph {
	return edits(oneStep(), chance, 30);
}

function onStep(action: (graph: Graph, node: GraphNode, chance: Chance) => Graph): Edit {
	return (graph, chance) => {
		const node = chance.one(graph.nodes.filter((found) => !isEnd(found)));
		return node ? action(graph, node, chance) : graph;
	};
}

function withNode(graph: Graph, node: GraphNode): Graph {
	if (!nodeById(graph, node.id)) return graph;
	return { ...graph, nodes: graph.nodes.map((old) => (old.id === node.id ? node : old)) };
}

function fieldsOf(node: GraphNode, role: "input" | "output"): string[] {
	if (isStep(node)) {
		return node.signature.fields.filter((field) => field.role === role).map(({ name }) => name);
	}
	if (!isEnd(node) || (node.kind === "input") !== (role === "output")) return [];
	return node.fields.map(({ name }) => name);
}

function spot(chance: Chance): { x: number; y: number } {
	return { x: chance.below(60) * 20, y: chance.below(60) * 20 };
}
