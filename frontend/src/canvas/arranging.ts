// Putting nodes in order: in line, evenly spread, in columns.

import { type Along, align, distribute, type Side, tidy } from "../graph";
import type { IconName } from "../nodes/Icon";
import { FIT } from "./fit";
import type { Canvas } from "./keys";
import { sizesOf } from "./sizes";

/** A way to put nodes in order, under the keys that drawing programs know it by. */
interface Order<Name> {
	readonly name: Name;
	readonly key: string;
	readonly words: string;
	readonly icon: IconName;
}

export const SIDES: readonly Order<Side>[] = [
	{ name: "left", key: "Alt+A", words: "Align left", icon: "align_left" },
	{ name: "centre", key: "Alt+H", words: "Align centres", icon: "align_centre" },
	{ name: "right", key: "Alt+D", words: "Align right", icon: "align_right" },
	{ name: "top", key: "Alt+W", words: "Align top", icon: "align_top" },
	{ name: "middle", key: "Alt+V", words: "Align middles", icon: "align_middle" },
	{ name: "bottom", key: "Alt+S", words: "Align bottom", icon: "align_bottom" },
];
export const AXES: readonly Order<Along>[] = [
	{ name: "x", key: "Alt+Shift+H", words: "Spread from left to right", icon: "spread_x" },
	{ name: "y", key: "Alt+Shift+V", words: "Spread from top to bottom", icon: "spread_y" },
];

type Drawn = Pick<Canvas, "editor" | "flow">;

export function alignChosen({ editor, flow }: Drawn, side: Side): void {
	const { selection, change } = editor.getState();
	change((graph) => align(graph, selection.nodes, side, sizesOf(flow)));
}

export function spreadChosen({ editor, flow }: Drawn, along: Along): void {
	const { selection, change } = editor.getState();
	change((graph) => distribute(graph, selection.nodes, along, sizesOf(flow)));
}

export function tidyUp({ editor, flow }: Drawn): void {
	const { selection, change } = editor.getState();
	change((graph) => tidy(graph, sizesOf(flow), selection.nodes));
	if (selection.nodes.length < 2) requestAnimationFrame(() => void flow.fitView(FIT));
}
