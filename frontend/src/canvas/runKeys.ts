// Keys that run something; a part of the table of keys.

import { isStep, lookUp } from "../graph";
import { type Goal, WHOLE } from "../store/goals";
import { whyNot } from "../store/obstacles";
import { focusedNode } from "./focus";
import type { Canvas, Keyed } from "./keys";

export const RUN_KEYS: readonly Keyed[] = [
	{
		keys: ["Alt+R"],
		words: "Run the pipeline on the inputs of the panel Try",
		group: "Running",
		run: (canvas) => runIt(canvas, WHOLE),
	},
	{
		keys: ["Alt+Shift+R"],
		words: "Run until the step that is selected",
		group: "Running",
		run: (canvas) => {
			const node = chosenStep(canvas);
			if (node) runIt(canvas, { kind: "until", node });
			else canvas.editor.getState().say("Select one step: it is run until there.", "refusal");
		},
	},
];

/** Of a step inside of another one, the outer one is what can be run. */
function chosenStep({ editor }: Canvas): string {
	const { history, path, selection } = editor.getState();
	const chosen = focusedNode() || (selection.nodes.length === 1 ? selection.nodes[0] : "");
	const id = path[0]?.node ?? chosen ?? "";
	const node = lookUp(history.present, id);
	return node && isStep(node) ? id : "";
}

function runIt({ page, editor, trying }: Canvas, goal: Goal): void {
	const { history, problems, readOnly, say } = editor.getState();
	const sources = trying.getState();
	const now = { graph: history.present, problems, readOnly, sources, phase: sources.phase };
	const reason = whyNot(page, now, goal);
	if (reason) say(reason, "refusal");
	else void (goal.kind === "until" ? sources.runUntil(goal.node) : sources.start());
}
