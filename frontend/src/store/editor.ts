// The drawing on the screen: its history, what is selected, what people are told.

import { createStore } from "zustand/vanilla";
import {
	type Blank,
	begin,
	check,
	commit,
	connect,
	cut,
	disconnect,
	ENGINE_KINDS,
	type Graph,
	type GraphNode,
	type History,
	isEnd,
	MOST_NODES,
	nodeById,
	type Position,
	type Problem,
	paste,
	addNode as place,
	redo,
	refusal,
	remove,
	undo,
	type Wire,
} from "../graph";

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

export interface EditorState {
	history: History<Graph>;
	problems: readonly Problem[];
	selection: Selection;
	loose: Loose | null;
	/** The last thing that was said, for the hint and for screen readers. */
	said: { text: string; tone: "info" | "refusal"; number: number };
	clip: Graph | null;
	readOnly: boolean;

	/** Take over what the server found in `graph`, which it was just given. */
	judge(graph: Graph, problems: readonly Problem[]): void;
	change(action: (graph: Graph) => Graph, mark?: string): void;
	replace(graph: Graph): void;
	undo(): void;
	redo(): void;
	select(nodes: readonly string[], edges?: readonly string[]): void;
	selectAll(): void;
	say(text: string, tone?: "info" | "refusal"): void;
	setLoose(loose: Loose | null): void;
	add(blank: Blank, position: Position): string;
	wire(wire: Wire): boolean;
	unwire(edge: string): void;
	removeSelected(): void;
	copy(): void;
	paste(): void;
	duplicate(): void;
}

export type Editor = ReturnType<typeof createEditor>;

const NOTHING: Selection = { nodes: [], edges: [] };
const ASIDE: Position = { x: 40, y: 40 };

/** `kinds` are those that the server runs. */
export function createEditor(graph: Graph, readOnly = false, kinds = ENGINE_KINDS) {
	/** What only the server can see, each with the node as it was: true until that one changes. */
	let beyond: readonly { problem: Problem; node: GraphNode | undefined }[] = [];
	const problemsOf = (present: Graph): Problem[] => [
		...check(present, kinds),
		...beyond
			.filter(({ problem, node }) => nodeById(present, problem.node) === node)
			.map(({ problem }) => problem),
	];
	return createStore<EditorState>()((set, get) => {
		const show = (history: History<Graph>): void => {
			if (history.present === get().history.present) {
				set({ history });
				return;
			}
			const ids = new Set(history.present.nodes.map((node) => node.id));
			const edges = new Set(history.present.edges.map((edge) => edge.id));
			const { selection } = get();
			set({
				history,
				problems: problemsOf(history.present),
				selection: {
					nodes: selection.nodes.filter((id) => ids.has(id)),
					edges: selection.edges.filter((id) => edges.has(id)),
				},
			});
		};
		const put = (clip: Graph | null): void => {
			if (!clip || get().readOnly) return;
			const [changed, ids] = paste(get().history.present, clip, ASIDE);
			if (changed.nodes.length > MOST_NODES) {
				get().say(`A pipeline may have ${MOST_NODES} nodes.`, "refusal");
				return;
			}
			if (ids.length < clip.nodes.length) {
				get().say("A pipeline has one input and one output: they were left out.", "refusal");
			}
			get().change(() => changed);
			if (ids.length > 0) set({ selection: { nodes: ids, edges: [] } });
		};
		return {
			history: begin(graph),
			problems: check(graph, kinds),
			selection: NOTHING,
			loose: null,
			said: { text: "", tone: "info", number: 0 },
			clip: null,
			readOnly,

			judge: (graph, problems) => {
				const seen = new Set(check(graph, kinds).map(sameAs));
				beyond = problems
					.filter((problem) => !seen.has(sameAs(problem)))
					.map((problem) => ({ problem, node: nodeById(graph, problem.node) }));
				set({ problems: problemsOf(get().history.present) });
			},
			change: (action, mark = "") => {
				if (get().readOnly) return;
				show(commit(get().history, action(get().history.present), mark));
			},
			replace: (next) => show(commit(get().history, next)),
			undo: () => show(get().readOnly ? get().history : undo(get().history)),
			redo: () => show(get().readOnly ? get().history : redo(get().history)),
			select: (nodes, edges = []) => set({ selection: { nodes, edges } }),
			selectAll: () => {
				const { nodes, edges } = get().history.present;
				get().select(
					nodes.map((node) => node.id),
					edges.map((edge) => edge.id),
				);
			},
			say: (text, tone = "info") =>
				set((state) => ({ said: { text, tone, number: state.said.number + 1 } })),
			setLoose: (loose) => set({ loose }),
			add: (blank, position) => {
				const { present } = get().history;
				if (get().readOnly) return "";
				if (present.nodes.length >= MOST_NODES) {
					get().say(`A pipeline may have ${MOST_NODES} nodes.`, "refusal");
					return "";
				}
				const other = present.nodes.find((node) => isEnd(node) && node.kind === blank.kind);
				if (other) {
					get().say(`A pipeline has one ${blank.kind}: it is there already.`, "refusal");
					set({ selection: { nodes: [other.id], edges: [] } });
					return "";
				}
				const [changed, id] = place(present, blank, position);
				get().change(() => changed);
				set({ selection: { nodes: [id], edges: [] } });
				get().say(`${changed.nodes.at(-1)?.name} was added.`);
				return id;
			},
			wire: (wire) => {
				const reason = refusal(get().history.present, wire);
				if (reason) get().say(reason, "refusal");
				else get().change((present) => connect(present, wire));
				return !reason;
			},
			unwire: (edge) => get().change((present) => disconnect(present, edge)),
			removeSelected: () => {
				const { nodes, edges } = get().selection;
				const count = nodes.length + edges.length;
				if (count === 0 || get().readOnly) return;
				get().change((present) => remove(present, nodes, edges));
				get().say(
					count === 1 ? "Removed. Ctrl+Z brings it back." : `${count} things were removed.`,
				);
			},
			copy: () => {
				const { nodes } = get().selection;
				if (nodes.length > 0) set({ clip: cut(get().history.present, nodes) });
			},
			paste: () => put(get().clip),
			duplicate: () => put(cut(get().history.present, get().selection.nodes)),
		};
	});
}

/** The same place and kind of problem: the sentences may differ. */
function sameAs({ code, node, field, edge }: Problem): string {
	return JSON.stringify([code, node, field, edge]);
}
