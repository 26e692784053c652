// What hands do to the level that is shown: adding, wiring, removing, copying. Each refuses with a
// sentence what cannot be, and is one entry of the history.

import {
	type Blank,
	type Converter,
	changeAt,
	connect,
	convertBetween,
	convertersFor,
	disconnect,
	type Graph,
	insert as insertStep,
	isEnd,
	MOST_NODES,
	moveNodes,
	type Position,
	addNode as place,
	refusal,
	remove,
	type Slot,
	toGrid,
	type Wire,
} from "../graph";
import { type Clip, type Here, pasteClip, readClip, tooLarge, writeClip } from "./clipboard";
import type { EditorState } from "./editor";

/** What would make a refused wire legal. */
export interface Fix {
	readonly wire: Wire;
	readonly converter: Converter;
}

export interface Pasting {
	/** Where the upper left corner of what is pasted goes; beside the original when not given. */
	readonly at?: Position;
	/** Bring the wires along that led into it, where they begin at a node that is here. */
	readonly withIncoming?: boolean;
}

export interface Drawing {
	/** Add a node; its id, or nothing when it was refused. */
	add(blank: Blank, position: Position): string;
	/** Add a node with its wires; its id, or nothing when it does not fit there. */
	insert(blank: Blank, place: Slot): string;
	/** Draw a wire, or say why not, and what would make it legal. */
	wire(wire: Wire): boolean;
	/** Put a conversion into a wire that is refused. */
	convert(fix: Fix): string;
	unwire(edge: string): void;
	removeSelected(): void;
	/** Move what is selected; presses in a row are one entry of the history. */
	nudge(by: Position): void;
	/** What is selected as the text of the clipboard; empty when nothing is. */
	copy(): string;
	cut(): string;
	/** Paste the text, or what was copied here last. */
	paste(text?: string, how?: Pasting): void;
	duplicate(): void;
}

const ASIDE: Position = { x: 40, y: 40 };

type Get = () => EditorState;
type SetState = (part: Partial<EditorState>) => void;

