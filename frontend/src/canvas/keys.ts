// The keys of the canvas as a table: what is pressed, in words what it does, and doing it.

import type { ReactFlowInstance } from "@xyflow/react";
import type { Way } from "../graph";
import type { Stores } from "../store/hooks";
import { AXES, alignChosen, SIDES, spreadChosen, tidyUp } from "./arranging";
import { FIT } from "./fit";
import {
	chosenNode,
	convertRefused,
	go,
	leave,
	nudge,
	openFocused,
	removeChosen,
	takeFocused,
	toWire,
} from "./going";
import { readInWords } from "./inWords";
import { LEVEL_KEYS } from "./levelKeys";
import { openAdd, openWires } from "./places";
import { RUN_KEYS } from "./runKeys";

/** What an action may use. */
export interface Canvas extends Stores {
	readonly flow: ReactFlowInstance;
	openInspector(): void;
}

export type Group =
	| "Adding and wiring"
	| "Going about"
	| "Running"
	| "Editing"
	| "Arranging"
	| "Looking";

export interface Keyed {
	/** As `keyOf` writes them. */
	readonly keys: readonly string[];
	readonly words: string;
	readonly group: Group;
	/** Only when the focus is on the board, or on nothing. */
	readonly onBoard?: boolean;
	/** `false`: not now, let the browser have the key. */
	run(canvas: Canvas): unknown;
}

const WAYS: readonly (readonly [Way, string])[] = [
	["left", "To the node before, along its wire"],
	["right", "To the node after, along its wire"],
	["up", "To the node above"],
	["down", "To the node below"],
];

export const KEYS: readonly Keyed[] = [
	{
		keys: ["/"],
		words: "Search what to add, beside the node or into the wire that is selected",
		group: "Adding and wiring",
		run: openAdd,
	},
	{
		keys: ["W"],
		words: "Draw a wire from the node",
		group: "Adding and wiring",
		run: (canvas) => openWires(canvas, chosenNode(canvas)),
	},
	{
		keys: ["C"],
		words: "Put the conversion between that makes a refused wire legal",
		group: "Adding and wiring",
		run: convertRefused,
	},
	...WAYS.map(([way, words]) => ({
		keys: [arrow(way)],
		words,
		group: "Going about" as const,
		onBoard: true,
		run: (canvas: Canvas) => go(canvas, way),
	})),
	{
		keys: ["E"],
		words: "To the wires of the node; arrow keys lead on and back",
		group: "Going about",
		run: toWire,
	},
	{
		keys: ["Enter"],
		words: "Open what has the focus beside the canvas",
		group: "Going about",
		onBoard: true,
		run: openFocused,
	},
	{
		keys: ["Escape"],
		words: "From the panel back to the node; select nothing",
		group: "Going about",
		run: leave,
	},
	...WAYS.map(([way]) => ({
		keys: [`Shift+${arrow(way)}`],
		words: `Move what is selected one step ${way}`,
		group: "Editing" as const,
		onBoard: true,
		run: (canvas: Canvas) => nudge(canvas, way),
	})),
	{
		keys: ["Delete"],
		words: "Remove what is selected",
		group: "Editing",
		run: removeChosen,
	},
	{
		keys: ["Ctrl+Z"],
		words: "Undo",
		group: "Editing",
		run: ({ editor }) => editor.getState().undo(),
	},
	{
		keys: ["Ctrl+Y", "Ctrl+Shift+Z"],
		words: "Redo",
		group: "Editing",
		run: ({ editor }) => editor.getState().redo(),
	},
	{
		keys: ["Ctrl+A"],
		words: "Select everything",
		group: "Editing",
		run: ({ editor }) => editor.getState().selectAll(),
	},
	{
		keys: ["Ctrl+D"],
		words: "Duplicate",
		group: "Editing",
		run: (canvas) => {
			takeFocused(canvas);
			canvas.editor.getState().duplicate();
		},
	},
	...LEVEL_KEYS,
	...RUN_KEYS,
	...aligning(),
	{
		keys: ["Ctrl+Shift+L"],
		words: "Tidy up: everything, or the nodes that are selected",
		group: "Arranging",
		run: tidyUp,
	},
	{
		keys: ["O"],
		words: "The same in words: the outline",
		group: "Looking",
		run: (canvas) => void readInWords(canvas),
	},
	{
		keys: ["F"],
		words: "Show everything",
		group: "Looking",
		run: ({ flow }) => flow.fitView(FIT),
	},
	{
		keys: ["Shift+F"],
		words: "Show what is selected",
		group: "Looking",
		run: ({ flow, editor }) => {
			const nodes = editor.getState().selection.nodes.map((id) => ({ id }));
			return flow.fitView(nodes.length > 0 ? { ...FIT, nodes } : FIT);
		},
	},
	{ keys: ["+"], words: "Zoom in", group: "Looking", run: ({ flow }) => flow.zoomIn() },
	{ keys: ["-"], words: "Zoom out", group: "Looking", run: ({ flow }) => flow.zoomOut() },
	{ keys: ["0"], words: "Actual size", group: "Looking", run: ({ flow }) => flow.zoomTo(1) },
	{
		keys: ["?"],
		words: "These keys",
		group: "Looking",
		run: ({ board }) => board.getState().showKeys(true),
	},
];

