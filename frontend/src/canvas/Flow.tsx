// The drawing board: our graph as React Flow shows it, and its gestures as our actions.

import {
	applyNodeChanges,
	Background,
	BackgroundVariant,
	Controls,
	type EdgeChange,
	type Edge as FlowEdge,
	MiniMap,
	type NodeChange,
	ReactFlow,
	useReactFlow,
	useStore,
} from "@xyflow/react";
import { type FocusEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { first, GRID, type Graph, moveNodes, nodeById, type Position } from "../graph";
import { type BoardNode, edgeTypes, nodeTypes } from "../nodes";
import { useEditor, useStores } from "../store/hooks";
import { FIT, FIT_NOW } from "./fit";
import { gesturesOn } from "./gestures";
import { GuideLines, useGuides } from "./guides";
import { showEdges, showNodes } from "./shown";

const ARIA = {
	"node.a11yDescription.default":
		"Arrow keys go to other nodes, with Shift they move this one. Enter opens it beside the canvas, W draws a wire, Delete removes it. The question mark tells all keys.",
	"edge.a11yDescription.default":
		"Left and right lead to its nodes, up and down to the wires beside it. Slash puts a step into it, Delete removes it.",
};
/** Below this scale nobody can read a row. */
const FAR = 0.3;
/** Below this one the rows are so near to each other that their buttons are no targets. */
const SMALL = 0.85;
const SNAP: [number, number] = [GRID, GRID];
const ADDS_TO_SELECTION = ["Shift", "Control", "Meta"];

export function Flow() {
	const { editor, offers, board } = useStores();
	const graph = useEditor((state) => state.graph);
	const selection = useEditor((state) => state.selection);
	const readOnly = useEditor((state) => state.readOnly);
	const problems = useEditor((state) => state.here);
	const flow = useReactFlow();
	const isFar = useStore((state) => state.transform[2] < FAR);
	const isSmall = useStore((state) => state.transform[2] < SMALL);
	const dragged = useRef(false);
	const [focused, setFocused] = useState("");
	const stop = stopOf(graph, selection.nodes, focused);
	const { guide, lines } = useGuides(flow);
	const [nodes, setNodes] = useState<BoardNode[]>(() => showNodes([], graph, selection, stop));
	useEffect(
		() => setNodes((shown) => showNodes(shown, graph, selection, stop)),
		[graph, selection, stop],
	);
	const wrong = useMemo(() => new Set(problems.map((problem) => problem.edge)), [problems]);
	const shownEdges = useRef<FlowEdge[]>([]);
	const edges = useMemo(() => {
		shownEdges.current = showEdges(shownEdges.current, graph, selection, wrong);
		return shownEdges.current;
	}, [graph, selection, wrong]);

	const onNodesChange = useCallback(
		(wanted: NodeChange<BoardNode>[]) => {
			const changes = guide(wanted);
			setNodes((shown) =>
				applyNodeChanges(
					changes.filter((change) => change.type === "position" || change.type === "dimensions"),
					shown,
				),
			);
			const moved = new Map<string, Position>();
			const nodes = new Set(editor.getState().selection.nodes);
			let selects = false;
			for (const change of changes) {
				if (change.type === "select") {
					selects = true;
					if (change.selected) nodes.add(change.id);
					else nodes.delete(change.id);
				}
				if (change.type === "position" && change.dragging) dragged.current = true;
				if (change.type === "position" && !change.dragging && change.position) {
					moved.set(change.id, change.position);
				}
			}
			if (selects) editor.getState().select([...nodes], editor.getState().selection.edges);
			if (moved.size > 0) {
				// A drag is one entry of the history; so are arrow keys in a row.
				const mark = dragged.current ? "" : `nudge:${[...moved.keys()].join()}`;
				dragged.current = false;
				editor.getState().change((present) => moveNodes(present, moved), mark);
			}
		},
		[editor, guide],
	);
	const onEdgesChange = useCallback(
		(changes: EdgeChange[]) => {
			const chosen = new Set(editor.getState().selection.edges);
			for (const change of changes) {
				if (change.type !== "select") continue;
				if (change.selected) chosen.add(change.id);
				else chosen.delete(change.id);
			}
			editor.getState().select(editor.getState().selection.nodes, [...chosen]);
		},
		[editor],
	);
	const onFocus = useCallback((event: FocusEvent) => {
		const node = event.target.closest<HTMLElement>(".react-flow__node");
		if (node?.dataset.id) setFocused(node.dataset.id);
	}, []);
	// Made once: another function would have React Flow draw every node and wire anew.
	const gestures = useMemo(
		() => gesturesOn({ editor, board, offers, flow }),
		[editor, board, offers, flow],
	);

	return (
		<ReactFlow
			className={`${isFar ? "is-far" : ""} ${isSmall ? "is-small" : ""}`}
			nodes={nodes}
			edges={edges}
			nodeTypes={nodeTypes}
			edgeTypes={edgeTypes}
			onNodesChange={onNodesChange}
			onEdgesChange={onEdgesChange}
			{...gestures}
			onFocus={onFocus}
			zoomOnDoubleClick={false}
			multiSelectionKeyCode={ADDS_TO_SELECTION}
			nodesDraggable={!readOnly}
			nodesConnectable={!readOnly}
			edgesReconnectable={!readOnly}
			deleteKeyCode={null}
			snapToGrid
			snapGrid={SNAP}
			minZoom={0.1}
			maxZoom={2}
			fitView
			fitViewOptions={FIT_NOW}
			connectionRadius={26}
			onlyRenderVisibleElements={graph.nodes.length > 200}
			ariaLabelConfig={ARIA}
			proOptions={{ hideAttribution: true }}
		>
			<Background variant={BackgroundVariant.Dots} gap={20} size={1.4} />
			<MiniMap
				pannable
				zoomable
				ariaLabel="Map of the pipeline"
				className="minimap"
				nodeClassName={classOnMap}
			/>
			<GuideLines lines={lines} />
			<Controls showInteractive={false} fitViewOptions={FIT} position="bottom-left" />
		</ReactFlow>
	);
}

/** Notes are there on the map too, faintly. */
function classOnMap({ type }: BoardNode): string {
	return type === "note" ? "is-note" : "";
}

/** The node where the Tab key stops: the one that has the focus, else what is selected. */
function stopOf(graph: Graph, chosen: readonly string[], focused: string): string {
	const isFree = chosen.length === 0 || chosen.includes(focused);
	if (isFree && nodeById(graph, focused)) return focused;
	return chosen[0] ?? first(graph);
}
