// Where nodes lie: how big they are, where there is room, and tidying up.

import { Graph as Drawing, layout } from "@dagrejs/dagre";
import { moveNodes } from "./actions";
import { portsOf } from "./ports";
import { type Graph, type GraphNode, isStep, type Position } from "./spec";

export interface Size {
	readonly width: number;
	readonly height: number;
}

/** What the browser has measured, by node; of others it is guessed. */
export type Sizes = ReadonlyMap<string, Size>;

export const GRID = 20;
export const CARD_WIDTH = 240;
/** From the left edge of a node to that of the next column. */
export const COLUMN = 300;
const GAP = 48;
/** From here on the better ranking would take seconds. */
const MANY = 400;
const UNMEASURED: Sizes = new Map();

export function sizeOf(node: GraphNode, sizes: Sizes = UNMEASURED): Size {
	return sizes.get(node.id) ?? { width: CARD_WIDTH, height: heightOf(node) };
}

export function toGrid({ x, y }: Position): Position {
	return { x: Math.round(x / GRID) * GRID, y: Math.round(y / GRID) * GRID };
}

/** The graph with its nodes in columns, in the order in which values flow. With `only`, these
 * nodes are put in order where they are, and the others stay. */
export function tidy(
	graph: Graph,
	sizes: Sizes = UNMEASURED,
	only: readonly string[] = [],
): Graph {
	const chosen = new Set(only.length > 1 ? only : graph.nodes.map(({ id }) => id));
	const nodes = graph.nodes
		.filter(({ id }) => chosen.has(id))
		.sort((one, other) => one.position.y - other.position.y);
	if (nodes.length === 0) return graph;
	const drawing = new Drawing();
	drawing.setGraph({
		rankdir: "LR",
		nodesep: GAP,
		ranksep: COLUMN - CARD_WIDTH,
		ranker: nodes.length > MANY ? "longest-path" : "network-simplex",
	});
	drawing.setDefaultEdgeLabel(() => ({}));
	for (const node of nodes) drawing.setNode(node.id, { ...sizeOf(node, sizes) });
	for (const { source, target } of graph.edges) {
		if (source !== target && chosen.has(source) && chosen.has(target)) {
			drawing.setEdge(source, target);
		}
	}
	layout(drawing);
	const placed = nodes.map((node) => {
		const { x, y } = drawing.node(node.id) as Position;
		const { width, height } = sizeOf(node, sizes);
		return { id: node.id, x: x - width / 2, y: y - height / 2 };
	});
	const least = (along: "x" | "y", of: readonly Position[]) =>
		Math.min(...of.map((position) => position[along]));
	const before = nodes.map(({ position }) => position);
	const corner =
		only.length > 1 ? { x: least("x", before), y: least("y", before) } : { x: 0, y: 0 };
	const aside = { x: corner.x - least("x", placed), y: corner.y - least("y", placed) };
	return moveNodes(
		graph,
		new Map(placed.map(({ id, x, y }) => [id, toGrid({ x: x + aside.x, y: y + aside.y })])),
	);
}

/** The nearest place at or below `wanted` where a new node covers none. */
export function freeSpot(graph: Graph, wanted: Position): Position {
	const { x } = wanted;
	let { y } = wanted;
	const covers = (node: GraphNode) =>
		Math.abs(node.position.x - x) < 260 &&
		y < node.position.y + heightOf(node) &&
		node.position.y < y + 150;
	for (let found = graph.nodes.find(covers); found; found = graph.nodes.find(covers)) {
		y = found.position.y + heightOf(found) + 20;
	}
	return toGrid({ x, y });
}

/** About how tall a node is drawn. */
function heightOf(node: GraphNode): number {
	const text = isStep(node) ? 44 : 0;
	return 60 + text + Math.max(1, portsOf(node).length) * 26;
}
