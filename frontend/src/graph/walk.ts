// Going from node to node by arrow keys: along the wires, and to what lies above and below.

import { type Box, boxOf } from "./align";
import type { Sizes } from "./layout";
import { type Edge, type Graph, type GraphNode, nodeById } from "./spec";

export type Way = "left" | "right" | "up" | "down";

/** What is beside counts this much more than what lies straight ahead. */
const ASIDE = 3;

/** The node that lies that way from `from`; empty when there is none. Left and right follow the
 * wires first; where none leads, the nearest node that way is taken. */
export function walk(graph: Graph, from: string, way: Way, sizes: Sizes): string {
	const start = nodeById(graph, from);
	if (!start) return first(graph);
	const along = way === "left" || way === "right" ? wiredTo(graph, from, way) : [];
	const here = middle(boxOf(start, sizes));
	if (along.length > 0) {
		const height = (node: GraphNode) => Math.abs(middle(boxOf(node, sizes)).y - here.y);
		return least(along, height)?.id ?? "";
	}
	const ahead = graph.nodes.filter((node) => node.id !== from);
	const found = least(ahead, (node) => distance(here, middle(boxOf(node, sizes)), way));
	return found?.id ?? "";
}

/** Where reading begins: the leftmost node, of several the uppermost. */
export function first(graph: Graph): string {
	return inReadingOrder(graph.nodes)[0]?.id ?? "";
}

/** From left to right, and from above to below. */
export function inReadingOrder(nodes: readonly GraphNode[]): GraphNode[] {
	return [...nodes].sort(
		(one, other) => one.position.x - other.position.x || one.position.y - other.position.y,
	);
}

/** The wires of a node: those that leave it, then those that lead into it. */
export function wiresOf(graph: Graph, node: string): Edge[] {
	return [
		...graph.edges.filter((edge) => edge.source === node),
		...graph.edges.filter((edge) => edge.target === node),
	];
}

/** The wire before or after this one among those of its source. */
export function besideWire(graph: Graph, id: string, step: 1 | -1): string {
	const wire = graph.edges.find((edge) => edge.id === id);
	const row = wire ? graph.edges.filter((edge) => edge.source === wire.source) : [];
	const at = row.findIndex((edge) => edge.id === id);
	return row.at((at + step) % Math.max(row.length, 1))?.id ?? "";
}

function wiredTo(graph: Graph, from: string, way: "left" | "right"): GraphNode[] {
	const ids = new Set(
		graph.edges
			.filter((edge) => (way === "left" ? edge.target : edge.source) === from)
			.map((edge) => (way === "left" ? edge.source : edge.target)),
	);
	return graph.nodes.filter(({ id }) => ids.has(id) && id !== from);
}

function middle(box: Box): { x: number; y: number } {
	return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

/** How far it is to go there; without end when it lies another way. */
function distance(from: { x: number; y: number }, to: { x: number; y: number }, way: Way): number {
	const [dx, dy] = [to.x - from.x, to.y - from.y];
	const ahead = { left: -dx, right: dx, up: -dy, down: dy }[way];
	const aside = way === "left" || way === "right" ? Math.abs(dy) : Math.abs(dx);
	return ahead > 0 ? ahead + aside * ASIDE : Number.POSITIVE_INFINITY;
}

function least(nodes: readonly GraphNode[], measure: (node: GraphNode) => number) {
	let found: GraphNode | null = null;
	let shortest = Number.POSITIVE_INFINITY;
	for (const node of nodes) {
		const length = measure(node);
		if (length < shortest) [found, shortest] = [node, length];
	}
	return found;
}
