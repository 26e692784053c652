// Why something cannot be run just now.

import { type Graph, lookUp, type Problem } from "../graph";
import { type Goal, type Plan, planOf } from "./goals";
import type { Sources } from "./known";
import type { PageData } from "./page";
import { isBusy, type TryState } from "./trying";

export interface Situation {
	readonly graph: Graph;
	readonly problems: readonly Problem[];
	readonly readOnly: boolean;
	readonly sources: Sources;
	readonly phase: TryState["phase"];
}

/** A sentence, or nothing when it can be run. */
export function whyNot(
	{ palette }: Pick<PageData, "palette">,
	now: Situation,
	goal: Goal,
): string {
	if (now.readOnly) return "Authors of the project may run it.";
	if (palette.connections.length === 0) return "The project has no language model yet.";
	const plan = planOf(now.graph, goal, now.sources);
	const found = goal.kind === "whole" ? now.problems : problemsOf(now, plan);
	if (found.length > 0) return mend(now.graph, found, goal);
	return plan.obstacle || (isBusy(now.phase) ? "It is running." : "");
}

/** Of a part of the drawing only what runs has to be in order. */
function problemsOf({ graph, problems }: Situation, { runs }: Plan): readonly Problem[] {
	const targets = new Map(graph.edges.map(({ id, target }) => [id, target]));
	return problems.filter(({ node, edge }) => runs.has(node || (targets.get(edge) ?? "")));
}

function mend(graph: Graph, problems: readonly Problem[], goal: Goal): string {
	const what = problems.length === 1 ? "problem" : `${problems.length} problems`;
	if (goal.kind === "whole") return `Mend the ${what} first.`;
	const names = new Set(problems.map(({ node }) => lookUp(graph, node)?.name ?? ""));
	const [name] = names;
	return `Mend the ${what} ${names.size === 1 && name ? `of ${name}` : "on the way"} first.`;
}
