// What leads into a node, what follows from it, and whether it is still what it was.

import type { Edge, Graph, GraphNode } from "./spec";

interface Index {
	readonly nodes: ReadonlyMap<string, GraphNode>;
	readonly into: ReadonlyMap<string, readonly Edge[]>;
	readonly from: ReadonlyMap<string, readonly Edge[]>;
}

/** Graphs never change, so what was found of one stays true: every node on the board asks. */
const known = new WeakMap<Graph, Index>();

function indexOf(graph: Graph): Index {
	const found = known.get(graph);
	if (found) return found;
	const index: Index = {
		nodes: new Map(graph.nodes.map((node) => [node.id, node])),
		into: byEnd(graph, "target"),
		from: byEnd(graph, "source"),
	};
	known.set(graph, index);
	return index;
}

function byEnd(graph: Graph, end: "source" | "target"): Map<string, Edge[]> {
	const found = new Map<string, Edge[]>();
	for (const edge of graph.edges) {
		const there = found.get(edge[end]);
		if (there) there.push(edge);
		else found.set(edge[end], [edge]);
	}
	return found;
}

/** The node of this id, found without walking along all. */
export function lookUp(graph: Graph, id: string): GraphNode | undefined {
	return indexOf(graph).nodes.get(id);
}

export function wiresInto(graph: Graph, id: string): readonly Edge[] {
	return indexOf(graph).into.get(id) ?? [];
}

/** The nodes from which something leads into `id`, over any number of wires; without itself. */
export function upstreamOf(graph: Graph, id: string): ReadonlySet<string> {
	const { into } = indexOf(graph);
	return reach(id, (node) => (into.get(node) ?? []).map(({ source }) => source));
}

/** The nodes that something of `id` leads into, over any number of wires; without itself. */
export function downstreamOf(graph: Graph, id: string): ReadonlySet<string> {
	const { from } = indexOf(graph);
	return reach(id, (node) => (from.get(node) ?? []).map(({ target }) => target));
}

function reach(id: string, next: (node: string) => readonly string[]): ReadonlySet<string> {
	const found = new Set<string>();
	const left = [...next(id)];
	for (let node = left.pop(); node !== undefined; node = left.pop()) {
		if (node === id || found.has(node)) continue;
		found.add(node);
		left.push(...next(node));
	}
	return found;
}

/** What a node computes and from what, as text: two of the same text compute the same from the
 * same values. Where it lies and what it is called say nothing about that. */
export function recipeOf(graph: Graph, id: string): string {
	const node = lookUp(graph, id);
	if (!node) return "";
	const wires = wiresInto(graph, id)
		.map((edge) => `${edge.target_field}<${edge.source}.${edge.source_field}`)
		.sort();
	return `${contentOf(node)} ${wires.join(" ")}`;
}

/** Whether two drawings compute the same, wherever their nodes lie. */
export function computeTheSame(one: Graph, other: Graph): boolean {
	if (one === other) return true;
	if (one.nodes.length !== other.nodes.length) return false;
	return one.nodes.every(({ id }) => recipeOf(one, id) === recipeOf(other, id));
}

const contents = new WeakMap<GraphNode, string>();

function contentOf(node: GraphNode): string {
	const found = contents.get(node) ?? JSON.stringify(bare(node));
	contents.set(node, found);
	return found;
}

function bare({ position, name, ...node }: GraphNode): unknown {
	if (!("parts" in node)) return node;
	const parts = Object.entries(node.parts).map(([part, graph]) => [part, inside(graph)]);
	return { ...node, parts: parts.sort() };
}

/** A pipeline inside of a node: its steps have names by which their predictors are known. */
function inside({ nodes, edges }: Graph): unknown {
	return { nodes: nodes.map((node) => [node.name, bare(node)]), edges };
}
