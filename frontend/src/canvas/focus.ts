// Giving the keyboard's focus to what is drawn, and finding out what has it.

import type { ReactFlowInstance } from "@xyflow/react";
import { cardOf } from "./sizes";

type Flow = ReactFlowInstance;

const FRAMES = 20;
/** How long a level may take to be on the board. */
const MOST_FRAMES = 60;

export function nodeElement(id: string): HTMLElement | null {
	return document.querySelector(`.react-flow__node[data-id="${CSS.escape(id)}"]`);
}

/** Where the Tab key enters the board. */
function focusBoard(): void {
	document
		.querySelector<HTMLElement>(".react-flow__node[tabindex='0']")
		?.focus({ preventScroll: true });
}

/** What has the focus is about to go: the board takes it, unless something else does. */
export function handFocusOn(): void {
	requestAnimationFrame(() => {
		if (document.activeElement === document.body) focusBoard();
	});
}

function wireElement(id: string): SVGElement | null {
	return document.querySelector(`.react-flow__edge[data-id="${CSS.escape(id)}"]`);
}

/** The node that has the focus, or holds what has it. */
export function focusedNode(): string {
	const node = document.activeElement?.closest<HTMLElement>(".react-flow__node");
	return node?.dataset.id ?? "";
}

export function focusedWire(): string {
	const wire = document.activeElement?.closest(".react-flow__edge");
	return wire?.getAttribute("data-id") ?? "";
}

/** The node's element, once it was measured: before that it is hidden, and takes no focus. */
function shownNode(id: string): HTMLElement | null {
	const element = nodeElement(id);
	return element?.style.visibility === "hidden" ? null : element;
}

/** Calls back when the node of a level that was just opened can take the focus; never at once,
 * because what is on the board then is still the level before, with nodes of the same ids. */
export function whenShown(id: string, then: (node: HTMLElement | null) => void): void {
	const look = (frames: number) => {
		const element = shownNode(id);
		if (element || frames === 0) then(element);
		else requestAnimationFrame(() => look(frames - 1));
	};
	requestAnimationFrame(() => look(MOST_FRAMES));
}

/** Bring the node into view if it is not, and give it the focus when it is there. */
export function focusNode(flow: Flow, id: string, frames = FRAMES): void {
	const element = shownNode(id);
	if (!element) {
		bringIntoView(flow, id);
		if (frames > 0) requestAnimationFrame(() => focusNode(flow, id, frames - 1));
		return;
	}
	bringIntoView(flow, id);
	element.focus({ preventScroll: true });
}

export function focusWire(id: string): void {
	wireElement(id)?.focus({ preventScroll: true });
}

function bringIntoView(flow: Flow, id: string): void {
	const node = cardOf(flow, id);
	const board = document.querySelector(".board .react-flow")?.getBoundingClientRect();
	if (!node || !board) return;
	const { width, height } = node.size;
	const start = flow.flowToScreenPosition(node.position);
	const end = flow.flowToScreenPosition({
		x: node.position.x + width,
		y: node.position.y + height,
	});
	const isSeen =
		start.x >= board.left && end.x <= board.right && start.y >= board.top && end.y <= board.bottom;
	if (isSeen) return;
	void flow.setCenter(node.position.x + width / 2, node.position.y + height / 2, {
		zoom: flow.getZoom(),
	});
}
