// What differs between two drawings, in words and as data.

import { aspectsOf, isSameSort, partsOf, same, sameGraph, splitKey } from "./aspects";
import type { Path } from "./levels";
import { type Edge, type Graph, type GraphNode, isObject, type Note } from "./spec";

export type How = "added" | "removed" | "changed" | "moved";

/** One thing about a node that differs, such as its instruction. */
export interface AspectChange {
	/** `instruction`, `field:message`, `param:n`, `demo:…`, `part:body` … */
	readonly key: string;
	readonly says: string;
	/** Undefined where there was none. */
	readonly before: unknown;
	readonly after: unknown;
}

export interface Entry {
	readonly what: "node" | "wire" | "note";
	readonly how: How;
	/** Of the node or note; of a wire the input that it leads into. */
	readonly id: string;
	readonly name: string;
	/** The level in which it lies; the ids are those of the later drawing, or of the earlier. */
	readonly path: Path;
	/** A whole sentence for people. */
	readonly says: string;
	readonly aspects: readonly AspectChange[];
	/** A wire that came or went because its node did: nothing that people need to be told. */
	readonly along: boolean;
	readonly before: GraphNode | Edge | Note | null;
	readonly after: GraphNode | Edge | Note | null;
}

/** From the outermost level inwards. */
export type GraphDiff = readonly Entry[];

/** Everything in which `after` differs from `before`. */
export function diff(before: Graph, after: Graph): GraphDiff {
	return diffLevel(before, after, [], []);
}

/** What people read: without the wires that only went along, and moves last. */
export function told(changes: GraphDiff): Entry[] {
	const entries = changes.filter(({ along }) => !along);
	return [
		...entries.filter(({ how }) => how !== "moved"),
		...entries.filter(({ how }) => how === "moved"),
	];
}

/** `added 1 step, changed 2 steps, moved 1 step`; empty when nothing differs. */
export function summary(changes: GraphDiff): string {
	const counts = new Map<string, number>();
	for (const { how, what } of told(changes)) {
		const key = `${how} ${what}`;
		counts.set(key, (counts.get(key) ?? 0) + 1);
	}
	return HOWS.flatMap((how) =>
		WHATS.flatMap(([what, word]) => {
			const count = counts.get(`${how} ${what}`);
			return count ? [`${how} ${count} ${word}${count === 1 ? "" : "s"}`] : [];
		}),
	).join(", ");
}

const HOWS: readonly How[] = ["added", "removed", "changed", "moved"];
const WHATS = [
	["node", "step"],
	["wire", "wire"],
	["note", "note"],
] as const;

/** The input that a wire leads into: it takes one wire, so that this names it. */
export function inputOf(edge: Pick<Edge, "target" | "target_field">): string {
	return `${edge.target}.${edge.target_field}`;
}

/** Merging asks this of the same wires for every state of a long history. */
const byInput = new WeakMap<readonly Edge[], ReadonlyMap<string, Edge>>();

/** The wires by the input they lead into; a second one into the same has a key of its own. */
export function wiresByInput({ edges }: Graph): ReadonlyMap<string, Edge> {
	const known = byInput.get(edges);
	if (known) return known;
	const wires = new Map<string, Edge>();
	byInput.set(edges, wires);
	for (const edge of edges) {
		let key = inputOf(edge);
		for (let number = 2; wires.has(key); number += 1) key = `${inputOf(edge)}#${number}`;
		wires.set(key, edge);
	}
	return wires;
}

/** Whether two wires into one input say the same. */
export function sameWire(one: Edge, other: Edge): boolean {
	if (one === other) return true;
	const { id: _, ...mine } = one;
	const { id: __, ...theirs } = other;
	return same(mine, theirs);
}

function diffLevel(before: Graph, after: Graph, path: Path, where: readonly string[]): Entry[] {
	if (sameGraph(before, after)) return [];
	const lead = where.length > 0 ? `in ${where.join(" › ")}: ` : "";
	return [
		...diffNodes(before, after, path, lead),
		...diffWires(before, after, path, lead),
		...diffNotes(before, after, path, lead),
		...diffParts(before, after, path, where),
	];
}

