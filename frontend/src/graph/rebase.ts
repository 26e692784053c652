// A history after somebody else's work has come in: undo goes back over one's own steps only.

import { sameGraph } from "./aspects";
import type { Choices } from "./conflicts";
import type { History } from "./history";
import { merge } from "./merge";
import type { Graph } from "./spec";

/** The history with what `theirs` did to `base` in every state of it, and `present` as its present.
 * What was chosen holds there, too; where nothing was, the earlier states keep one's own. */
export function rebase(
	history: History<Graph>,
	base: Graph,
	theirs: Graph,
	present: Graph,
	choices: Choices = {},
): History<Graph> {
	const both = (graph: Graph) => merge(base, graph, theirs, choices, "mine").graph;
	const past = steps([...history.past.map(both), present]).slice(0, -1);
	const future = steps([present, ...history.future.map(both)]).slice(1);
	return { past, present, future, mark: "" };
}

/** Without a state that is the same as the one before it: undoing it would show nothing. */
function steps(states: readonly Graph[]): Graph[] {
	const kept: Graph[] = [];
	for (const [index, state] of states.entries()) {
		const last = kept.at(-1);
		if (!last || !sameGraph(last, state)) kept.push(state);
		else if (index === states.length - 1) kept[kept.length - 1] = state;
	}
	return kept;
}
