// What copying puts on the clipboard, as text, and what pasting takes from there: from another
// pipeline, another tab or another studio, so none of it is believed.

import {
	connect,
	cut,
	type Edge,
	type Graph,
	type GraphNode,
	isEnd,
	isStep,
	MOST_DEEP,
	MOST_EDGES,
	MOST_NODES,
	MOST_NOTES,
	nodeById,
	type Position,
	paste,
	readSpec,
	refusal,
	type Spec,
	type StepNode,
	toSpec,
	VERSION,
} from "../graph";

/** A wire into what was copied, from a node that was not. */
export type Incoming = Omit<Edge, "id"> & { readonly source_name: string };

export interface Clip {
	readonly graph: Graph;
	readonly incoming: readonly Incoming[];
	/** What was mended or left out on the way in. */
	readonly words: readonly string[];
}

/** What nodes may refer to in this project. */
export interface Here {
	readonly modules: ReadonlySet<string>;
	readonly connections: ReadonlySet<string>;
}

const KEY = "compile-studio";
const LONGEST = 10_000_000;
const FOREIGN = "What was copied is no part of a pipeline: nothing was pasted.";

/** The chosen nodes as text, with the wires between them and those that lead into them. */
export function writeClip(graph: Graph, ids: readonly string[]): string {
	const taken = new Set(ids);
	const incoming = graph.edges
		.filter(({ source, target }) => taken.has(target) && !taken.has(source))
		.map(({ id: _, ...wire }) => ({
			...wire,
			source_name: nodeById(graph, wire.source)?.name ?? "",
		}));
	return JSON.stringify({
		...asClip(toSpec(cut(graph, ids))),
		...(incoming.length > 0 ? { incoming } : {}),
	});
}

/** A spec as `readClip` reads it. */
export function asClip(spec: Spec): Spec & Readonly<Record<string, unknown>> {
	return { [KEY]: "nodes", notes: [], ...spec };
}

/** What the text holds, or the sentence that refuses it. */
export function readClip(text: string, known: Here | null = null): Clip | string {
	if (text.length > LONGEST) return "What was copied is too large: nothing was pasted.";
	const data = parse(text);
	if (data?.[KEY] !== "nodes") return FOREIGN;
	const { graph, repairs, refused } = readSpec({
		version: data.version ?? VERSION,
		nodes: data.nodes ?? [],
		edges: data.edges ?? [],
		notes: data.notes ?? [],
	});
	if (!graph) return `Nothing was pasted. ${refused}`;
	const lost: string[] = [];
	const own = known ? localOnly(graph, known, lost) : graph;
	const incoming = Array.isArray(data.incoming) ? data.incoming.filter(isIncoming) : [];
	return { graph: own, incoming, words: [...repairs, ...lost] };
}

export interface Pasted {
	readonly graph: Graph;
	/** The new nodes and notes. */
	readonly ids: readonly string[];
	/** What did not come along. */
	readonly words: readonly string[];
}

/** The level with the clip in it. The wires into it come along when `withIncoming` and where they
 * begin at a node that this level has. */
export function pasteClip(
	level: Graph,
	clip: Clip,
	offset: Position,
	withIncoming = false,
): Pasted {
	const [pasted, fresh] = paste(level, clip.graph, offset);
	const words = [...clip.words];
	if (fresh.size < clip.graph.nodes.length + clip.graph.notes.length) {
		words.push("A pipeline has one input and one output: they were left out.");
	}
	let graph = pasted;
	let gone = 0;
	for (const { source_name, ...wire } of withIncoming ? clip.incoming : []) {
		const target = fresh.get(wire.target);
		if (!target) continue;
		const next = { ...wire, target };
		const isHere = nodeById(graph, wire.source)?.name === source_name;
		if (isHere && refusal(graph, next) === "") graph = connect(graph, next);
		else gone += 1;
	}
	if (gone > 0) {
		words.push(`${gone === 1 ? "One wire" : `${gone} wires`} began at a node that is not here.`);
	}
	return { graph, ids: [...fresh.values()], words };
}

/** Why the whole pipeline has become too large; empty when it has not. */
export function tooLarge(root: Graph): string {
	const { nodes, edges, notes, deep } = measure(root);
	if (nodes > MOST_NODES) return `A pipeline may have ${MOST_NODES} nodes.`;
	if (edges > MOST_EDGES) return `A pipeline may have ${MOST_EDGES} wires.`;
	if (notes > MOST_NOTES) return `A pipeline may have ${MOST_NOTES} notes.`;
	if (deep > MOST_DEEP) {
		return `Pipelines may lie in each other ${MOST_DEEP} deep, and no deeper.`;
	}
	return "";
}

function measure(graph: Graph): { nodes: number; edges: number; notes: number; deep: number } {
	const sum = {
		nodes: graph.nodes.length,
		edges: graph.edges.length,
		notes: graph.notes.length,
		deep: 0,
	};
	for (const node of graph.nodes) {
		if (!isStep(node)) continue;
		for (const part of Object.values(node.parts)) {
			const inside = measure(part);
			sum.nodes += inside.nodes;
			sum.edges += inside.edges;
			sum.notes = Math.max(sum.notes, inside.notes);
			sum.deep = Math.max(sum.deep, inside.deep + 1);
		}
	}
	return sum;
}

function parse(text: string): Record<string, unknown> | null {
	try {
		const data: unknown = JSON.parse(text);
		return typeof data === "object" ? (data as Record<string, unknown> | null) : null;
	} catch {
		return null; // The text is not ours, which the caller says.
	}
}

function isIncoming(item: unknown): item is Incoming {
	if (typeof item !== "object" || item === null) return false;
	const keys = ["source", "source_name", "source_field", "target", "target_field"];
	return keys.every((key) => typeof (item as Record<string, unknown>)[key] === "string");
}

/** The graph without references to things that this project does not have. */
function localOnly(graph: Graph, known: Here, lost: string[]): Graph {
	return { ...graph, nodes: graph.nodes.map((node) => localNode(node, known, lost)) };
}

function localNode(node: GraphNode, known: Here, lost: string[]): GraphNode {
	if (isEnd(node) || !isStep(node)) return node;
	const parts = Object.entries(node.parts).map(([name, part]) => [
		name,
		localOnly(part, known, lost),
	]);
	const local: StepNode = { ...node, parts: Object.fromEntries(parts) };
	const noModule = node.module !== "" && !known.modules.has(node.module);
	const noLm = node.lm !== "" && !known.connections.has(node.lm);
	if (noModule) lost.push(`${node.name}: this project has no saved module “${node.module}”.`);
	if (noLm) lost.push(`${node.name}: this project has no LM “${node.lm}”; the run’s answers.`);
	return { ...local, ...(noModule ? { module: "" } : {}), ...(noLm ? { lm: "" } : {}) };
}
