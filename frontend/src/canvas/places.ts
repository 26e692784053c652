// Where on the board a list opens, and where what is chosen from it will lie.

import { COLUMN, freeSpot, nodeById, onWire, portsOf, type Slot, toGrid } from "../graph";
import type { Point } from "../store/board";
import { focusedWire, nodeElement } from "./focus";
import { chosenNode } from "./going";
import type { Canvas } from "./keys";

let pointer: Point | null = null;

/** Remember where the pointer is, while it is over the empty board. */
export function followPointer(event: PointerEvent): void {
	const isOver = event.target instanceof Element && event.target.closest(".react-flow__pane");
	const onThing = event.target instanceof Element && event.target.closest(".react-flow__node");
	pointer = isOver && !onThing ? { x: event.clientX, y: event.clientY } : null;
}

/** Where the pointer is over the empty board; else nothing. */
export function pointerOnBoard(): Point | null {
	return pointer;
}

function middleOfBoard(): Point {
	const board = document.querySelector(".board")?.getBoundingClientRect();
	if (!board) return { x: 0, y: 0 };
	return { x: board.x + board.width / 2, y: board.y + board.height / 2 };
}

/** Open the search for a step: into the selected wire, beside the node, else where the pointer is. */
export function openAdd(canvas: Canvas): void {
	const { editor, board, flow } = canvas;
	const { graph, selection } = editor.getState();
	const wire = focusedWire() || (selection.edges.length === 1 ? (selection.edges[0] ?? "") : "");
	const onto = selection.nodes.length === 0 && wire ? onWire(graph, wire) : null;
	const show = (place: Slot, at: Point) => board.getState().open({ kind: "add", place, at });
	if (onto) {
		show(onto, besideWire(wire) ?? middleOfBoard());
		return;
	}
	const node = nodeById(graph, chosenNode(canvas));
	if (node) {
		const wanted = { x: node.position.x + COLUMN, y: node.position.y };
		show({ at: freeSpot(graph, wanted) }, besideNode(node.id));
		return;
	}
	const point = pointerOnBoard() ?? middleOfBoard();
	const { x, y } = flow.screenToFlowPosition(point);
	show({ at: freeSpot(graph, toGrid({ x: x - 120, y: y - 60 })) }, point);
}

/** Open the lists for a wire that begins at the node. */
export function openWires({ editor, board }: Canvas, id: string): void {
	const { graph, readOnly, say } = editor.getState();
	const node = nodeById(graph, id);
	if (readOnly) return;
	if (!node) say("Choose a node first: its wire is drawn from there.");
	else if (portsOf(node).length === 0) say(`${node.name} has no fields yet.`, "refusal");
	else board.getState().open({ kind: "wire", node: id, at: besideNode(id) });
}

function besideNode(id: string): Point {
	const card = nodeElement(id)?.getBoundingClientRect();
	return card ? { x: card.right + 12, y: card.top } : middleOfBoard();
}

function besideWire(id: string): Point | null {
	const wire = document.querySelector(`.react-flow__edge[data-id="${CSS.escape(id)}"]`);
	const box = wire?.getBoundingClientRect();
	return box ? { x: box.x + box.width / 2, y: box.y + box.height / 2 + 16 } : null;
}
