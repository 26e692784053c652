// Undo that survives a reload: the history of this pipeline, kept in the browser.

import { type Graph, type GraphNode, type History, readSpec, toSpec, VERSION } from "../graph";
import { sameGraph } from "../graph/aspects";
import { apply, type Change, type Delta, deltaOf, invert } from "../graph/delta";
import type { Attic } from "./attic";
import type { Editor } from "./editor";

const FORMAT = 1;
const MOST_STEPS = 1_000;
/** In letters; most of them take one byte. */
const MOST_LETTERS = 4_000_000;
const DELAY_MS = 500;

/** The deltas as JSON, each a text of its own that is written once. */
interface Memory {
	readonly format: number;
	readonly present: unknown;
	/** From each state to the next, the oldest first; the last one leads to the present. */
	readonly past: readonly string[];
	/** From the present on. */
	readonly future: readonly string[];
}

export interface Remembering {
	/** When what was kept is back. */
	readonly ready: Promise<void>;
	/** Write now what waits to be written. */
	flush(): Promise<void>;
}

/** Bring back the history of earlier visits, and keep it from now on. */
export function remember(editor: Editor, attic: Attic, key: string): Remembering {
	const loaded = editor.getState().history.present;
	const texts = new WeakMap<Graph, WeakMap<Graph, string>>();
	let timer: ReturnType<typeof setTimeout> | undefined;
	let isReady = false;

	const textOf = (before: Graph, after: Graph): string => {
		const known = texts.get(before) ?? new WeakMap<Graph, string>();
		texts.set(before, known);
		const text = known.get(after) ?? JSON.stringify(pack(deltaOf(before, after)));
		known.set(after, text);
		return text;
	};
	const write = async (): Promise<void> => {
		clearTimeout(timer);
		timer = undefined;
		await attic.put(key, memoryOf(editor.getState().history, textOf));
	};
	const writeLater = () => {
		timer ??= setTimeout(() => void write(), DELAY_MS);
	};
	const bringBack = async (): Promise<void> => {
		const kept = readMemory(await attic.get(key));
		isReady = true;
		// What was drawn before this was ready is written with it.
		if (editor.getState().history.past.length > 0) writeLater();
		if (!kept) return;
		const { history } = editor.getState();
		// Edits that were made in the meantime stand after what was kept.
		const past = [...kept.pastOf(loaded), ...history.past];
		const future = history.present === loaded ? kept.futureOf(loaded) : history.future;
		if (past.length + future.length > 0) {
			editor.setState({ history: { ...history, past, future } });
		}
	};
	editor.subscribe((state, before) => {
		if (!isReady || state.history === before.history || state.readOnly) return;
		writeLater();
	});
	const ready = bringBack();
	return {
		ready,
		flush: async () => {
			await ready;
			if (timer !== undefined) await write();
		},
	};
}

/** What is written: the newest steps, as many as there is room for. */
function memoryOf(
	{ past, present, future }: History<Graph>,
	textOf: (before: Graph, after: Graph) => string,
): Memory {
	let [steps, letters] = [0, 0];
	const take = (states: readonly Graph[]): string[] => {
		const kept: string[] = [];
		for (const [index, state] of states.entries()) {
			const next = states[index + 1];
			if (!next) break;
			const text = states === back ? textOf(next, state) : textOf(state, next);
			steps += 1;
			letters += text.length;
			if (steps > MOST_STEPS || letters > MOST_LETTERS) break;
			kept.push(text);
		}
		return kept;
	};
	const back = [present, ...past.slice(-MOST_STEPS).toReversed()];
	const kept = take(back).toReversed();
	return {
		format: FORMAT,
		present: toSpec(present),
		past: kept,
		future: take([present, ...future]),
	};
}

/** The states before and after, on top of what the server has now; null when nothing was kept. */
function readMemory(data: unknown): {
	pastOf(loaded: Graph): Graph[];
	futureOf(loaded: Graph): Graph[];
} | null {
	const memory = data as Partial<Memory> | undefined;
	if (memory?.format !== FORMAT || !Array.isArray(memory.past)) return null;
	const { graph } = readSpec(memory.present);
	if (!graph) return null;
	const past: readonly string[] = memory.past;
	const future: readonly string[] = Array.isArray(memory.future) ? memory.future : [];
	return {
		pastOf: (loaded) => {
			if (sameGraph(graph, loaded)) return walk(loaded, past.toReversed(), invert).toReversed();
			// It was changed elsewhere: one more step leads back to what was here.
			return [...walk(graph, past.toReversed(), invert).toReversed(), graph];
		},
		futureOf: (loaded) => (sameGraph(graph, loaded) ? walk(loaded, future, (delta) => delta) : []),
	};
}

/** State after state, as far as the deltas can be read and fit. */
function walk(from: Graph, texts: readonly string[], turn: (delta: Delta) => Delta): Graph[] {
	const states: Graph[] = [];
	let state = from;
	for (const text of texts) {
		const delta = unpack(text);
		const next = delta && apply(state, turn(delta));
		if (!next) break;
		states.push(next);
		state = next;
	}
	return states;
}

/** Nodes as the server's JSON has them, so that a later page still reads them. */
function pack(delta: Delta): unknown {
	const node = (value: GraphNode | null): unknown =>
		value && toSpec({ nodes: [value], edges: [], notes: [] }).nodes[0];
	return {
		...delta,
		nodes: delta.nodes.map((change) => ({
			...change,
			before: node(change.before),
			after: node(change.after),
		})),
		inside: delta.inside.map(({ node: id, parts }) => ({
			node: id,
			parts: Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, pack(part)])),
		})),
	};
}

function unpack(text: string): Delta | null {
	try {
		return revive(JSON.parse(text) as Delta);
	} catch {
		return null;
	}
}

function revive(delta: Delta): Delta {
	const node = (value: unknown): GraphNode | null => {
		if (value === null) return null;
		const { graph } = readSpec({ version: VERSION, nodes: [value], edges: [] });
		const [found] = graph?.nodes ?? [];
		if (!found) throw new Error("This is no node.");
		return found;
	};
	const nodes = delta.nodes.map(
		(change): Change<GraphNode> => ({
			...change,
			before: node(change.before),
			after: node(change.after),
		}),
	);
	const inside = delta.inside.map(({ node: id, parts }) => ({
		node: id,
		parts: Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, revive(part)])),
	}));
	return { ...delta, nodes, inside };
}
