// Keys for pipelines inside pipelines, for groups and for notes; a part of the table of keys.

import { isStep, nodeById } from "../graph";
import {
	groupSelected,
	leaveLevel,
	openFirstPart,
	putNote,
	ungroupSelected,
} from "../store/levels";
import { focusedNode, focusedWire } from "./focus";
import { removeChosen } from "./going";
import type { Canvas, Keyed } from "./keys";

export const LEVEL_KEYS: readonly Keyed[] = [
	{
		keys: ["Alt+ArrowDown"],
		words: "Into the pipeline inside of the node",
		group: "Going about",
		run: ({ editor }) => {
			const id = focusedNode() || (editor.getState().selection.nodes[0] ?? "");
			const node = nodeById(editor.getState().graph, id);
			if (!openFirstPart(editor, id) && (!node || !isStep(node))) {
				editor.getState().say("Nothing is inside of it.");
			}
		},
	},
	{
		keys: ["Alt+ArrowUp"],
		words: "Out to the pipeline around; so does Escape when nothing is selected",
		group: "Going about",
		run: ({ editor }) => {
			if (!leaveLevel(editor)) editor.getState().say("This is the whole pipeline.");
		},
	},
	{
		keys: ["Backspace"],
		words: "Out to the pipeline around, when nothing is selected",
		group: "Going about",
		run: (canvas) => {
			const { nodes, edges } = canvas.editor.getState().selection;
			const isIdle = nodes.length + edges.length === 0 && !focusedNode() && !focusedWire();
			if (!isIdle || !leaveLevel(canvas.editor)) removeChosen(canvas);
		},
	},
	{
		keys: ["Ctrl+G"],
		words: "Make one subpipeline of what is selected",
		group: "Editing",
		run: ({ editor }) => groupSelected(editor),
	},
	{
		keys: ["Ctrl+Shift+G"],
		words: "Take the selected subpipeline apart",
		group: "Editing",
		run: ({ editor }) => ungroupSelected(editor),
	},
	{ keys: ["N"], words: "Write a note", group: "Editing", run: writeNote },
];

/** A new note in the middle of what is seen, ready to be written. */
export function writeNote({ editor, view, flow }: Pick<Canvas, "editor" | "view" | "flow">): void {
	const board = document.querySelector(".react-flow")?.getBoundingClientRect();
	const middle = board
		? flow.screenToFlowPosition({ x: board.x + board.width / 2, y: board.y + board.height / 2 })
		: { x: 0, y: 0 };
	const id = putNote(editor, { x: middle.x - 110, y: middle.y - 40 });
	if (id) view.getState().writeNote(id);
}
