// A wire, with the button in its middle that puts a step into it.

import { BaseEdge, EdgeLabelRenderer, type EdgeProps, getBezierPath } from "@xyflow/react";
import { memo } from "react";
import { onWire } from "../graph";
import { useBoard, useEditor, useStores } from "../store/hooks";
import { Icon } from "./Icon";

export const WireEdge = memo(function WireEdge(props: EdgeProps) {
	const [path, x, y] = getBezierPath(props);
	const isHovered = useBoard((state) => state.hovered === props.id);
	const isChosen = useEditor(
		({ selection }) => selection.edges.length === 1 && selection.edges[0] === props.id,
	);
	return (
		<>
			<BaseEdge path={path} interactionWidth={props.interactionWidth ?? 20} />
			{(isHovered || isChosen) && <Plus id={props.id} x={x} y={y} />}
		</>
	);
});

function Plus({ id, x, y }: { id: string; x: number; y: number }) {
	const { board, editor } = useStores();
	const isQuiet = useEditor((state) => state.readOnly || state.loose !== null);
	if (isQuiet) return null;
	return (
		<EdgeLabelRenderer>
			<button
				type="button"
				className="plus plus-wire nodrag nopan"
				style={{ translate: `calc(${x}px - 50%) calc(${y}px - 50%)` }}
				aria-label="Add a step into this wire"
				title="Add a step into this wire"
				onMouseEnter={() => board.getState().hover(id)}
				onMouseLeave={() => board.getState().unhover()}
				onClick={(event) => {
					event.stopPropagation();
					const place = onWire(editor.getState().graph, id);
					const { left, bottom } = event.currentTarget.getBoundingClientRect();
					if (place) board.getState().open({ kind: "add", place, at: { x: left, y: bottom + 6 } });
				}}
			>
				<Icon name="plus" />
			</button>
		</EdgeLabelRenderer>
	);
}
