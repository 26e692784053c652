// The document that people draw, and the road between it and the JSON of the server.

import type { Field, Role, Signature } from "./signature";

export const VERSION = 1;
export const MOST_NODES = 2_000;
export const MOST_EDGES = 10_000;

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

interface Base {
	readonly id: string;
	readonly name: string;
	readonly position: Position;
	/** What else the node holds, such as the pipelines inside of it: kept as it is. */
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
}

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

export interface Graph {
	readonly nodes: readonly GraphNode[];
	readonly edges: readonly Edge[];
}

export interface Spec {
	version: number;
	nodes: unknown[];
	edges: unknown[];
}

export type ReadSpec =
	| { graph: Graph; repairs: string[]; refused: "" }
	| { graph: null; repairs: []; refused: string };

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

/** The first of `n1`, `n2` … that no node or wire has. */
export function freeId(prefix: "n" | "e", taken: ReadonlySet<string>): string {
	for (let number = taken.size + 1; ; number += 1) {
		const id = `${prefix}${number}`;
		if (!taken.has(id)) return id;
	}
}

/** The JSON that the server saves. */
export function toSpec(graph: Graph): Spec {
	return { version: VERSION, nodes: graph.nodes.map(nodeToJson), edges: [...graph.edges] };
}

function nodeToJson(node: GraphNode): unknown {
	if (node.kind !== "unknown") {
		const { extra, ...own } = node;
		return { ...extra, ...own };
	}
	return { ...node.raw, id: node.id, name: node.name, position: node.position };
}

/** A graph out of anybody's JSON: what can be mended is mended and told, the rest is refused. */
export function readSpec(data: unknown): ReadSpec {
	const refuse = (refused: string): ReadSpec => ({ graph: null, repairs: [], refused });
	if (!isObject(data)) return refuse("This is no pipeline: expected a JSON object.");
	if (data.version !== VERSION) {
		return refuse(
			`This pipeline is of version ${JSON.stringify(data.version)}; this studio reads ${VERSION}. ` +
				"It is not shown, so that nothing of it is lost. Update the studio to edit it.",
		);
	}
	const { nodes, edges } = data;
	if (!Array.isArray(nodes) || !Array.isArray(edges)) {
		return refuse("A pipeline needs a list of nodes and of edges.");
	}
	if (nodes.length > MOST_NODES || edges.length > MOST_EDGES) {
		return refuse(
			`A pipeline may have ${MOST_NODES} nodes and ${MOST_EDGES} wires; ` +
				`this one has ${nodes.length} and ${edges.length}.`,
		);
	}
	const repairs: string[] = [];
	const read = readNodes(nodes, repairs);
	return { graph: { nodes: read, edges: readEdges(edges, read, repairs) }, repairs, refused: "" };
}

function readNodes(items: unknown[], repairs: string[]): GraphNode[] {
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
		nodes.push(readNode(item, id));
	}
	return nodes;
}

function readNode(item: Record<string, unknown>, id: string): GraphNode {
	const base = { id, name: text(item.name), position: readPosition(item.position) };
	const kind = text(item.kind);
	if (isEndKind(kind)) {
		const extra = without(item, [...BASE_KEYS, "fields"]);
		return { ...base, ...extra, kind, fields: readFields(item.fields) };
	}
	if (isStepKind(kind)) {
		const extra = without(item, [...BASE_KEYS, "signature", "params", "module"]);
		return {
			...base,
			...extra,
			kind,
			signature: readSignature(item.signature),
			params: isObject(item.params) ? item.params : {},
			module: text(item.module),
		};
	}
	return { ...base, kind: "unknown", raw: item };
}

const BASE_KEYS: readonly string[] = ["id", "kind", "name", "position"];

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

export function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function idOf(item: unknown): string {
	return isObject(item) ? text(item.id) : "";
}

function text(value: unknown): string {
	return typeof value === "string" ? value : "";
}
