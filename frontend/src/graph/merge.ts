// Two people have changed one drawing: both their changes in one, and what they have to decide.

import { same, sameGraph } from "./aspects";
import {
	type Choices,
	type Conflict,
	refereeOf,
	type Side,
	tell,
	tellInput,
	tellWire,
} from "./conflicts";
import { inputOf, sameWire, wiresByInput } from "./diff";
import { freeSpot } from "./layout";
import { mergeNode, type Place } from "./merge_node";
import { mergeOrder } from "./order";
import { freeName } from "./signature";
import { type Edge, freeId, type Graph, type GraphNode, type Note } from "./spec";
import { NAME } from "./types";

export interface Merged {
	readonly graph: Graph;
	/** Empty: nothing that one side did contradicts the other. */
	readonly conflicts: readonly Conflict[];
}

/** `mine` and `theirs` both came from `base`. An undecided conflict is shown as `otherwise` says. */
export function merge(
	base: Graph,
	mine: Graph,
	theirs: Graph,
	choices: Choices = {},
	otherwise: Side = "theirs",
): Merged {
	const referee = refereeOf(choices, otherwise);
	const graph = mergeLevel(base, mine, theirs, { referee, path: [], where: [] });
	return { graph, conflicts: referee.conflicts };
}

function mergeLevel(base: Graph, mine: Graph, theirs: Graph, place: Place): Graph {
	if (mine === base || sameGraph(mine, base)) return theirs;
	if (theirs === base || sameGraph(theirs, base) || sameGraph(mine, theirs)) return mine;
	const ours = withFreshIds(base, mine, theirs);
	const kept = mergeNodes(base, ours, theirs, place);
	const nodes = apart(distinct(kept, base, ours, theirs), base, ours, theirs);
	return {
		nodes,
		edges: mergeWires(base, ours, theirs, nodes, place),
		notes: mergeNotes(base, ours, theirs, place),
	};
}

/** Mine, with other ids for what both sides have added under the same id. */
function withFreshIds(base: Graph, mine: Graph, theirs: Graph): Graph {
	const nodeIds = clashes(base.nodes, mine.nodes, theirs.nodes, "n");
	const noteIds = clashes(base.notes, mine.notes, theirs.notes, "t");
	if (nodeIds.size + noteIds.size === 0) return mine;
	const fresh = <T extends { readonly id: string }>(
		item: T,
		ids: ReadonlyMap<string, string>,
	): T => {
		const id = ids.get(item.id);
		return id ? { ...item, id } : item;
	};
	return {
		nodes: mine.nodes.map((node) => fresh(node, nodeIds)),
		notes: mine.notes.map((note) => fresh(note, noteIds)),
		edges: mine.edges.map((edge) => {
			const [source, target] = [nodeIds.get(edge.source), nodeIds.get(edge.target)];
			if (!source && !target) return edge;
			return { ...edge, source: source ?? edge.source, target: target ?? edge.target };
		}),
	};
}

/** The ids that both sides gave to different new things, with the fresh ones for mine. */
function clashes<T extends { readonly id: string }>(
	base: readonly T[],
	mine: readonly T[],
	theirs: readonly T[],
	prefix: "n" | "t",
): Map<string, string> {
	const known = new Set(base.map(({ id }) => id));
	const added = new Map(theirs.filter(({ id }) => !known.has(id)).map((item) => [item.id, item]));
	const taken = new Set([...base, ...mine, ...theirs].map(({ id }) => id));
	const fresh = new Map<string, string>();
	for (const item of mine) {
		const other = added.get(item.id);
		if (!other || same(item, other)) continue;
		const id = freeId(prefix, taken);
		taken.add(id);
		fresh.set(item.id, id);
	}
	return fresh;
}

function mergeNodes(base: Graph, mine: Graph, theirs: Graph, place: Place): GraphNode[] {
	const [b, m, t] = [byId(base.nodes), byId(mine.nodes), byId(theirs.nodes)];
	const kept = new Map<string, GraphNode>();
	for (const id of new Set([...m.keys(), ...t.keys()])) {
		const [was, my, their] = [b.get(id), m.get(id), t.get(id)];
		const node =
			was && my && their
				? mergeNode({ base: was, mine: my, theirs: their }, place, mergeLevel)
				: was
					? afterRemoval(was, my, their, [base, mine, theirs], place)
					: (my ?? their);
		if (node) kept.set(id, node);
	}
	return inOrder(base.nodes, mine.nodes, theirs.nodes, kept);
}

