// The lines that help while one node is dragged: in line with another that is in view.

import {
	type NodeChange,
	type NodePositionChange,
	type ReactFlowInstance,
	ViewportPortal,
} from "@xyflow/react";
import { useCallback, useRef, useState } from "react";
import { type Box, guidesFor, type Position } from "../graph";
import type { BoardNode } from "../nodes";
import { cardOf } from "./sizes";

/** Half a step of the grid: from here on a line is nearer than the grid. */
const NEAR = 9;

export interface Lines {
	readonly x: number | null;
	readonly y: number | null;
}

const NO_LINES: Lines = { x: null, y: null };

/** Draws a dragged node to the lines of the others; says which lines those are. */
export function useGuides(flow: ReactFlowInstance) {
	const [lines, setLines] = useState<Lines>(NO_LINES);
	const others = useRef<readonly Box[] | null>(null);
	const last = useRef<ReadonlyMap<string, Position>>(new Map());
	const show = useCallback((next: Lines) => {
		setLines((now) => (now.x === next.x && now.y === next.y ? now : next));
	}, []);
	const guide = useCallback(
		(changes: NodeChange<BoardNode>[]): NodeChange<BoardNode>[] => {
			const moves = changes.filter(
				(change): change is NodePositionChange =>
					change.type === "position" && change.position !== undefined,
			);
			const [move] = moves;
			if (!move?.position) return changes;
			if (!move.dragging) {
				// Where the drag ended is where it was shown.
				const ends = last.current;
				others.current = null;
				last.current = new Map();
				show(NO_LINES);
				return changes.map((change) => {
					const position = change.type === "position" && ends.get(change.id);
					return position ? { ...change, position } : change;
				});
			}
			if (moves.length > 1) return changes;
			others.current ??= inView(flow, move.id);
			const size = cardOf(flow, move.id)?.size ?? { width: 0, height: 0 };
			const found = guidesFor({ ...move.position, ...size }, others.current, NEAR);
			last.current = new Map([[move.id, found.position]]);
			show(found);
			return changes.map((change) =>
				change === move ? { ...move, position: found.position } : change,
			);
		},
		[flow, show],
	);
	return { guide, lines };
}

/** The other nodes that can be seen: found once for a drag. */
function inView(flow: ReactFlowInstance, moved: string): Box[] {
	const board = document.querySelector(".board .react-flow")?.getBoundingClientRect();
	if (!board) return [];
	const start = flow.screenToFlowPosition({ x: board.left, y: board.top });
	const end = flow.screenToFlowPosition({ x: board.right, y: board.bottom });
	return flow
		.getNodes()
		.filter(({ id }) => id !== moved)
		.map(({ position, measured }) => ({
			...position,
			width: measured?.width ?? 0,
			height: measured?.height ?? 0,
		}))
		.filter(
			({ x, y, width, height }) =>
				x < end.x && x + width > start.x && y < end.y && y + height > start.y,
		);
}

const FAR = 100_000;

export function GuideLines({ lines: { x, y } }: { lines: Lines }) {
	if (x === null && y === null) return null;
	return (
		<ViewportPortal>
			{x !== null && (
				<div className="guide guide-x" style={{ left: x, top: -FAR, height: 2 * FAR }} />
			)}
			{y !== null && (
				<div className="guide guide-y" style={{ top: y, left: -FAR, width: 2 * FAR }} />
			)}
		</ViewportPortal>
	);
}
