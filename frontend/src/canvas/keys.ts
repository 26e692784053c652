// Keys of the canvas as a table.

import { useReactFlow } from "@xyflow/react";
import { useEffect } from "react";
import { useStores } from "../store/hooks";
import { FIT } from "./fit";

/** Listens on the whole page, and leaves text boxes alone. */
export function useKeys(openInspector: () => void): void {
	const { editor, saver } = useStores();
	const flow = useReactFlow();
	useEffect(() => {
		const doing = () => editor.getState();
		const withControl: Record<string, () => void> = {
			z: () => doing().undo(),
			"shift+z": () => doing().redo(),
			y: () => doing().redo(),
			a: () => doing().selectAll(),
			c: () => doing().copy(),
			v: () => doing().paste(),
			d: () => doing().duplicate(),
		};
		const alone: Record<string, () => void> = {
			delete: () => doing().removeSelected(),
			backspace: () => doing().removeSelected(),
			escape: () => doing().select([]),
			f: () => void flow.fitView(FIT),
			"/": () => document.getElementById("palette-search")?.focus(),
		};
		const onKey = (event: KeyboardEvent) => {
			const control = event.ctrlKey || event.metaKey;
			if (control && event.key.toLowerCase() === "s") {
				event.preventDefault();
				void saver.getState().saveNow();
				return;
			}
			const target = event.target instanceof HTMLElement ? event.target : null;
			if (event.altKey || target?.closest("input, textarea, select, dialog, [contenteditable]"))
				return;
			const node = target?.closest<HTMLElement>(".react-flow__node");
			if (event.key === "Enter" && node?.dataset.id) {
				event.preventDefault();
				doing().select([node.dataset.id]);
				openInspector();
				return;
			}
			// A selected text is what people want to copy then.
			if (control && event.key === "c" && !window.getSelection()?.isCollapsed) return;
			const key = `${control && event.shiftKey ? "shift+" : ""}${event.key.toLowerCase()}`;
			const action = (control ? withControl : alone)[key];
			if (!action) return;
			event.preventDefault();
			action();
		};
		document.addEventListener("keydown", onKey);
		return () => document.removeEventListener("keydown", onKey);
	}, [editor, saver, flow, openInspector]);
}
