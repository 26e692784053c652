// From one drawing to another and back: small, so that a long history fits into the browser.

import { same, sameGraph } from "./aspects";
import { type Edge, type Graph, type GraphNode, isStep, type Note } from "./spec";

/** One item that came, went, changed or stands elsewhere. */
export interface Change<T> {
	readonly id: string;
	/** Null where it is not. */
	readonly before: T | null;
	readonly after: T | null;
	/** Its place in the list, -1 where it is not. */
	readonly from: number;
	readonly to: number;
}

/** A step of which only the inner pipelines differ. */
export interface Inside {
	readonly node: string;
	readonly parts: Readonly<Record<string, Delta>>;
}

export interface Delta {
	readonly nodes: readonly Change<GraphNode>[];
	readonly edges: readonly Change<Edge>[];
	readonly notes: readonly Change<Note>[];
	readonly inside: readonly Inside[];
}

/** What leads from `before` to `after`. */
export function deltaOf(before: Graph, after: Graph): Delta {
	const inside: Inside[] = [];
	const nodes = changesOf(before.nodes, after.nodes).filter((change) => {
		const parts = change.from === change.to ? partsBetween(change.before, change.after) : null;
		if (parts) inside.push({ node: change.id, parts });
		return !parts;
	});
	return {
		nodes,
		edges: changesOf(before.edges, after.edges),
		notes: changesOf(before.notes, after.notes),
		inside,
	};
}

/** `graph` after the delta, or nothing when the delta is not about this drawing. */
export function apply(graph: Graph, delta: Delta): Graph | null {
	const nodes = applyTo(graph.nodes, delta.nodes);
	const edges = applyTo(graph.edges, delta.edges);
	const notes = applyTo(graph.notes, delta.notes);
	if (!nodes || !edges || !notes) return null;
	const opened = applyInside(nodes, delta.inside);
	return opened && { nodes: opened, edges, notes };
}

/** The way back. */
export function invert(delta: Delta): Delta {
	const back = <T>(changes: readonly Change<T>[]): Change<T>[] =>
		changes.map(({ id, before, after, from, to }) => ({
			id,
			before: after,
			after: before,
			from: to,
			to: from,
		}));
	return {
		nodes: back(delta.nodes),
		edges: back(delta.edges),
		notes: back(delta.notes),
		inside: delta.inside.map(({ node, parts }) => ({
			node,
			parts: Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, invert(part)])),
		})),
	};
}

interface Item {
	readonly id: string;
}

function changesOf<T extends Item>(before: readonly T[], after: readonly T[]): Change<T>[] {
	if (before === after) return [];
	const was = new Map(before.map((item, index) => [item.id, { item, index }]));
	const is = new Map(after.map((item, index) => [item.id, { item, index }]));
	const moved = movedIds(
		before.map(({ id }) => id).filter((id) => is.has(id)),
		after.map(({ id }) => id).filter((id) => was.has(id)),
	);
	return [...new Set([...was.keys(), ...is.keys()])].flatMap((id) => {
		const [old, now] = [was.get(id), is.get(id)];
		if (old && now && !moved.has(id) && same(old.item, now.item)) return [];
		return [
			{
				id,
				before: old?.item ?? null,
				after: now?.item ?? null,
				from: old?.index ?? -1,
				to: now?.index ?? -1,
			},
		];
	});
}

/** What stands between the first and the last difference of two orders of the same ids. */
function movedIds(before: readonly string[], after: readonly string[]): ReadonlySet<string> {
	let [start, end] = [0, before.length];
	while (start < end && before[start] === after[start]) start += 1;
	while (end > start && before[end - 1] === after[end - 1]) end -= 1;
	return new Set(before.slice(start, end));
}

function applyTo<T extends Item>(
	items: readonly T[],
	changes: readonly Change<T>[],
): readonly T[] | null {
	if (changes.length === 0) return items;
	const known = new Set(items.map(({ id }) => id));
	const gone = new Set(changes.map(({ id }) => id));
	if (changes.some(({ id, before }) => known.has(id) !== (before !== null))) return null;
	const result = items.filter(({ id }) => !gone.has(id));
	for (const { after, to } of changes.toSorted((one, other) => one.to - other.to)) {
		if (after) result.splice(to, 0, after);
	}
	return result;
}

function partsBetween(
	before: GraphNode | null,
	after: GraphNode | null,
): Record<string, Delta> | null {
	if (!before || !after || !isStep(before) || !isStep(after)) return null;
	const { parts: old, ...outside } = before;
	const { parts: now, ...remainder } = after;
	const names = Object.keys(old);
	if (!same(names, Object.keys(now)) || !same(outside, remainder)) return null;
	return Object.fromEntries(
		names.flatMap((name) => {
			const [one, other] = [old[name], now[name]];
			return one && other && !sameGraph(one, other) ? [[name, deltaOf(one, other)]] : [];
		}),
	);
}

function applyInside(
	nodes: readonly GraphNode[],
	inside: readonly Inside[],
): readonly GraphNode[] | null {
	let result = nodes;
	for (const { node: id, parts } of inside) {
		const holder = result.find((node) => node.id === id);
		if (!holder || !isStep(holder)) return null;
		const changed: Record<string, Graph> = { ...holder.parts };
		for (const [name, delta] of Object.entries(parts)) {
			const part = changed[name] && apply(changed[name], delta);
			if (!part) return null;
			changed[name] = part;
		}
		const next = { ...holder, parts: changed };
		result = result.map((node) => (node === holder ? next : node));
	}
	return result;
}
