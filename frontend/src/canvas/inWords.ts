// From the canvas to the outline: the same level, the same step.

import { outlineOf } from "../graph/outline";
import { focusedNode } from "./focus";
import type { Canvas } from "./keys";

/** Save, and show in words what is shown here. */
export async function readInWords({ editor, saver, page }: Canvas): Promise<void> {
	const { path, selection } = editor.getState();
	const node = focusedNode() || (selection.nodes[0] ?? "");
	await saver.getState().saveNow();
	window.location.assign(`${page.urls.outline}${outlineOf(path, node)}`);
}