/** One side has removed the node: it is gone, unless the other side has worked on it. */
function afterRemoval(
	base: GraphNode,
	mine: GraphNode | undefined,
	theirs: GraphNode | undefined,
	[was, my, their]: readonly [Graph, Graph, Graph],
	{ referee, path, where }: Place,
): GraphNode | undefined {
	const left = mine ?? theirs;
	const side = mine ? my : their;
	if (!left) return undefined;
	const isUntouched = same({ ...left, position: base.position }, base);
	if (isUntouched && !hasNewWires(was, side, base.id)) return undefined;
	const worked = isUntouched ? "kept, with new wires" : "kept, with the changes";
	const tells = {
		base: base.name,
		mine: mine ? worked : "removed",
		theirs: theirs ? worked : "removed",
	};
	const chosen = referee.decide({
		path,
		where,
		node: base.id,
		name: base.name,
		aspect: "node",
		base,
		mine,
		theirs,
		tells,
	});
	return chosen === "mine" ? mine : theirs;
}

function hasNewWires(base: Graph, side: Graph, node: string): boolean {
	const before = wiresByInput(base);
	return side.edges.some((edge) => {
		if (edge.source !== node && edge.target !== node) return false;
		const was = before.get(inputOf(edge));
		return !was || !sameWire(was, edge);
	});
}

/** Where both sides have given one name to two nodes, mine gets another. */
function distinct(
	nodes: readonly GraphNode[],
	base: Graph,
	mine: Graph,
	theirs: Graph,
): GraphNode[] {
	const named = namedBy(base, mine);
	const others = namedBy(base, theirs);
	const taken = new Set(nodes.map(({ name }) => name));
	return nodes.map((node) => {
		const isMine = named.get(node.id) === node.name && others.get(node.id) !== node.name;
		const isDouble =
			isMine &&
			nodes.some(
				({ id, name }) => id !== node.id && name === node.name && others.get(id) === name,
			);
		if (!isDouble || !NAME.test(node.name)) return node;
		const name = freeName(node.name, taken);
		taken.add(name);
		return { ...node, name };
	});
}

/** The names that one side has given, by node. */
function namedBy(base: Graph, side: Graph): Map<string, string> {
	const before = byId(base.nodes);
	return new Map(
		side.nodes
			.filter((node) => node !== before.get(node.id) && node.name !== before.get(node.id)?.name)
			.map(({ id, name }) => [id, name]),
	);
}

/** Two new nodes at one place would cover each other: mine goes below. */
function apart(nodes: readonly GraphNode[], base: Graph, mine: Graph, theirs: Graph): GraphNode[] {
	const known = byId(base.nodes);
	const [added, others] = [byId(mine.nodes), byId(theirs.nodes)];
	let result = [...nodes];
	for (const node of nodes) {
		if (known.has(node.id) || !added.has(node.id) || others.has(node.id)) continue;
		const covers = ({ id, position }: GraphNode) =>
			id !== node.id &&
			others.has(id) &&
			!known.has(id) &&
			Math.abs(position.x - node.position.x) < NEAR &&
			Math.abs(position.y - node.position.y) < NEAR;
		if (!result.some(covers)) continue;
		const rest = result.filter(({ id }) => id !== node.id);
		const position = freeSpot({ nodes: rest, edges: [], notes: [] }, node.position);
		result = result.map((other) => (other.id === node.id ? { ...node, position } : other));
	}
	return result;
}

const NEAR = 60;

