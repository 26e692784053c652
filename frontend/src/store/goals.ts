// How much of a pipeline a try runs, and which steps are taken as they are.

import type { Values } from "../api/runs";
import { downstreamOf, type Graph, isStep, lookUp, upstreamOf, wiresInto } from "../graph";
import { missingOutputs, outputsOf, type Sources } from "./known";

/** The whole pipeline; until a step, with all before it; one step only; what follows from one. */
export type Goal =
	| { readonly kind: "whole" }
	| { readonly kind: "until" | "only" | "rest"; readonly node: string };

export const WHOLE: Goal = { kind: "whole" };

export interface Plan {
	/** The id of the last node that is run; empty: the whole pipeline. */
	readonly until: string;
	/** By node id: what these are taken to have written. */
	readonly given: Readonly<Record<string, Values>>;
	/** The nodes that are run. */
	readonly runs: ReadonlySet<string>;
	/** Why it cannot be done, or nothing. */
	readonly obstacle: string;
}

/** What the goal means in this drawing, with what is known of it. */
export function planOf(graph: Graph, goal: Goal, sources: Sources): Plan {
	const until = goal.kind === "until" || goal.kind === "only" ? goal.node : "";
	const given = goal.kind === "whole" ? {} : givenFor(graph, goal.kind, goal.node, sources);
	const ends = graph.nodes.filter(({ kind }) => kind === "output").map(({ id }) => id);
	const runs = leadingTo(graph, until ? [until] : ends, given);
	return { until, given, runs, obstacle: obstacleTo(graph, goal, sources) };
}

function givenFor(
	graph: Graph,
	kind: "until" | "only" | "rest",
	node: string,
	sources: Sources,
): Plan["given"] {
	const before = upstreamOf(graph, node);
	if (kind === "until") return {};
	if (kind === "only") return valuesOf(graph, sources, before);
	const after = downstreamOf(graph, node);
	const edited = Object.keys(sources.edits).filter((id) => !after.has(id));
	return valuesOf(graph, sources, [...before, node, ...edited]);
}

/** The known values of those that are steps and have any. */
function valuesOf(graph: Graph, sources: Sources, ids: Iterable<string>): Plan["given"] {
	const given: Record<string, Values> = {};
	for (const id of ids) {
		const node = lookUp(graph, id);
		if (!node || !isStep(node)) continue;
		const values = Object.entries(outputsOf(graph, sources, id));
		const known = values.filter(([, value]) => value !== undefined);
		if (known.length > 0) given[id] = Object.fromEntries(known);
	}
	return given;
}

/** Everything that has to run for these, as far back as values are given. */
function leadingTo(graph: Graph, ends: readonly string[], given: Plan["given"]): Set<string> {
	const runs = new Set<string>();
	const left = [...ends];
	for (let id = left.pop(); id !== undefined; id = left.pop()) {
		if (runs.has(id) || id in given) continue;
		runs.add(id);
		left.push(...wiresInto(graph, id).map(({ source }) => source));
	}
	return runs;
}

function obstacleTo(graph: Graph, goal: Goal, sources: Sources): string {
	if (goal.kind === "whole" || goal.kind === "until") return "";
	if (goal.kind === "rest") {
		const missing = missingOutputs(graph, sources, goal.node).join(" and ");
		return missing ? `Write a value for ${missing} first.` : "";
	}
	const without = wiresInto(graph, goal.node).filter(({ source, source_field }) => {
		const node = lookUp(graph, source);
		const values = outputsOf(graph, sources, source);
		return node && isStep(node) && values[source_field] === undefined;
	});
	const names = [...new Set(without.map(({ source }) => lookUp(graph, source)?.name ?? ""))];
	if (names.length === 0) return "";
	const told = names.length > 2 ? `${names.length} steps before it` : names.join(" and ");
	return `${told} ${names.length > 1 ? "have" : "has"} no value yet: run until here first.`;
}