/** What the browser's own events do; in the table of keys, not in the one of actions. */
export const CLIPBOARD_KEYS: readonly Pick<Keyed, "keys" | "words" | "group">[] = [
	{ keys: ["Ctrl+C"], words: "Copy, also for another pipeline or tab", group: "Editing" },
	{ keys: ["Ctrl+X"], words: "Cut", group: "Editing" },
	{ keys: ["Ctrl+V"], words: "Paste", group: "Editing" },
	{ keys: ["Ctrl+Shift+V"], words: "Paste with the wires that led into it", group: "Editing" },
	{ keys: ["Ctrl+S"], words: "Save now", group: "Editing" },
	{
		keys: ["F8", "Shift+F8"],
		words: "To the next problem, to the one before",
		group: "Going about",
	},
];

const LAST_LATIN = "\u024f";

/** `Ctrl+Shift+Z`, `Alt+A`, `Shift+F`, `?`: as the table writes what was pressed. */
export function keyOf(event: Pick<KeyboardEvent, "key" | "code" | Modifier>): string {
	// With Alt, or in Greek or Cyrillic, keyboards write other letters: the key's place counts.
	const isOther = event.altKey || (event.key.length === 1 && event.key > LAST_LATIN);
	const letter = isOther && /^Key[A-Z]$/.test(event.code) ? event.code.slice(3) : event.key;
	const key = letter.length === 1 ? letter.toUpperCase() : letter;
	const isSign = key.length === 1 && !/[A-Z]/.test(key);
	return [
		event.ctrlKey || event.metaKey ? "Ctrl" : "",
		event.altKey ? "Alt" : "",
		event.shiftKey && !isSign ? "Shift" : "",
		key === "=" ? "+" : key,
	]
		.filter(Boolean)
		.join("+");
}

type Modifier = "ctrlKey" | "metaKey" | "altKey" | "shiftKey";

const BY_KEY = new Map(KEYS.flatMap((keyed) => keyed.keys.map((key) => [key, keyed] as const)));

export function actionFor(key: string): Keyed | undefined {
	return BY_KEY.get(key);
}

function arrow(way: Way): string {
	return `Arrow${way.charAt(0).toUpperCase()}${way.slice(1)}`;
}

function aligning(): Keyed[] {
	return [
		...SIDES.map(({ name, key, words }) => ({
			keys: [key],
			words,
			group: "Arranging" as const,
			run: (canvas: Canvas) => alignChosen(canvas, name),
		})),
		...AXES.map(({ name, key, words }) => ({
			keys: [key],
			words,
			group: "Arranging" as const,
			run: (canvas: Canvas) => spreadChosen(canvas, name),
		})),
	];
}
