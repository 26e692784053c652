// What steps wrote last, from what, and whether it is still true of the drawing.

import type { Nodes, Values } from "../api/runs";
import { type Graph, isStep, lookUp, portsOf, recipeOf, wiresInto } from "../graph";

/** What a step wrote when it ran last. */
export interface Known {
	readonly outputs: Values;
	/** What the step computed, as `recipeOf` tells it. */
	readonly recipe: string;
	/** What it read, by field. */
	readonly fed: Values;
	readonly seconds: number | null;
	readonly cost: number;
	readonly calls: number;
	/** From before this page was opened. */
	readonly isEarlier: boolean;
}

/** All from which the value of any wire can be told. */
export interface Sources {
	/** What stands in the form, by field. */
	readonly inputs: Readonly<Record<string, string>>;
	readonly known: Readonly<Record<string, Known>>;
	/** What people wrote over the values of a step, by node id. */
	readonly edits: Readonly<Record<string, Values>>;
}

/** A run with what it was started from. */
export interface Ran {
	readonly graph: Graph;
	readonly inputs: Readonly<Record<string, string>>;
	/** By node id: what the step was taken to have written. */
	readonly given: Readonly<Record<string, Values>>;
}

/** The last values of a node's outputs, with what people wrote over them. */
export function outputsOf(graph: Graph, { inputs, known, edits }: Sources, id: string): Values {
	if (lookUp(graph, id)?.kind === "input") return inputs;
	return { ...known[id]?.outputs, ...edits[id] };
}

/** What would come in over the wires now, by field; what nobody knows is left out. */
function inputsOf(graph: Graph, sources: Sources, id: string): Values {
	return read(graph, id, (source) => outputsOf(graph, sources, source));
}

/** What a node read in a run. */
export function fedIn(ran: Ran, nodes: Nodes, id: string): Values {
	return read(ran.graph, id, (source) => {
		const node = lookUp(ran.graph, source);
		if (node?.kind === "input") return ran.inputs;
		return ran.given[source] ?? nodes[node?.name ?? ""]?.outputs ?? {};
	});
}

function read(graph: Graph, id: string, outputs: (source: string) => Values): Values {
	const found: Record<string, unknown> = {};
	for (const { source, source_field, target_field } of wiresInto(graph, id)) {
		const value = outputs(source)[source_field];
		if (value !== undefined) found[target_field] = value;
	}
	return found;
}

/** What is known as soon as more steps than those of `old` have run. */
export function learn(
	before: Readonly<Record<string, Known>>,
	ran: Ran,
	old: Nodes,
	nodes: Nodes,
	isEarlier = false,
): Readonly<Record<string, Known>> {
	const fresh: Record<string, Known> = {};
	for (const { id, name } of ran.graph.nodes.filter(isStep)) {
		const run = nodes[name];
		if (run?.state !== "done" || !run.outputs || run === old[name]) continue;
		fresh[id] = {
			outputs: run.outputs,
			recipe: recipeOf(ran.graph, id),
			fed: fedIn(ran, nodes, id),
			seconds: run.seconds ?? null,
			cost: run.cost ?? 0,
			calls: run.calls ?? 0,
			isEarlier,
		};
	}
	return Object.keys(fresh).length > 0 ? { ...before, ...fresh } : before;
}

const CHANGED = "The step was changed since it ran.";
const BEFORE = "A step before it was changed since.";
const OTHERS = "What it reads has another value now.";

/** By node id: why its last values are not what it would write now. */
export function staleIn(graph: Graph, sources: Sources): ReadonlyMap<string, string> {
	const reasons = new Map<string, string>();
	const reasonOf = (id: string): string => {
		const found = reasons.get(id);
		if (found !== undefined) return found;
		reasons.set(id, ""); // So that wires in a circle come to an end.
		const reason = findReason(id);
		reasons.set(id, reason);
		return reason;
	};
	const findReason = (id: string): string => {
		const known = sources.known[id];
		if (!known) return "";
		if (known.recipe !== recipeOf(graph, id)) return CHANGED;
		if (wiresInto(graph, id).some(({ source }) => reasonOf(source) !== "")) return BEFORE;
		return sameValues(known.fed, inputsOf(graph, sources, id)) ? "" : OTHERS;
	};
	const ids = Object.keys(sources.known).filter((id) => lookUp(graph, id));
	return new Map(ids.map((id) => [id, reasonOf(id)] as const).filter(([, reason]) => reason));
}

/** Whether two values are the same data. */
export function sameValue(one: unknown, other: unknown): boolean {
	return one === other || canonical(one) === canonical(other);
}

function sameValues(one: Values, other: Values): boolean {
	const names = Object.keys(one);
	return (
		names.length === Object.keys(other).length &&
		names.every((name) => name in other && sameValue(one[name], other[name]))
	);
}

function canonical(value: unknown): string {
	return (
		JSON.stringify(value, (_, part: unknown) =>
			typeof part === "object" && part !== null && !Array.isArray(part)
				? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
				: part,
		) ?? ""
	);
}

/** The outputs of a node of which no value is known. */
export function missingOutputs(graph: Graph, sources: Sources, id: string): string[] {
	const node = lookUp(graph, id);
	if (!node) return [];
	const values = outputsOf(graph, sources, id);
	return portsOf(node)
		.filter(({ role, name }) => role === "output" && values[name] === undefined)
		.map(({ name }) => name);
}