function diffNodes(before: Graph, after: Graph, path: Path, lead: string): Entry[] {
	const was = new Map(before.nodes.map((node) => [node.id, node]));
	const is = new Map(after.nodes.map((node) => [node.id, node]));
	const entry = (old: GraphNode | null, now: GraphNode | null): Entry[] => {
		const node = now ?? old;
		if (!node || old === now) return [];
		const aspects = old && now ? diffNode(old, now) : [];
		if (old && now && aspects.length === 0) return [];
		const how: How = !old
			? "added"
			: !now
				? "removed"
				: aspects.every(({ key }) => key === "position")
					? "moved"
					: "changed";
		const name = node.name || "a step without a name";
		const details = aspects.filter(({ key }) => how === "moved" || key !== "position");
		const words = how === "changed" ? details.map(({ says }) => says).join(", ") : `was ${how}`;
		return [
			{
				what: "node",
				how,
				id: node.id,
				name,
				path,
				says: how === "changed" ? `${lead}${name}: ${words}` : `${lead}${name} ${words}`,
				aspects,
				along: false,
				before: old,
				after: now,
			},
		];
	};
	return [
		...after.nodes.flatMap((node) => entry(was.get(node.id) ?? null, node)),
		...before.nodes.filter(({ id }) => !is.has(id)).flatMap((node) => entry(node, null)),
	];
}

/** In which aspects two states of one node differ; its inner pipelines are compared elsewhere. */
function diffNode(before: GraphNode, after: GraphNode): AspectChange[] {
	if (before === after) return [];
	if (!isSameSort(before, after)) {
		const says = `it is a ${kindOf(after)} now, it was a ${kindOf(before)}`;
		return [{ key: "node", says, before, after }];
	}
	const [was, is] = [aspectsOf(before), aspectsOf(after)];
	const keys = new Set([...was.keys(), ...is.keys()]);
	const changes = [...keys]
		.filter((key) => !same(was.get(key), is.get(key)))
		.map((key) => changeOf(key, was.get(key), is.get(key)));
	const kept = (all: ReadonlyMap<string, unknown>) =>
		[...all.keys()].filter((key) => key.startsWith("field:") && was.has(key) && is.has(key));
	if (!same(kept(was), kept(is))) {
		const says = "its fields stand in another order";
		changes.push({ key: "order", says, before: kept(was), after: kept(is) });
	}
	const [inside, now] = [partsOf(before), partsOf(after)];
	for (const name of new Set([...Object.keys(inside), ...Object.keys(now)])) {
		if (inside[name] && now[name]) continue;
		changes.push(changeOf(`part:${name}`, inside[name], now[name]));
	}
	return changes;
}

function changeOf(key: string, before: unknown, after: unknown): AspectChange {
	const how = before === undefined ? "was added" : after === undefined ? "was removed" : "changed";
	return { key, says: saysOf(key, how, before, after), before, after };
}

function saysOf(key: string, how: string, before: unknown, after: unknown): string {
	const [group] = splitKey(key);
	if (group === "name") return `it was called ${String(before) || "nothing"}`;
	if (group === "kind") return `it is a ${words(after)} now, it was a ${words(before)}`;
	if (group === "position") return "it was moved";
	if (group === "lm" && !after) return "its language model is the run’s again";
	if (group === "lm") return `its language model is ${String(after)} now`;
	return `${aspectWords(key, after ?? before)} ${how}`;
}

