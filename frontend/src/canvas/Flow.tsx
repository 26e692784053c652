// The drawing board: our graph as React Flow shows it, and its gestures as our actions.

import {
	applyNodeChanges,
	Background,
	BackgroundVariant,
	type Connection,
	Controls,
	type EdgeChange,
	type Edge as FlowEdge,
	MiniMap,
	type NodeChange,
	type OnConnectEnd,
	type OnConnectStart,
	ReactFlow,
	useReactFlow,
} from "@xyflow/react";
import { type DragEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import {
	connect,
	disconnect,
	freeSpot,
	type Graph,
	inputFor,
	isStep,
	moveNodes,
	nodeById,
	type Position,
	portsOf,
	refusal,
	type Wire,
} from "../graph";
import { nodeTypes, typeClass } from "../nodes";
import type { CardNode } from "../nodes/NodeCard";
import type { Selection } from "../store/editor";
import { useEditor, useStores } from "../store/hooks";
import { FIT, FIT_NOW } from "./fit";
import { OFFER_MIME } from "./Palette";

const ARIA = {
	"node.a11yDescription.default":
		"Enter opens the node beside the canvas, where wires can be chosen from lists. Arrow keys move it, Delete removes it.",
	"edge.a11yDescription.default": "Enter selects the wire, Delete removes it.",
};

export function Flow() {
	const { editor, offers } = useStores();
	const graph = useEditor((state) => state.history.present);
	const selection = useEditor((state) => state.selection);
	const readOnly = useEditor((state) => state.readOnly);
	const problems = useEditor((state) => state.problems);
	const flow = useReactFlow();
	const dragged = useRef(false);
	const [nodes, setNodes] = useState<CardNode[]>(() => showNodes([], graph, selection));
	useEffect(() => setNodes((shown) => showNodes(shown, graph, selection)), [graph, selection]);
	const wrong = useMemo(() => new Set(problems.map((problem) => problem.edge)), [problems]);
	const shownEdges = useRef<FlowEdge[]>([]);
	const edges = useMemo(() => {
		shownEdges.current = showEdges(shownEdges.current, graph, selection, wrong);
		return shownEdges.current;
	}, [graph, selection, wrong]);

	const onNodesChange = useCallback(
		(changes: NodeChange<CardNode>[]) => {
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
		[editor],
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
	const onConnectStart = useCallback<OnConnectStart>(
		(_, { nodeId, handleId, handleType }) => {
			if (!nodeId || !handleId || !handleType) return;
			const role = handleType === "source" ? "output" : "input";
			editor.getState().setLoose({ node: nodeId, field: fieldOf(handleId), role });
		},
		[editor],
	);
	const onConnectEnd = useCallback<OnConnectEnd>(
		(event, state) => {
			const { loose } = editor.getState();
			editor.getState().setLoose(null);
			if (state.isValid || !loose) return;
			const wire = wireUnder(event, loose, editor.getState().history.present);
			if (wire) editor.getState().wire(wire);
		},
		[editor],
	);
	const onReconnect = useCallback(
		(old: FlowEdge, connection: Connection) => {
			const wire = toWire(connection);
			const without = disconnect(editor.getState().history.present, old.id);
			const reason = refusal(without, wire);
			if (reason) editor.getState().say(reason, "refusal");
			else editor.getState().change(() => connect(without, wire));
		},
		[editor],
	);
	const onDrop = (event: DragEvent) => {
		const offer = offers.find(({ key }) => key === event.dataTransfer.getData(OFFER_MIME));
		if (!offer) return;
		event.preventDefault();
		const { x, y } = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
		const spot = { x: Math.round((x - 120) / 20) * 20, y: Math.round((y - 24) / 20) * 20 };
		editor.getState().add(offer.blank, freeSpot(editor.getState().history.present, spot));
	};

	return (
		<ReactFlow
			nodes={nodes}
			edges={edges}
			nodeTypes={nodeTypes}
			onNodesChange={onNodesChange}
			onEdgesChange={onEdgesChange}
			onConnect={(connection) => editor.getState().wire(toWire(connection))}
			onConnectStart={onConnectStart}
			onConnectEnd={onConnectEnd}
			onClickConnectStart={onConnectStart}
			onClickConnectEnd={() => editor.getState().setLoose(null)}
			onReconnect={onReconnect}
			isValidConnection={(connection) =>
				refusal(editor.getState().history.present, toWire(connection)) === ""
			}
			onDrop={onDrop}
			onDragOver={(event) => {
				if (!event.dataTransfer.types.includes(OFFER_MIME)) return;
				event.preventDefault();
				event.dataTransfer.dropEffect = "copy";
			}}
			onPaneClick={() => editor.getState().select([])}
			nodesDraggable={!readOnly}
			nodesConnectable={!readOnly}
			edgesReconnectable={!readOnly}
			deleteKeyCode={null}
			snapToGrid
			snapGrid={[20, 20]}
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
			<MiniMap pannable zoomable ariaLabel="Map of the pipeline" className="minimap" />
			<Controls showInteractive={false} fitViewOptions={FIT} position="bottom-left" />
		</ReactFlow>
	);
}

function fieldOf(handle: string | null | undefined): string {
	return (handle ?? "").replace(/^(in|out):/, "");
}

function toWire(connection: Connection | FlowEdge): Wire {
	return {
		source: connection.source,
		source_field: fieldOf(connection.sourceHandle),
		target: connection.target,
		target_field: fieldOf(connection.targetHandle),
	};
}

/** The wire that somebody meant who let go over a row or the middle of a node. */
function wireUnder(
	event: MouseEvent | TouchEvent,
	loose: { node: string; field: string; role: "input" | "output" },
	graph: Graph,
): Wire | null {
	const point = "changedTouches" in event ? event.changedTouches[0] : event;
	const under = point && document.elementFromPoint(point.clientX, point.clientY);
	const node = under?.closest<HTMLElement>(".react-flow__node")?.dataset.id;
	if (!node || node === loose.node) return null;
	const [role, ...rest] = (under?.closest<HTMLElement>("[data-port]")?.dataset.port ?? "").split(
		":",
	);
	const field = role && role !== loose.role ? rest.join(":") : "";
	if (loose.role === "input") {
		return field
			? { source: node, source_field: field, target: loose.node, target_field: loose.field }
			: null;
	}
	const target_field =
		field || inputFor(graph, loose.node, loose.field, node) || firstInput(graph, node);
	return target_field
		? { source: loose.node, source_field: loose.field, target: node, target_field }
		: null;
}

/** For telling why nothing fits, any input will do. */
function firstInput(graph: Graph, id: string): string {
	const node = nodeById(graph, id);
	if (node?.kind === "output") return node.fields[0]?.name ?? "";
	if (!node || !isStep(node)) return "";
	return node.signature.fields.find(({ role }) => role === "input")?.name ?? "";
}

/** React Flow's nodes; what it has measured and is dragging stays. */
function showNodes(shown: CardNode[], graph: Graph, selection: Selection): CardNode[] {
	const before = new Map(shown.map((node) => [node.id, node]));
	const chosen = new Set(selection.nodes);
	return graph.nodes.map((node) => {
		const old = before.get(node.id);
		const selected = chosen.has(node.id);
		const position = old?.dragging ? old.position : node.position;
		if (old && old.data.node === node && old.selected === selected && old.position === position) {
			return old;
		}
		return {
			...old,
			id: node.id,
			type: "card" as const,
			position,
			selected,
			data: old?.data.node === node ? old.data : { node },
			ariaLabel: `${node.name}, ${node.kind.replaceAll("_", " ")}`,
		};
	});
}

/** React Flow's edges; one that looks as before stays the same object and is not drawn anew. */
function showEdges(
	shown: FlowEdge[],
	graph: Graph,
	selection: Selection,
	wrong: ReadonlySet<string>,
): FlowEdge[] {
	const before = new Map(shown.map((edge) => [edge.id, edge]));
	const chosen = new Set(selection.edges);
	const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
	return graph.edges.map((edge) => {
		const source = nodes.get(edge.source);
		const port =
			source &&
			portsOf(source).find(({ name, role }) => role === "output" && name === edge.source_field);
		const next = {
			id: edge.id,
			source: edge.source,
			target: edge.target,
			sourceHandle: `out:${edge.source_field}`,
			targetHandle: `in:${edge.target_field}`,
			selected: chosen.has(edge.id),
			className: wrong.has(edge.id) ? "is-wrong" : typeClass(port?.type ?? null),
			ariaLabel: `Wire from ${source?.name}.${edge.source_field} to ${nodes.get(edge.target)?.name}.${edge.target_field}`,
		};
		const old = before.get(edge.id);
		const keys = Object.keys(next) as (keyof typeof next)[];
		return old && keys.every((key) => old[key] === next[key]) ? old : next;
	});
}
