// Listens for the keys and for the clipboard on the whole page, and leaves text boxes alone.

import { useReactFlow } from "@xyflow/react";
import { useEffect } from "react";
import { useStores } from "../store/hooks";
import { focusedNode } from "./focus";
import { actionFor, type Canvas, keyOf } from "./keys";
import { followPointer, pointerOnBoard } from "./places";

/** Where keys are not the board's: a comparison lies over it, with nodes of the same ids. */
const TEXT_BOXES =
	"input, textarea, select, dialog, .chooser, .diff-board, [contenteditable]:not([contenteditable=false])";

/** Whether people are writing, or have marked a text that they would like to copy. */
function isTyping(target: EventTarget | null): boolean {
	return target instanceof Element && target.closest(TEXT_BOXES) !== null;
}

function hasMarkedText(): boolean {
	return window.getSelection()?.isCollapsed === false;
}

/** The board has the focus, or nothing has. */
function isOnBoard(): boolean {
	const active = document.activeElement;
	// A click on the empty board gives the focus to what is around it.
	if (!active || active.querySelector(".react-flow")) return true;
	if (active.closest("button, a, summary")) return false;
	return active.closest(".react-flow") !== null;
}

export function useKeys(openInspector: () => void): void {
	const stores = useStores();
	const flow = useReactFlow();
	useEffect(() => {
		const canvas: Canvas = { ...stores, flow, openInspector };
		const onKey = (event: KeyboardEvent) => onCanvasKey(canvas, event);
		// Before React Flow, which would move nodes by arrow keys.
		document.addEventListener("keydown", onKey, true);
		document.addEventListener("pointermove", followPointer, { passive: true });
		return () => {
			document.removeEventListener("keydown", onKey, true);
			document.removeEventListener("pointermove", followPointer);
		};
	}, [stores, flow, openInspector]);
	useClipboard();
}

function onCanvasKey(canvas: Canvas, event: KeyboardEvent): void {
	const key = keyOf(event);
	if (key === "Ctrl+S") {
		event.preventDefault();
		void canvas.saver.getState().saveNow();
		return;
	}
	const isLeaving = key === "Escape" && isInPanel(event.target);
	if (!isLeaving && isTyping(event.target)) return;
	const action = actionFor(key);
	if (!action || (action.onBoard && !isOnBoard())) return;
	if (event.defaultPrevented || action.run(canvas) === false) return;
	event.preventDefault();
	event.stopPropagation();
}

/** Escape leads from the panel to the node, but first closes what is open in it. */
function isInPanel(target: EventTarget | null): boolean {
	if (!(target instanceof Element)) return false;
	return target.closest(".inspector") !== null && target.closest("dialog, [role=dialog]") === null;
}

/** The browser's own events of copying and pasting, which need nobody's permission. */
function useClipboard(): void {
	const { editor } = useStores();
	const flow = useReactFlow();
	useEffect(() => {
		let withIncoming = false;
		const isOurs = (event: Event) => !isTyping(event.target) && !isTyping(document.activeElement);
		const take = (event: ClipboardEvent, read: () => string) => {
			if (!isOurs(event) || hasMarkedText()) return;
			const node = focusedNode();
			if (node && !editor.getState().selection.nodes.includes(node)) {
				editor.getState().select([node]);
			}
			const text = read();
			if (!text) return;
			event.preventDefault();
			event.clipboardData?.setData("text/plain", text);
		};
		const onCopy = (event: ClipboardEvent) => take(event, () => editor.getState().copy());
		const onCut = (event: ClipboardEvent) => take(event, () => editor.getState().cut());
		const onPaste = (event: ClipboardEvent) => {
			if (!isOurs(event)) return;
			event.preventDefault();
			const point = pointerOnBoard();
			const at = point && flow.screenToFlowPosition(point);
			const text = event.clipboardData?.getData("text/plain");
			editor.getState().paste(text, { ...(at ? { at } : {}), withIncoming });
		};
		const onKey = (event: KeyboardEvent) => {
			if (event.key.toLowerCase() === "v") withIncoming = event.shiftKey;
		};
		// React Flow keeps what is marked when somebody clicks on the board.
		const onPress = (event: PointerEvent) => {
			if (event.target instanceof Element && event.target.closest(".react-flow")) {
				window.getSelection()?.removeAllRanges();
			}
		};
		document.addEventListener("copy", onCopy);
		document.addEventListener("cut", onCut);
		document.addEventListener("paste", onPaste);
		document.addEventListener("keydown", onKey, true);
		document.addEventListener("pointerdown", onPress, true);
		return () => {
			document.removeEventListener("copy", onCopy);
			document.removeEventListener("cut", onCut);
			document.removeEventListener("paste", onPaste);
			document.removeEventListener("keydown", onKey, true);
			document.removeEventListener("pointerdown", onPress, true);
		};
	}, [editor, flow]);
}