function mergeWires(
	base: Graph,
	mine: Graph,
	theirs: Graph,
	nodes: readonly GraphNode[],
	{ referee, path, where }: Place,
): Edge[] {
	const [b, m, t] = [wiresByInput(base), wiresByInput(mine), wiresByInput(theirs)];
	const left = new Set(nodes.map(({ id }) => id));
	const kept = new Map<string, Edge>();
	for (const key of new Set([...b.keys(), ...m.keys(), ...t.keys()])) {
		const was = b.get(key);
		// A wire that went with its node was not taken away for its own sake.
		const my = wentAlong(was, m.get(key), mine) ? was : m.get(key);
		const their = wentAlong(was, t.get(key), theirs) ? was : t.get(key);
		const edge = pickWire(was, my, their, () => {
			const about = my ?? their ?? was;
			return referee.decide({
				path,
				where,
				node: about?.target ?? "",
				name: about ? (tellInput(about, my ? mine : theirs).split(".")[0] ?? "") : "",
				aspect: `wire:${about?.target_field ?? ""}`,
				base: was,
				mine: my,
				theirs: their,
				tells: {
					base: tellWire(was, base),
					mine: tellWire(my, mine),
					theirs: tellWire(their, theirs),
				},
			});
		});
		if (edge && left.has(edge.source) && left.has(edge.target)) kept.set(key, edge);
	}
	const keys = (wires: ReadonlyMap<string, Edge>) => [...wires.keys()];
	const order = mergeOrder(keys(b), keys(m), keys(t), new Set(kept.keys()));
	const placed = new Set(order);
	const rest = [...kept.keys()].filter((key) => !placed.has(key));
	return withOwnIds(
		[...order, ...rest].flatMap((key) => kept.get(key) ?? []),
		theirs,
	);
}

function pickWire(
	base: Edge | undefined,
	mine: Edge | undefined,
	theirs: Edge | undefined,
	decide: () => Side,
): Edge | undefined {
	const equal = (one?: Edge, other?: Edge) =>
		one === other || (one !== undefined && other !== undefined && sameWire(one, other));
	if (equal(mine, base)) return theirs;
	if (equal(theirs, base)) return mine;
	if (equal(mine, theirs)) return theirs;
	return decide() === "mine" ? mine : theirs;
}

function wentAlong(base: Edge | undefined, now: Edge | undefined, side: Graph): boolean {
	if (!base || now) return false;
	const has = (id: string) => side.nodes.some((node) => node.id === id);
	return !has(base.source) || !has(base.target);
}

/** Both sides number their wires alike: theirs keep their ids, mine get free ones. */
function withOwnIds(edges: readonly Edge[], theirs: Graph): Edge[] {
	const own = new Map(theirs.edges.map((edge) => [edge.id, edge]));
	const isTheirs = (edge: Edge) => own.get(edge.id) === edge;
	const taken = new Set(edges.filter(isTheirs).map(({ id }) => id));
	return edges.map((edge) => {
		if (isTheirs(edge)) return edge;
		const id = taken.has(edge.id) ? freeId("e", taken) : edge.id;
		taken.add(id);
		return id === edge.id ? edge : { ...edge, id };
	});
}

function mergeNotes(base: Graph, mine: Graph, theirs: Graph, place: Place): Note[] {
	const [b, m, t] = [byId(base.notes), byId(mine.notes), byId(theirs.notes)];
	const kept = new Map<string, Note>();
	for (const id of new Set([...m.keys(), ...t.keys()])) {
		const note = mergeNote(b.get(id), m.get(id), t.get(id), place);
		if (note) kept.set(id, note);
	}
	return inOrder(base.notes, mine.notes, theirs.notes, kept);
}

function mergeNote(
	base: Note | undefined,
	mine: Note | undefined,
	theirs: Note | undefined,
	{ referee, path, where }: Place,
): Note | undefined {
	if (!base) return mine ?? theirs;
	const text = { base: base.text, mine: mine?.text, theirs: theirs?.text };
	const decide = () =>
		referee.decide({
			path,
			where,
			node: "",
			name: "a note",
			aspect: `text:${base.id}`,
			...text,
			tells: { base: tell(base.text) },
		});
	const side: Side =
		text.mine === base.text
			? "theirs"
			: text.theirs === base.text || text.mine === text.theirs
				? "mine"
				: decide();
	const chosen = side === "mine" ? mine : theirs;
	if (!chosen || !mine || !theirs) return chosen;
	const position = same(mine.position, base.position) ? theirs.position : mine.position;
	return { ...chosen, position };
}

function inOrder<T extends { readonly id: string }>(
	base: readonly T[],
	mine: readonly T[],
	theirs: readonly T[],
	kept: ReadonlyMap<string, T>,
): T[] {
	const ids = (items: readonly T[]) => items.map(({ id }) => id);
	const order = mergeOrder(ids(base), ids(mine), ids(theirs), new Set(kept.keys()));
	return order.flatMap((id) => kept.get(id) ?? []);
}

function byId<T extends { readonly id: string }>(items: readonly T[]): Map<string, T> {
	return new Map(items.map((item) => [item.id, item]));
}