/** What people call an aspect: `the instruction`, `the field message`. */
export function aspectWords(key: string, value?: unknown): string {
	const [group, name] = splitKey(key);
	const plain = name.replace(/#\d+$/, "");
	if (group === "field") {
		const role = isObject(value) && (value.role === "input" || value.role === "output");
		return `the ${role && isObject(value) ? `${value.role} ` : ""}field ${plain}`;
	}
	return WORDS[group]?.replace("…", plain) ?? `“${plain || key}”`;
}

const WORDS: Readonly<Record<string, string>> = {
	node: "the step",
	kind: "the kind",
	name: "the name",
	position: "the place",
	instruction: "the instruction",
	order: "the order of the fields",
	param: "the parameter …",
	module: "the saved module that it was made from",
	lm: "the language model",
	demo: "a pinned demo",
	part: "the inner pipeline …",
	wire: "the wire into …",
	text: "the text",
};

function diffWires(before: Graph, after: Graph, path: Path, lead: string): Entry[] {
	const [was, is] = [wiresByInput(before), wiresByInput(after)];
	const names = new Map([...before.nodes, ...after.nodes].map(({ id, name }) => [id, name]));
	const [had, has] = [idsOf(before), idsOf(after)];
	const entry = (key: string, old: Edge | undefined, now: Edge | undefined): Entry[] => {
		const edge = now ?? old;
		if (!edge || (old && now && sameWire(old, now))) return [];
		const how: How = !old ? "added" : !now ? "removed" : "changed";
		const into = `${names.get(edge.target) || edge.target}.${edge.target_field}`;
		const from = (wire: Edge) => `${names.get(wire.source) || wire.source}.${wire.source_field}`;
		const says =
			old && now
				? `${lead}${into} is fed by ${from(now)}, it was ${from(old)}`
				: `${lead}the wire from ${from(edge)} to ${into} was ${how}`;
		const other = how === "added" ? had : has;
		const along = how !== "changed" && !(other.has(edge.source) && other.has(edge.target));
		const [first, then] = [old ?? null, now ?? null];
		return [
			{
				what: "wire",
				how,
				id: key,
				name: into,
				path,
				says,
				aspects: [],
				along,
				before: first,
				after: then,
			},
		];
	};
	return [...new Set([...is.keys(), ...was.keys()])].flatMap((key) =>
		entry(key, was.get(key), is.get(key)),
	);
}

function diffNotes(before: Graph, after: Graph, path: Path, lead: string): Entry[] {
	const was = new Map(before.notes.map((note) => [note.id, note]));
	const is = new Map(after.notes.map((note) => [note.id, note]));
	return [...new Set([...is.keys(), ...was.keys()])].flatMap((id) => {
		const [old, now] = [was.get(id) ?? null, is.get(id) ?? null];
		const note = now ?? old;
		if (!note || same(old, now)) return [];
		const how: How = !old
			? "added"
			: !now
				? "removed"
				: old.text === now.text
					? "moved"
					: "changed";
		const name = `the note “${cut(note.text)}”`;
		const says = `${lead}${name} ${how === "changed" ? "was rewritten" : `was ${how}`}`;
		return [
			{
				what: "note",
				how,
				id,
				name,
				path,
				says,
				aspects: [],
				along: false,
				before: old,
				after: now,
			} as Entry,
		];
	});
}

function diffParts(before: Graph, after: Graph, path: Path, where: readonly string[]): Entry[] {
	const was = new Map(before.nodes.map((node) => [node.id, node]));
	return after.nodes.flatMap((node) => {
		const old = was.get(node.id);
		if (!old || old === node) return [];
		return Object.entries(partsOf(node)).flatMap(([part, graph]) => {
			const earlier = partsOf(old)[part];
			if (!earlier || earlier === graph) return [];
			const way = [...path, { node: node.id, part }];
			return diffLevel(earlier, graph, way, [...where, `${node.name} › ${part}`]);
		});
	});
}

function idsOf(graph: Graph): Set<string> {
	return new Set(graph.nodes.map(({ id }) => id));
}

function kindOf(node: GraphNode): string {
	return words(node.kind === "unknown" ? node.raw.kind : node.kind);
}

function words(kind: unknown): string {
	return String(kind).replaceAll("_", " ");
}

function cut(text: string): string {
	const line = text.trim().split("\n")[0] ?? "";
	return line.length > 40 ? `${line.slice(0, 39)}…` : line;
}
