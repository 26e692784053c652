// What has changed in a run from one look to the next, in a sentence.

import type { TryState } from "./trying";
import { firstLine, spent } from "./values";

const ENDS: Partial<Record<TryState["phase"], string>> = {
	succeeded: "The run is done.",
	failed: "The run failed.",
	cancelled: "The run was cancelled.",
};
const MOST_NAMES = 3;

/** Nothing when nobody needs to hear of it. */
export function changesIn(before: TryState, now: TryState): string {
	if (before.nodes === now.nodes && before.phase === now.phase) return "";
	if (now.phase === "starting" && before.phase !== "starting") return "The run starts.";
	const turned = Object.entries(now.nodes).filter(
		([path, run]) => !path.includes(".") && run.state !== before.nodes[path]?.state,
	);
	const named = (state: string) =>
		turned.filter(([, run]) => run.state === state).map(([path]) => path);
	const failed = turned.find(([, run]) => run.state === "failed");
	const words = [
		told(named("done"), "done"),
		failed ? `${failed[0]} failed: ${firstLine(failed[1].error ?? "")}` : "",
		now.phase === before.phase ? "" : end(now),
	];
	return words.filter(Boolean).join(" ");
}

function told(names: readonly string[], state: string): string {
	if (names.length === 0) return "";
	if (names.length > MOST_NAMES) return `${names.length} steps are ${state}.`;
	return `${names.join(" and ")}: ${state}.`;
}

function end(state: TryState): string {
	const words = ENDS[state.phase];
	if (!words) return "";
	return [words, state.phase === "succeeded" ? spent(state.spent) : state.message]
		.filter(Boolean)
		.join(" ");
}
