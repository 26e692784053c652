// Tidying up: columns in the order in which values flow.

import { moveNodes } from "./actions";
import { findCircle } from "./check";
import { portsOf } from "./ports";
import { type Graph, type GraphNode, isStep, type Position } from "./spec";

const COLUMN = 300;
const GAP = 48;

/** The graph with every node in the column after the last of its sources. */
export function tidy(graph: Graph): Graph {
	if (findCircle(graph)) return graph;
	const columns = new Map<string, number>();
	const column = (node: GraphNode): number => columns.get(node.id) ?? 0;
	// Each round moves nodes at least one column on; without circles it ends.
	for (let moved = true; moved; ) {
		moved = false;
		for (const edge of graph.edges) {
			const wanted = (columns.get(edge.source) ?? 0) + 1;
			if ((columns.get(edge.target) ?? 0) < wanted) {
				columns.set(edge.target, wanted);
				moved = true;
			}
		}
	}
	const last = Math.max(0, ...graph.nodes.map(column));
	for (const node of graph.nodes)
		if (node.kind === "output") columns.set(node.id, Math.max(last, 1));
	const positions = new Map<string, Position>();
	for (let index = 0; index <= Math.max(last, 1); index += 1) {
		const stack = graph.nodes
			.filter((node) => column(node) === index)
			.sort((a, b) => a.position.y - b.position.y);
		const total = stack.reduce((sum, node) => sum + heightOf(node) + GAP, -GAP);
		let y = Math.round(-total / 2);
		for (const node of stack) {
			positions.set(node.id, { x: index * COLUMN, y });
			y += heightOf(node) + GAP;
		}
	}
	return moveNodes(graph, positions);
}

/** The nearest place at or below `wanted` where a new node covers none. */
export function freeSpot(graph: Graph, wanted: Position): Position {
	let { x, y } = wanted;
	const covers = (node: GraphNode) =>
		Math.abs(node.position.x - x) < 260 &&
		y < node.position.y + heightOf(node) &&
		node.position.y < y + 150;
	for (let found = graph.nodes.find(covers); found; found = graph.nodes.find(covers)) {
		y = found.position.y + heightOf(found) + 20;
	}
	x = Math.round(x / 20) * 20;
	y = Math.round(y / 20) * 20;
	return { x, y };
}

/** About how tall a node is drawn. */
function heightOf(node: GraphNode): number {
	const text = isStep(node) ? 44 : 0;
	return 60 + text + Math.max(1, portsOf(node).length) * 26;
}