/** What a project has is `here`; without it, everything that is pasted is believed to be there. */
export function drawing(set: SetState, get: Get, here: Here | null): Drawing {
	const choose = (nodes: readonly string[]) => set({ selection: { nodes, edges: [] } });
	const refuse = (reason: string): "" => {
		get().say(reason, "refusal");
		return "";
	};
	const isFull = () => get().graph.nodes.length >= MOST_NODES;
	const full = `A pipeline may have ${MOST_NODES} nodes.`;
	/** A new node may hold pipelines, and its level may be the deepest that there may be. */
	const outgrown = (level: Graph) =>
		tooLarge(changeAt(get().history.present, get().path, () => level));
	const named = (graph: Graph, id: string) => graph.nodes.find((node) => node.id === id)?.name;
	const put = (clip: Clip, offset: Position, withIncoming = false): void => {
		const { graph, ids, words } = pasteClip(get().graph, clip, offset, withIncoming);
		const reason = tooLarge(changeAt(get().history.present, get().path, () => graph));
		if (reason) {
			refuse(`Nothing was pasted. ${reason}`);
			return;
		}
		get().change(() => graph);
		if (ids.length > 0) choose(ids);
		const count = `${ids.length} ${ids.length === 1 ? "thing was" : "things were"} added.`;
		if (words.length > 0) get().say([...shortened(words), count].join(" "), "refusal");
		else get().say(count);
	};
	return {
		add: (blank, position) => {
			const present = get().graph;
			if (get().readOnly) return "";
			if (isFull()) return refuse(full);
			const other = present.nodes.find((node) => isEnd(node) && node.kind === blank.kind);
			if (other) {
				choose([other.id]);
				return refuse(`A pipeline has one ${blank.kind}: it is there already.`);
			}
			const [changed, id] = place(present, blank, position);
			const reason = outgrown(changed);
			if (reason) return refuse(reason);
			get().change(() => changed);
			choose([id]);
			get().say(`${named(changed, id)} was added.`);
			return id;
		},
		insert: (blank, where) => {
			if (get().readOnly) return "";
			if (isFull()) return refuse(full);
			const { graph, id, reason } = insertStep(get().graph, blank, where);
			const why = reason || outgrown(graph);
			if (why) return refuse(why);
			get().change(() => graph);
			choose([id]);
			const between = where.edge ? " between" : where.from || where.into ? " and wired" : "";
			get().say(`${named(graph, id)} was added${between}.`);
			return id;
		},
		wire: (wire) => {
			const { graph, readOnly } = get();
			if (readOnly) return false;
			const reason = refusal(graph, wire);
			const [converter] = reason ? convertersFor(graph, wire) : [];
			if (reason) get().say(reason, "refusal", converter && { wire, converter });
			else get().change((present) => connect(present, wire));
			return !reason;
		},
		convert: ({ wire, converter }) => {
			if (get().readOnly) return "";
			if (isFull()) return refuse(full);
			const [changed, id] = convertBetween(get().graph, wire, converter);
			if (!id) return refuse("That node is gone.");
			const reason = outgrown(changed);
			if (reason) return refuse(reason);
			get().change(() => changed);
			choose([id]);
			get().say(`“${converter.title}” was put between.`);
			return id;
		},
		unwire: (edge) => get().change((present) => disconnect(present, edge)),
		removeSelected: () => {
			const { nodes, edges } = get().selection;
			const count = nodes.length + edges.length;
			if (count === 0 || get().readOnly) return;
			get().change((present) => remove(present, nodes, edges));
			get().say(count === 1 ? "Removed. Ctrl+Z brings it back." : `${count} things were removed.`);
		},
		nudge: (by) => {
			const { graph, selection, readOnly } = get();
			const things = [...graph.nodes, ...graph.notes];
			const chosen = things.filter(({ id }) => selection.nodes.includes(id));
			if (readOnly || chosen.length === 0) return;
			const moved = chosen.map(({ id, position }) => {
				return [id, { x: position.x + by.x, y: position.y + by.y }] as const;
			});
			const mark = `nudge:${selection.nodes.join()}`;
			get().change((present) => moveNodes(present, new Map(moved)), mark);
			const [first] = moved;
			const one = named(graph, first?.[0] ?? "") ?? "The note";
			const name = chosen.length === 1 ? one : `${chosen.length} things`;
			get().say(`${name} moved to column ${first?.[1].x}, row ${first?.[1].y}.`);
		},
		copy: () => {
			const { graph, selection } = get();
			if (selection.nodes.length === 0) return "";
			const clip = writeClip(graph, selection.nodes);
			set({ clip });
			const count = selection.nodes.length;
			get().say(`${count} ${count === 1 ? "thing was" : "things were"} copied.`);
			return clip;
		},
		cut: () => {
			const clip = get().copy();
			if (clip && !get().readOnly) {
				set({ selection: { nodes: get().selection.nodes, edges: [] } });
				get().removeSelected();
			}
			return clip;
		},
		paste: (text, { at, withIncoming } = {}) => {
			const source = text || get().clip;
			if (!source || get().readOnly) return;
			const clip = readClip(source, here);
			if (typeof clip === "string") get().say(clip, "refusal");
			else put(clip, at ? awayFrom(clip.graph, at, get().graph) : ASIDE, withIncoming);
		},
		duplicate: () => {
			const { graph, selection, readOnly } = get();
			if (readOnly || selection.nodes.length === 0) return;
			const clip = readClip(writeClip(graph, selection.nodes));
			if (typeof clip !== "string") put(clip, ASIDE);
		},
	};
}

/** How far what is pasted has to move, so that it begins at `at` and covers nothing exactly. */
function awayFrom(clip: Graph, at: Position, level: Graph): Position {
	const things = [...clip.nodes, ...clip.notes].map(({ position }) => position);
	const corner = {
		x: Math.min(...things.map(({ x }) => x)),
		y: Math.min(...things.map(({ y }) => y)),
	};
	const taken = new Set(level.nodes.map(({ position }) => `${position.x} ${position.y}`));
	let { x, y } = toGrid(at);
	const covers = () =>
		things.some((one) => taken.has(`${one.x - corner.x + x} ${one.y - corner.y + y}`));
	while (covers()) [x, y] = [x + ASIDE.x, y + ASIDE.y];
	return { x: x - corner.x, y: y - corner.y };
}

/** The first few sentences, and how many more there are. */
function shortened(words: readonly string[]): string[] {
	const more = words.length - 3;
	return more > 0 ? [...words.slice(0, 3), `And ${more} more like these.`] : [...words];
}
