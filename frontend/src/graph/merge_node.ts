// One node that two people have changed: what only one of them touched is taken from that one.

import {
	type Aspects,
	aspectsOf,
	isSameSort,
	keysOf,
	nodeOf,
	partsOf,
	same,
	sameGraph,
} from "./aspects";
import type { Found, Referee, Side } from "./conflicts";
import type { Path } from "./levels";
import { isReordered, mergeOrder } from "./order";
import { type Graph, type GraphNode, isStep } from "./spec";

/** Where the merge is, and who decides. */
export interface Place {
	readonly referee: Referee;
	readonly path: Path;
	readonly where: readonly string[];
}

export type MergeLevel = (base: Graph, mine: Graph, theirs: Graph, place: Place) => Graph;

interface Three<T> {
	readonly base: T;
	readonly mine: T;
	readonly theirs: T;
}

/** The node with the changes of both sides. */
export function mergeNode(
	nodes: Three<GraphNode>,
	place: Place,
	mergeLevel: MergeLevel,
): GraphNode {
	const { base, mine, theirs } = nodes;
	if (mine === base || same(mine, base)) return theirs;
	if (theirs === base || same(theirs, base) || same(mine, theirs)) return mine;
	const decide = (aspect: string, values: Three<unknown>, tells?: Found["tells"]): Side =>
		place.referee.decide({
			path: place.path,
			where: place.where,
			node: base.id,
			name: base.name || mine.name || theirs.name,
			aspect,
			...values,
			...(tells ? { tells } : {}),
		});
	if (!isSameSort(base, mine) || !isSameSort(base, theirs)) {
		return decide("node", nodes) === "mine" ? mine : theirs;
	}
	const aspects: Three<Aspects> = {
		base: aspectsOf(base),
		mine: aspectsOf(mine),
		theirs: aspectsOf(theirs),
	};
	const values = mergeAspects(aspects, decide);
	const like = nodeOf(mine, ordered(values, aspects, decide));
	return isStep(like) ? { ...like, parts: mergeParts(nodes, place, decide, mergeLevel) } : like;
}

type Decide = (aspect: string, values: Three<unknown>, tells?: Found["tells"]) => Side;

function mergeAspects(
	{ base, mine, theirs }: Three<Aspects>,
	decide: Decide,
): Map<string, unknown> {
	const values = new Map<string, unknown>();
	for (const key of new Set([...mine.keys(), ...theirs.keys()])) {
		const three = { base: base.get(key), mine: mine.get(key), theirs: theirs.get(key) };
		const value = three[sideOf(key, three, decide)];
		if (value !== undefined) values.set(key, value);
	}
	return values;
}

/** Which side an aspect is taken from. Where both moved a node nobody is asked: it lies where
 * mine lies. */
function sideOf(key: string, values: Three<unknown>, decide: Decide): Side {
	const { base, mine, theirs } = values;
	if (same(mine, base)) return "theirs";
	if (same(theirs, base) || same(mine, theirs) || key === "position") return "mine";
	return decide(key, values);
}

/** Fields and demos in the order that the sides gave them. */
function ordered(
	values: Aspects,
	{ base, mine, theirs }: Three<Aspects>,
	decide: Decide,
): Aspects {
	const left = new Set(values.keys());
	const order = ["field", "demo"].flatMap((group) => {
		const three = {
			base: keysOf(base, group),
			mine: keysOf(mine, group),
			theirs: keysOf(theirs, group),
		};
		const common = (keys: readonly string[]) =>
			keys.filter((key) => three.mine.includes(key) && three.theirs.includes(key));
		const isDisputed =
			group === "field" &&
			isReordered(three.base, three.mine) &&
			isReordered(three.base, three.theirs) &&
			!same(common(three.mine), common(three.theirs));
		if (!isDisputed) return mergeOrder(three.base, three.mine, three.theirs, left);
		const names = (keys: readonly string[]) => keys.map((key) => key.slice(6)).join(", ");
		const tells = {
			base: names(three.base),
			mine: names(three.mine),
			theirs: names(three.theirs),
		};
		const side = decide("order", three, tells);
		const other = side === "mine" ? three.theirs : three.mine;
		return mergeOrder(other, three[side], other, left);
	});
	const others = [...values.keys()].filter((key) => !order.includes(key));
	return new Map([...others, ...order].map((key) => [key, values.get(key)]));
}

function mergeParts(
	nodes: Three<GraphNode>,
	place: Place,
	decide: Decide,
	mergeLevel: MergeLevel,
): Record<string, Graph> {
	const [base, mine, theirs] = [partsOf(nodes.base), partsOf(nodes.mine), partsOf(nodes.theirs)];
	const parts: Record<string, Graph> = {};
	for (const name of new Set([...Object.keys(mine), ...Object.keys(theirs)])) {
		const three = { base: base[name], mine: mine[name], theirs: theirs[name] };
		const part =
			three.base && three.mine && three.theirs
				? mergeLevel(three.base, three.mine, three.theirs, {
						...place,
						path: [...place.path, { node: nodes.base.id, part: name }],
						where: [...place.where, `${nodes.mine.name} › ${name}`],
					})
				: three[sideOfPart(name, three, decide)];
		if (part) parts[name] = part;
	}
	return parts;
}

function sideOfPart(name: string, three: Three<Graph | undefined>, decide: Decide): Side {
	const { base, mine, theirs } = three;
	const equal = (one?: Graph, other?: Graph) =>
		one === other || (one !== undefined && other !== undefined && sameGraph(one, other));
	if (equal(mine, base)) return "theirs";
	if (equal(theirs, base) || equal(mine, theirs)) return "mine";
	const says = (part?: Graph) =>
		part
			? `${part.nodes.length} nodes: ${part.nodes.map((node) => node.name).join(", ")}`
			: "removed";
	return decide(`part:${name}`, three, {
		base: says(base),
		mine: says(mine),
		theirs: says(theirs),
	});
}
