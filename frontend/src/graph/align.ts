// Nodes in line: aligned, spread evenly, and the lines that help while one is dragged.

import { moveNodes } from "./actions";
import { type Sizes, sizeOf } from "./layout";
import type { Graph, GraphNode, Position } from "./spec";

export type Side = "left" | "centre" | "right" | "top" | "middle" | "bottom";
export type Along = "x" | "y";

export interface Box {
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly height: number;
}

/** Of each side: which way nodes move, and which share of their size lies before the line. */
const SIDES: Readonly<Record<Side, { along: Along; share: number }>> = {
	left: { along: "x", share: 0 },
	centre: { along: "x", share: 0.5 },
	right: { along: "x", share: 1 },
	top: { along: "y", share: 0 },
	middle: { along: "y", share: 0.5 },
	bottom: { along: "y", share: 1 },
};
const SHARES = [0, 0.5, 1];

export function boxOf(node: GraphNode, sizes: Sizes): Box {
	return { ...node.position, ...sizeOf(node, sizes) };
}

/** The nodes with one side, or their middles, in one line: the outermost one gives it. */
export function align(graph: Graph, ids: readonly string[], side: Side, sizes: Sizes): Graph {
	const { along, share } = SIDES[side];
	const boxes = chosen(graph, ids, sizes);
	if (boxes.length < 2) return graph;
	const starts = boxes.map(({ box }) => box[along]);
	const ends = boxes.map(({ box }) => box[along] + extent(box, along));
	const [least, most] = [Math.min(...starts), Math.max(...ends)];
	const line = least + (most - least) * share;
	return moveAlong(graph, boxes, along, (box) => line - extent(box, along) * share);
}

/** The nodes between the two outermost ones with the same room between all of them. */
export function distribute(
	graph: Graph,
	ids: readonly string[],
	along: Along,
	sizes: Sizes,
): Graph {
	const boxes = chosen(graph, ids, sizes).sort((a, b) => a.box[along] - b.box[along]);
	const [first, last] = [boxes[0], boxes.at(-1)];
	if (!first || !last || boxes.length < 3) return graph;
	const taken = boxes.reduce((sum, { box }) => sum + extent(box, along), 0);
	const room = last.box[along] + extent(last.box, along) - first.box[along] - taken;
	const gap = room / (boxes.length - 1);
	let next = first.box[along];
	return moveAlong(graph, boxes, along, (box) => {
		const here = next;
		next += extent(box, along) + gap;
		return here;
	});
}

export interface Guides {
	/** Where the dragged box should lie. */
	readonly position: Position;
	/** The lines that it lies on then. */
	readonly x: number | null;
	readonly y: number | null;
}

/** The box, drawn to where its edge or its middle is in line with another box that is near. */
export function guidesFor(moved: Box, others: readonly Box[], near: number): Guides {
	const x = nearest(moved, others, "x", near);
	const y = nearest(moved, others, "y", near);
	return {
		position: { x: moved.x + (x?.by ?? 0), y: moved.y + (y?.by ?? 0) },
		x: x?.line ?? null,
		y: y?.line ?? null,
	};
}

function nearest(moved: Box, others: readonly Box[], along: Along, near: number) {
	let found: { by: number; line: number } | null = null;
	for (const other of others) {
		for (const share of SHARES) {
			const line = other[along] + extent(other, along) * share;
			const by = line - (moved[along] + extent(moved, along) * share);
			if (Math.abs(by) < Math.abs(found?.by ?? near)) found = { by, line };
		}
	}
	return found;
}

interface Chosen {
	readonly node: GraphNode;
	readonly box: Box;
}

function chosen(graph: Graph, ids: readonly string[], sizes: Sizes): Chosen[] {
	const wanted = new Set(ids);
	return graph.nodes
		.filter(({ id }) => wanted.has(id))
		.map((node) => ({ node, box: boxOf(node, sizes) }));
}

function moveAlong(graph: Graph, boxes: Chosen[], along: Along, to: (box: Box) => number): Graph {
	return moveNodes(
		graph,
		new Map(
			boxes.map(({ node, box }) => [node.id, { ...node.position, [along]: Math.round(to(box)) }]),
		),
	);
}

function extent(box: Box, along: Along): number {
	return along === "x" ? box.width : box.height;
}
