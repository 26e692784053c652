// The document that people draw, and the JSON that the server saves of it.

import type { Field, Signature } from "./signature";

export const VERSION = 1;
export const MOST_NODES = 2_000;
export const MOST_EDGES = 10_000;
export const MOST_NOTES = 500;
/** In letters. */
export const LONGEST_NOTE = 5_000;
/** Pipelines inside pipelines. */
export const MOST_DEEP = 5;

export type EndKind = "input" | "output";
/** The steps that this page draws; packages may add others. */
export const STEP_KINDS = [
	"predict",
	"chain_of_thought",
	"multi_chain_comparison",
	"react",
	"program_of_thought",
	"code_act",
	"best_of_n",
	"refine",
	"majority",
	"constraint",
	"retrieve",
	"knn_demos",
	"map",
	"branch",
	"router",
	"subpipeline",
	"template",
	"python",
	"convert",
] as const;
export type StepKind = (typeof STEP_KINDS)[number];
export type Kind = EndKind | StepKind;

/** What the engine runs, for all that this page knows. */
export const ENGINE_KINDS: ReadonlySet<string> = new Set(["input", "output", ...STEP_KINDS]);

export interface Position {
	readonly x: number;
	readonly y: number;
}

export interface Base {
	readonly id: string;
	readonly name: string;
	readonly position: Position;
	/** What else the node holds: kept as it is. */
	readonly extra?: Readonly<Record<string, unknown>>;
}

/** Where values enter or leave the pipeline. */
export interface EndNode extends Base {
	readonly kind: EndKind;
	readonly fields: readonly Field[];
}

/** A step between the ends. */
export interface StepNode extends Base {
	readonly kind: StepKind;
	readonly signature: Signature;
	readonly params: Readonly<Record<string, unknown>>;
	/** The saved module that it was made from, or nothing. */
	readonly module: string;
	/** The short name of the LM connection that answers here; empty: the run's. */
	readonly lm: string;
	/** Worked examples that were pinned by hand: values by field name. */
	readonly demos: readonly PinnedDemo[];
	/** The pipelines inside of it, by the part's name. */
	readonly parts: Readonly<Record<string, Graph>>;
}

export type PinnedDemo = Readonly<Record<string, unknown>>;

/** What a step holds that nobody has touched. */
export const UNTOUCHED: Pick<StepNode, "lm" | "demos" | "parts"> = {
	lm: "",
	demos: [],
	parts: {},
};

/** A node of a kind that this page does not know: kept as it is, so that saving loses nothing. */
export interface UnknownNode extends Base {
	readonly kind: "unknown";
	readonly raw: Readonly<Record<string, unknown>>;
}

export type GraphNode = EndNode | StepNode | UnknownNode;

export interface Edge {
	readonly id: string;
	readonly source: string;
	readonly source_field: string;
	readonly target: string;
	readonly target_field: string;
}

/** Words on the board; the program knows nothing of them. */
export interface Note {
	readonly id: string;
	readonly text: string;
	readonly position: Position;
}

export interface Graph {
	readonly nodes: readonly GraphNode[];
	readonly edges: readonly Edge[];
	readonly notes: readonly Note[];
}

export interface Spec {
	version: number;
	nodes: unknown[];
	edges: unknown[];
	notes?: unknown[];
}

export function isStep(node: GraphNode): node is StepNode {
	return isStepKind(node.kind);
}

export function isStepKind(kind: string): kind is StepKind {
	return (STEP_KINDS as readonly string[]).includes(kind);
}

export function isEndKind(kind: string): kind is EndKind {
	return kind === "input" || kind === "output";
}

export function isEnd(node: GraphNode): node is EndNode {
	return node.kind === "input" || node.kind === "output";
}

export function nodeById(graph: Graph, id: string): GraphNode | undefined {
	return graph.nodes.find((node) => node.id === id);
}

let ending: () => string = () => "";

/** Let new ids end in something that no other page thinks of, and no removed node had: then what
 * two people add is told apart. Until this is called ids are plain: `n1`, `n2` … */
export function endIdsWith(make: () => string): void {
	ending = make;
}

/** The first of `n1`, `n2` … that no node, wire or note has. */
export function freeId(prefix: "n" | "e" | "t", taken: ReadonlySet<string>): string {
	for (let number = taken.size + 1; ; number += 1) {
		const id = `${prefix}${number}${ending()}`;
		if (!taken.has(id)) return id;
	}
}

/** The JSON that the server saves. What is empty is left out, so that equal drawings are equal. */
export function toSpec(graph: Graph): Spec {
	const { nodes, edges, notes } = graph;
	const spec: Spec = { version: VERSION, nodes: nodes.map(nodeToJson), edges: [...edges] };
	return notes.length > 0 ? { ...spec, notes: [...notes] } : spec;
}

function nodeToJson(node: GraphNode): unknown {
	if (node.kind === "unknown") {
		return { ...node.raw, id: node.id, name: node.name, position: node.position };
	}
	const { extra, ...own } = node;
	if (!("parts" in own)) return { ...extra, ...own };
	const { lm, demos, parts, ...bare } = own;
	const inside = Object.entries(parts).map(([name, part]) => [name, toSpec(part)]);
	return {
		...extra,
		...bare,
		...(lm ? { lm } : {}),
		...(demos.length > 0 ? { demos } : {}),
		...(inside.length > 0 ? { parts: Object.fromEntries(inside) } : {}),
	};
}

export function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
