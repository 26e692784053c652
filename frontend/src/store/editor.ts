// The drawing on the screen: its history, what is selected, what people are told.

import { createStore } from "zustand/vanilla";
import {
	addressOf,
	begin,
	changeAt,
	check,
	commit,
	ENGINE_KINDS,
	type Graph,
	type GraphNode,
	graphAt,
	type History,
	nodeById,
	type Path,
	type Problem,
	problemsAt,
	redo,
	TOP,
	undo,
	wayLeft,
	whereTheyDiffer,
} from "../graph";
import type { Here } from "./clipboard";
import { type Drawing, drawing, type Fix } from "./drawing";

export interface Selection {
	readonly nodes: readonly string[];
	readonly edges: readonly string[];
}

/** The handle from which a wire is being drawn. */
export interface Loose {
	readonly node: string;
	readonly field: string;
	readonly role: "input" | "output";
}

export interface Said {
	readonly text: string;
	readonly tone: "info" | "refusal";
	readonly number: number;
	/** What a key press would do about it. */
	readonly fix?: Fix | undefined;
}

export interface EditorState extends Drawing {
	/** Of the outermost pipeline, which is what is saved. */
	history: History<Graph>;
	/** The level that is shown: empty for the outermost pipeline. */
	path: Path;
	/** The pipeline at the end of `path`: everything below acts on it. */
	graph: Graph;
	/** Of all levels, as the outermost one knows them. */
	problems: readonly Problem[];
	/** Those of the level that is shown. */
	here: readonly Problem[];
	selection: Selection;
	loose: Loose | null;
	/** The last thing that was said, for the hint and for screen readers. */
	said: Said;
	/** What was copied last, as text; the browser's clipboard may be forbidden. */
	clip: string;
	readOnly: boolean;

	/** Take over what the server found in `graph`, which it was just given. */
	judge(graph: Graph, problems: readonly Problem[]): void;
	/** Change the level that is shown. */
	change(action: (graph: Graph) => Graph, mark?: string): void;
	/** Put another outermost pipeline in the place of this one; it can be undone. */
	replace(root: Graph): void;
	/** Show another level; selects `nodes` there. */
	open(path: Path, nodes?: readonly string[]): void;
	undo(): void;
	redo(): void;
	select(nodes: readonly string[], edges?: readonly string[]): void;
	selectAll(): void;
	say(text: string, tone?: Said["tone"], fix?: Fix): void;
	/** What was said stays, what it offered does not. */
	forgetFix(): void;
	setLoose(loose: Loose | null): void;
}

export type Editor = ReturnType<typeof createEditor>;

const NOTHING: Selection = { nodes: [], edges: [] };

/** `kinds` are those that the server runs, `here` is what the project has. */
export function createEditor(
	graph: Graph,
	readOnly = false,
	kinds = ENGINE_KINDS,
	here: Here | null = null,
) {
	/** What only the server can see, each with the node as it was: true until that one changes. */
	let beyond: readonly { problem: Problem; node: GraphNode | undefined }[] = [];
	/** By drawing: the first one is asked for several times, and undo comes back to earlier ones. */
	const checked = new WeakMap<Graph, readonly Problem[]>();
	const seenIn = (present: Graph): readonly Problem[] => {
		const found = checked.get(present) ?? check(present, kinds);
		checked.set(present, found);
		return found;
	};
	const problemsOf = (present: Graph): readonly Problem[] => [
		...seenIn(present),
		...beyond
			.filter(({ problem, node }) => nodeById(present, problem.node) === node)
			.map(({ problem }) => problem),
	];
	return createStore<EditorState>()((set, get) => {
		/** Take over a history, and show the level at `path`, or as near to it as there still is. */
		const show = (history: History<Graph>, path = get().path): void => {
			const root = history.present;
			const way = wayLeft(root, path);
			const graph = graphAt(root, way) ?? root;
			if (root === get().history.present && way === get().path) {
				set({ history });
				return;
			}
			const ids = new Set([...graph.nodes, ...graph.notes].map((one) => one.id));
			const edges = new Set(graph.edges.map((edge) => edge.id));
			const { selection } = get();
			const problems = root === get().history.present ? get().problems : problemsOf(root);
			set({
				history,
				path: sameWay(way, get().path) ? get().path : way,
				graph,
				problems,
				here: problemsAt(problems, way),
				selection: {
					nodes: selection.nodes.filter((id) => ids.has(id)),
					edges: selection.edges.filter((id) => edges.has(id)),
				},
			});
		};
		/** After undo and redo people are shown the level where something has changed. */
		const jump = (history: History<Graph>): void => {
			const { history: before, path } = get();
			if (get().readOnly || history.present === before.present) return;
			const seen = graphAt(history.present, path) !== graphAt(before.present, path);
			show(history, seen ? path : whereTheyDiffer(before.present, history.present));
		};
		return {
			history: begin(graph),
			path: TOP,
			graph,
			problems: seenIn(graph),
			here: seenIn(graph),
			selection: NOTHING,
			loose: null,
			said: { text: "", tone: "info", number: 0 },
			clip: "",
			readOnly,

			judge: (graph, problems) => {
				const seen = new Set(seenIn(graph).map(sameAs));
				beyond = problems
					.filter((problem) => !seen.has(sameAs(problem)))
					.map((problem) => ({ problem, node: nodeById(graph, problem.node) }));
				const found = problemsOf(get().history.present);
				set({ problems: found, here: problemsAt(found, get().path) });
			},
			change: (action, mark = "") => {
				if (get().readOnly) return;
				const { history, path } = get();
				// Levels number their nodes alike: what is typed in two of them is undone apart.
				const own = mark && addressOf(path) + mark;
				show(commit(history, changeAt(history.present, path, action), own));
			},
			replace: (next) => show(commit(get().history, next)),
			open: (path, nodes = []) => {
				show(get().history, path);
				set({ selection: { nodes, edges: [] }, loose: null });
			},
			undo: () => jump(undo(get().history)),
			redo: () => jump(redo(get().history)),
			select: (nodes, edges = []) => set({ selection: { nodes, edges } }),
			selectAll: () => {
				const { nodes, edges, notes } = get().graph;
				get().select(
					[...nodes, ...notes].map((one) => one.id),
					edges.map((edge) => edge.id),
				);
			},
			say: (text, tone = "info", fix) =>
				set((state) => ({ said: { text, tone, number: state.said.number + 1, fix } })),
			forgetFix: () => set(({ said: { fix: _, ...said } }) => ({ said })),
			setLoose: (loose) => set({ loose }),
			...drawing(set, get, here),
		};
	});
}

/** The same place and kind of problem: the sentences may differ. */
function sameAs({ code, node, field, edge, inside = [] }: Problem): string {
	return JSON.stringify([code, node, field, edge, inside]);
}

function sameWay(one: Path, other: Path): boolean {
	return JSON.stringify(one) === JSON.stringify(other);
}
