// Two drawings in one picture: what came, what went, what changed.

import { diff, type Entry, type How, told, wiresByInput } from "./diff";
import { graphAt, type Path } from "./levels";
import type { Edge, Graph, GraphNode } from "./spec";

export type Mark = How | "same";

export interface MarkedNode {
	readonly node: GraphNode;
	readonly mark: Mark;
	/** What changed about it, one short sentence each. */
	readonly says: readonly string[];
}

export interface MarkedEdge {
	readonly edge: Edge;
	readonly mark: Mark;
}

export interface Overlay {
	readonly nodes: readonly MarkedNode[];
	readonly edges: readonly MarkedEdge[];
}

const NOTHING: Graph = { nodes: [], edges: [], notes: [] };

/** One level of both drawings in one; what is gone lies where it lay. */
export function overlay(before: Graph, after: Graph, path: Path): Overlay {
	const entries = diff(before, after);
	const [was, is] = [graphAt(before, path) ?? NOTHING, graphAt(after, path) ?? NOTHING];
	const here = entries.filter((entry) => isAt(entry.path, path));
	const nodes = new Map(here.filter(({ what }) => what === "node").map((one) => [one.id, one]));
	const within = (id: string) => insideOf(entries, path, id);
	const wires = new Map(here.filter(({ what }) => what === "wire").map((one) => [one.id, one]));
	return {
		nodes: [
			...is.nodes.map((node) => markedNode(node, nodes.get(node.id), within(node.id))),
			...was.nodes
				.filter(({ id }) => nodes.get(id)?.how === "removed")
				.map((node) => ({ node, mark: "removed" as const, says: [] })),
		],
		edges: [
			...[...wiresByInput(is)].map(([key, edge]) => ({
				edge,
				mark: wires.get(key)?.how ?? ("same" as const),
			})),
			...[...wiresByInput(was)]
				.filter(([key]) => ["removed", "changed"].includes(wires.get(key)?.how ?? ""))
				.map(([, edge]) => ({ edge, mark: "removed" as const })),
		],
	};
}

function markedNode(node: GraphNode, entry: Entry | undefined, inside: number): MarkedNode {
	const own = entry?.aspects.filter(({ key }) => key !== "position").map(({ says }) => says) ?? [];
	const says =
		inside > 0 ? [...own, `${inside} ${inside === 1 ? "change" : "changes"} inside`] : own;
	const mark = entry && entry.how !== "moved" ? entry.how : inside > 0 ? "changed" : entry?.how;
	return { node, mark: mark ?? "same", says };
}

/** How many changes lie inside of a node of this level. */
function insideOf(entries: readonly Entry[], path: Path, node: string): number {
	return told(entries).filter(
		(entry) =>
			entry.path.length > path.length &&
			isAt(entry.path.slice(0, path.length), path) &&
			entry.path[path.length]?.node === node,
	).length;
}

function isAt(one: Path, other: Path): boolean {
	return (
		one.length === other.length &&
		one.every((into, index) => {
			const match = other[index];
			return into.node === match?.node && into.part === match.part;
		})
	);
}
