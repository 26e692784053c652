// How the last run went at one node, for components: each hears of its own node only.

import type { NodeRun, NodeState, Values } from "../api/runs";
import type { Goal } from "../store/goals";
import { useEditor, useStores, useTry } from "../store/hooks";
import { type Known, sameValue } from "../store/known";
import { pathIn } from "../store/noderuns";
import { whyNot } from "../store/obstacles";
import type { TryState } from "../store/trying";

export interface NodeNews {
	/** In the run that is shown; nothing: it was no part of it. */
	readonly run: NodeRun | undefined;
	/** What it wrote last, in whatever run. */
	readonly known: Known | undefined;
	/** What people wrote over that. */
	readonly edits: Values | undefined;
	/** Why what it wrote last is not what it would write now, or nothing. */
	readonly stale: string;
}

export function useNodeNews(id: string): NodeNews {
	const path = useEditor((state) => state.path);
	const isTop = path.length === 0;
	const run = useTry((state) => runAt(state, path, id));
	const known = useTry((state) => (isTop ? state.known[id] : undefined));
	const edits = useTry((state) => (isTop ? state.edits[id] : undefined));
	const stale = useTry((state) => state.stale.get(path[0]?.node ?? id) ?? "");
	// A value that was given in place of what the step says counts until it is taken back.
	const isTakenBack =
		run?.state === "given" && known && !edits && !sameValue(run.outputs, known.outputs);
	return { run: isTakenBack ? undefined : run, known, edits, stale };
}

/** Its state alone, for what shows nothing else. */
export function useNodeState(id: string): NodeState | "" {
	const path = useEditor((state) => state.path);
	return useTry((state) => runAt(state, path, id)?.state ?? "");
}

function runAt(
	{ ran, nodes }: TryState,
	path: Parameters<typeof pathIn>[1],
	id: string,
): NodeRun | undefined {
	return ran ? nodes[pathIn(ran.graph, path, id)] : undefined;
}

/** Why this cannot be run now, or nothing. */
export function useWhyNot(goal: Goal): string {
	const { page } = useStores();
	const { graph, problems, readOnly } = useEditor((state) => ({
		graph: state.history.present,
		problems: state.problems,
		readOnly: state.readOnly,
	}));
	const { inputs, known, edits, phase } = useTry((state) => ({
		inputs: state.inputs,
		known: state.known,
		edits: state.edits,
		phase: state.phase,
	}));
	const sources = { inputs, known, edits };
	return whyNot(page, { graph, problems, readOnly, sources, phase }, goal);
}

export const STATE_WORDS: Readonly<Record<NodeState, string>> = {
	waiting: "Waiting",
	running: "Running",
	done: "Done",
	failed: "Failed",
	skipped: "Skipped",
	given: "As given",
};

/** The state of a step in a word, also of one that was no part of the last run. */
export function stateWord({ run, known }: Pick<NodeNews, "run" | "known">): string {
	if (run) return STATE_WORDS[run.state];
	if (!known) return "Written by hand";
	return known.isEarlier ? "Last time" : STATE_WORDS.done;
}
