// What hands do on the board, as our actions: wires drawn and dropped, offers dropped, clicks.

import type {
	Connection,
	Edge as FlowEdge,
	IsValidConnection,
	Node,
	OnConnectEnd,
	OnConnectStart,
	ReactFlowInstance,
} from "@xyflow/react";
import type { DragEvent, MouseEvent as ReactMouseEvent } from "react";
import {
	CARD_WIDTH,
	connect,
	convertersFor,
	disconnect,
	freeSpot,
	type Graph,
	inputFor,
	isStep,
	nodeById,
	onWire,
	type Position,
	refusal,
	toGrid,
	type Wire,
} from "../graph";
import type { Loose } from "../store/editor";
import type { Stores } from "../store/hooks";
import { openFirstPart } from "../store/levels";
import { OFFER_MIME } from "./Palette";

interface Hands extends Pick<Stores, "editor" | "board" | "offers"> {
	readonly flow: ReactFlowInstance;
}

/** From the pointer to the upper left corner of a card that is put there. */
const CORNER = { x: CARD_WIDTH / 2, y: 24 };

/** The handlers of the board; they hold nothing, so they never change. */
export function gesturesOn({ editor, board, offers, flow }: Hands) {
	const doing = () => editor.getState();
	const onConnectStart: OnConnectStart = (_, { nodeId, handleId, handleType }) => {
		if (!nodeId || !handleId || !handleType) return;
		const role = handleType === "source" ? "output" : "input";
		doing().setLoose({ node: nodeId, field: fieldOf(handleId), role });
	};
	const onConnectEnd: OnConnectEnd = (event, state) => {
		const { loose, graph } = doing();
		doing().setLoose(null);
		if (state.isValid || !loose) return;
		const point = pointOf(event);
		const wire = wireUnder(point, loose, graph);
		if (wire) doing().wire(wire);
		else if (isPane(document.elementFromPoint(point.x, point.y))) askWhatToAdd(loose, point);
	};
	/** A wire that is dropped on the empty board asks what should be there. */
	const askWhatToAdd = ({ node, field, role }: Loose, point: Position) => {
		const { x, y } = flow.screenToFlowPosition(point);
		const at = toGrid({ x: role === "input" ? x - CARD_WIDTH : x, y: y - 80 });
		const end = { node, field };
		const place = role === "output" ? { from: end, at } : { into: end, at };
		board.getState().open({ kind: "add", place, at: point });
	};
	const spotAt = (point: Position) => {
		const { x, y } = flow.screenToFlowPosition(point);
		return toGrid({ x: x - CORNER.x, y: y - CORNER.y });
	};
	const isValidConnection: IsValidConnection = (connection) =>
		refusal(doing().graph, toWire(connection)) === "";
	return {
		onConnectStart,
		onConnectEnd,
		onClickConnectStart: onConnectStart,
		onClickConnectEnd: () => doing().setLoose(null),
		isValidConnection,
		onConnect: (connection: Connection) => {
			doing().wire(toWire(connection));
		},
		onReconnect: (old: FlowEdge, connection: Connection) => {
			const wire = toWire(connection);
			const without = disconnect(doing().graph, old.id);
			const reason = refusal(without, wire);
			const [converter] = reason ? convertersFor(without, wire) : [];
			if (reason) doing().say(reason, "refusal", converter && { wire, converter });
			else doing().change(() => connect(without, wire));
		},
		onDragOver: (event: DragEvent) => {
			if (!event.dataTransfer.types.includes(OFFER_MIME)) return;
			event.preventDefault();
			event.dataTransfer.dropEffect = "copy";
		},
		onDrop: (event: DragEvent) => {
			const offer = offers.find(({ key }) => key === event.dataTransfer.getData(OFFER_MIME));
			if (!offer) return;
			event.preventDefault();
			const point = { x: event.clientX, y: event.clientY };
			const wire = document.elementFromPoint(point.x, point.y)?.closest(".react-flow__edge");
			const place = wire && onWire(doing().graph, wire.getAttribute("data-id") ?? "");
			if (place) doing().insert(offer.blank, place);
			else doing().add(offer.blank, freeSpot(doing().graph, spotAt(point)));
		},
		onDoubleClick: (event: ReactMouseEvent) => {
			if (doing().readOnly || !isPane(event.target)) return;
			const point = { x: event.clientX, y: event.clientY };
			board.getState().open({ kind: "add", place: { at: spotAt(point) }, at: point });
		},
		onNodeDoubleClick: (_: ReactMouseEvent, node: Node) => {
			openFirstPart(editor, node.id);
		},
		onPaneClick: () => doing().select([]),
		onEdgeMouseEnter: (_: ReactMouseEvent, edge: FlowEdge) => board.getState().hover(edge.id),
		onEdgeMouseLeave: () => board.getState().unhover(),
	};
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

function isPane(target: unknown): boolean {
	return target instanceof Element && target.classList.contains("react-flow__pane");
}

function pointOf(event: MouseEvent | TouchEvent): Position {
	const { clientX: x = 0, clientY: y = 0 } =
		"changedTouches" in event ? (event.changedTouches[0] ?? {}) : event;
	return { x, y };
}

/** The wire that somebody meant who let go over a row or the middle of a node. */
function wireUnder(point: Position, loose: Loose, graph: Graph): Wire | null {
	const under = document.elementFromPoint(point.x, point.y);
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
