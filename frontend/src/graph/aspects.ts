// A node taken apart into what may change on its own, and put together again.
// Comparing and merging both work on these parts, so that they agree on what a change is.

import type { Field, SignatureField } from "./signature";
import { type Graph, type GraphNode, isEnd, isObject, isStep } from "./spec";

/** What may change on its own, by key: `instruction`, `field:message`, `param:n` … */
export type Aspects = ReadonlyMap<string, unknown>;

/** Everything of a node but its id and its inner pipelines. */
export function aspectsOf(node: GraphNode): Map<string, unknown> {
	const aspects = new Map<string, unknown>([
		["kind", node.kind],
		["name", node.name],
		["position", node.position],
	]);
	addAll(aspects, "extra", node.extra);
	if (node.kind === "unknown") {
		const { id: _, name: __, position: ___, ...raw } = node.raw;
		addAll(aspects, "raw", raw);
	} else if (isEnd(node)) {
		addFields(aspects, node.fields);
	} else {
		aspects.set("instruction", node.signature.instruction);
		addFields(aspects, node.signature.fields);
		addAll(aspects, "param", node.params);
		aspects.set("module", node.module);
		aspects.set("lm", node.lm);
		for (const demo of node.demos) aspects.set(freeKey(aspects, "demo", stable(demo)), demo);
	}
	return aspects;
}

/** The node with these aspects. It is of the sort of `like`, whose id and parts it keeps. */
export function nodeOf(like: GraphNode, aspects: Aspects): GraphNode {
	const { extra: _, ...bare } = like;
	const extra = valuesOf(aspects, "extra");
	const base = {
		...bare,
		...(Object.keys(extra).length > 0 ? { extra } : {}),
		name: aspects.get("name") as string,
		position: aspects.get("position") as GraphNode["position"],
	};
	if (base.kind === "unknown") {
		const { id, name, position } = base;
		return { ...base, raw: { ...valuesOf(aspects, "raw"), id, name, position } };
	}
	const kind = aspects.get("kind");
	if (isEnd(base as GraphNode)) {
		return { ...base, kind, fields: listOf<Field>(aspects, "field") } as GraphNode;
	}
	const signature = {
		fields: listOf<SignatureField>(aspects, "field"),
		instruction: aspects.get("instruction"),
	};
	return {
		...base,
		kind,
		signature,
		params: valuesOf(aspects, "param"),
		module: aspects.get("module"),
		lm: aspects.get("lm"),
		demos: listOf(aspects, "demo"),
	} as GraphNode;
}

/** Ends, steps and what is unknown are taken apart differently: they cannot be mixed. */
export function isSameSort(one: GraphNode, other: GraphNode): boolean {
	return sortOf(one) === sortOf(other);
}

/** The inner pipelines of a node, by the part's name. */
export function partsOf(node: GraphNode): Readonly<Record<string, Graph>> {
	return isStep(node) ? node.parts : {};
}

/** The keys of one group, such as `field`, in their order. */
export function keysOf(aspects: Aspects, group: string): string[] {
	return [...aspects.keys()].filter((key) => key.startsWith(`${group}:`));
}

/** `field:message` → `["field", "message"]`. */
export function splitKey(key: string): [group: string, name: string] {
	const colon = key.indexOf(":");
	return colon < 0 ? [key, ""] : [key.slice(0, colon), key.slice(colon + 1)];
}

/** Equal by content; the order of keys says nothing. What is equal by identity is not looked at. */
export function same(one: unknown, other: unknown): boolean {
	if (Object.is(one, other)) return true;
	if (Array.isArray(one)) {
		if (!Array.isArray(other) || one.length !== other.length) return false;
		return one.every((item, index) => same(item, other[index]));
	}
	if (!isObject(one) || !isObject(other)) return false;
	const keys = Object.keys(one);
	if (keys.length !== Object.keys(other).length) return false;
	return keys.every((key) => Object.hasOwn(other, key) && same(one[key], other[key]));
}

/** Equal drawings: the same nodes, wires and notes under the same ids, in whatever order. */
export function sameGraph(one: Graph, other: Graph): boolean {
	if (one === other) return true;
	return (
		sameItems(one.nodes, other.nodes, sameNode) &&
		sameItems(one.edges, other.edges) &&
		sameItems(one.notes, other.notes)
	);
}

function sameNode(one: GraphNode, other: GraphNode): boolean {
	if (one === other) return true;
	if (!isStep(one) || !isStep(other)) return same(one, other);
	const { parts, ...rest } = one;
	const { parts: others, ...remainder } = other;
	const names = Object.keys(parts);
	if (!same(rest, remainder) || names.length !== Object.keys(others).length) return false;
	return names.every((name) => {
		const [mine, theirs] = [parts[name], others[name]];
		return mine !== undefined && theirs !== undefined && sameGraph(mine, theirs);
	});
}

function sameItems<T extends { readonly id: string }>(
	one: readonly T[],
	other: readonly T[],
	equal: (a: T, b: T) => boolean = same,
): boolean {
	if (one === other) return true;
	if (one.length !== other.length) return false;
	const byId = new Map(other.map((item) => [item.id, item]));
	return one.every((item) => {
		const match = byId.get(item.id);
		return match !== undefined && equal(item, match);
	});
}

/** JSON with sorted keys: equal values give equal texts. */
export function stable(value: unknown): string {
	return JSON.stringify(value, (_, inner: unknown) =>
		isObject(inner)
			? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
			: inner,
	);
}

function sortOf(node: GraphNode): string {
	if (node.kind === "unknown") return `unknown ${String(node.raw.kind)}`;
	return isEnd(node) ? node.kind : "step";
}

function addAll(
	aspects: Map<string, unknown>,
	group: string,
	values: Readonly<Record<string, unknown>> = {},
): void {
	for (const [name, value] of Object.entries(values)) aspects.set(`${group}:${name}`, value);
}

function addFields(aspects: Map<string, unknown>, fields: readonly Field[]): void {
	for (const field of fields) aspects.set(freeKey(aspects, "field", field.name), field);
}

/** A draft may name two fields alike: the second is `field:message#2`. */
function freeKey(aspects: Aspects, group: string, name: string): string {
	let key = `${group}:${name}`;
	for (let number = 2; aspects.has(key); number += 1) key = `${group}:${name}#${number}`;
	return key;
}

function valuesOf(aspects: Aspects, group: string): Record<string, unknown> {
	return Object.fromEntries(
		keysOf(aspects, group).map((key) => [splitKey(key)[1], aspects.get(key)]),
	);
}

function listOf<T>(aspects: Aspects, group: string): T[] {
	return keysOf(aspects, group).map((key) => aspects.get(key) as T);
}
