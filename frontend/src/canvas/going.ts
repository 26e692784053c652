// Going about on the board by keyboard: from node to node, along wires, into the panel and back.

import { besideWire, convertersFor, GRID, nodeById, type Way, walk, wiresOf } from "../graph";
import { leaveLevel } from "../store/levels";
import { focusedNode, focusedWire, focusNode, focusWire } from "./focus";
import type { Canvas } from "./keys";
import { sizesOf } from "./sizes";

/** The node that has the focus, else the one that is selected. */
export function chosenNode({ editor }: Pick<Canvas, "editor">): string {
	return focusedNode() || (editor.getState().selection.nodes[0] ?? "");
}

/** What has the focus and is not selected yet is what the key is meant for. */
export function takeFocused({ editor }: Canvas): void {
	const { selection, select } = editor.getState();
	const [node, wire] = [focusedNode(), focusedWire()];
	if (node && !selection.nodes.includes(node)) select([node]);
	if (wire && !selection.edges.includes(wire)) select([], [wire]);
}

export function go(canvas: Canvas, way: Way): void {
	const { editor, flow } = canvas;
	const { graph, select, say } = editor.getState();
	const wire = focusedWire();
	if (wire) {
		alongWire(canvas, wire, way);
		return;
	}
	const from = chosenNode(canvas);
	const to = walk(graph, from, way, sizesOf(flow));
	if (!to) {
		say(`Nothing lies ${way === "up" ? "above" : way === "down" ? "below" : `to the ${way}`}.`);
		return;
	}
	select([to]);
	focusNode(flow, to);
}

function alongWire({ editor, flow }: Canvas, id: string, way: Way): void {
	const { graph, select } = editor.getState();
	const edge = graph.edges.find((one) => one.id === id);
	if (!edge) return;
	if (way === "up" || way === "down") {
		const next = besideWire(graph, id, way === "up" ? -1 : 1);
		select([], [next]);
		focusWire(next);
		return;
	}
	const node = way === "left" ? edge.source : edge.target;
	select([node]);
	focusNode(flow, node);
}

export function toWire(canvas: Canvas): void {
	const { graph, select, say } = canvas.editor.getState();
	const [edge] = wiresOf(graph, chosenNode(canvas));
	if (!edge) {
		say("The node has no wires.");
		return;
	}
	select([], [edge.id]);
	focusWire(edge.id);
}

export function openFocused(canvas: Canvas): unknown {
	takeFocused(canvas);
	if (!focusedNode() && !focusedWire()) return false;
	canvas.openInspector();
	return true;
}

export function leave({ editor, flow }: Canvas): void {
	const { selection, select, forgetFix } = editor.getState();
	const [node] = selection.nodes;
	const active = document.activeElement;
	// A button that is gone after its press leaves the focus nowhere.
	const isNowhere = !active || active.querySelector(".react-flow") !== null;
	if (node && (isNowhere || active.closest(".inspector"))) {
		focusNode(flow, node);
		return;
	}
	forgetFix();
	if (selection.nodes.length + selection.edges.length === 0 && leaveLevel(editor)) return;
	select([]);
}

const STEPS: Readonly<Record<Way, { x: number; y: number }>> = {
	left: { x: -GRID, y: 0 },
	right: { x: GRID, y: 0 },
	up: { x: 0, y: -GRID },
	down: { x: 0, y: GRID },
};

export function nudge(canvas: Canvas, way: Way): void {
	takeFocused(canvas);
	canvas.editor.getState().nudge(STEPS[way]);
}

export function removeChosen(canvas: Canvas): void {
	const { editor, flow } = canvas;
	const { readOnly } = editor.getState();
	if (readOnly) return;
	takeFocused(canvas);
	const { graph, selection } = editor.getState();
	const gone = new Set(selection.nodes);
	const [first = ""] = selection.nodes;
	const wire = graph.edges.find(({ id }) => id === selection.edges[0]);
	const ways = ["left", "up", "right", "down"] as const;
	const near = ways.map((way) => walk(graph, first, way, sizesOf(flow)));
	const next = first ? near.find((id) => id && !gone.has(id)) : wire?.source;
	const hadFocus = focusedNode() || focusedWire();
	editor.getState().removeSelected();
	if (hadFocus && next && nodeById(editor.getState().graph, next)) focusNode(flow, next);
}

/** The wire that was refused last, or the selected one that is wrong. */
export function convertRefused({ editor, flow }: Canvas): unknown {
	const { said, selection, graph, convert } = editor.getState();
	const wire = graph.edges.find(({ id }) => id === selection.edges[0]);
	const [converter] = wire ? convertersFor(graph, wire) : [];
	const fix = wire && converter ? { wire, converter } : said.fix;
	if (!fix) return false;
	const id = convert(fix);
	if (id) focusNode(flow, id);
	return true;
}
