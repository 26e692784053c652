// Running the pipeline on one input: start, look again until it is done, tell it node by node;
// all of it, up to a step, one step, or what follows from a value that people wrote.

import { createStore } from "zustand/vanilla";
import { ApiError } from "../api/client";
import type { LastTry, Nodes, RunAnswer, RunRequest, RunStarted, Step, Values } from "../api/runs";
import { type Graph, lookUp } from "../graph";
import type { Editor } from "./editor";
import { type Goal, planOf, WHOLE } from "./goals";
import { inputFields, inputsReadBy, readInputs, type Texts, writeInputs } from "./inputs";
import { type Known, learn, type Ran, type Sources, staleIn } from "./known";
import { mergeNodes, settle } from "./noderuns";
import { follow } from "./watching";

/** A row of a dataset from which the inputs were taken. */
export interface Row {
	readonly dataset: string;
	readonly number: number;
	readonly values: Values;
	/** What the dataset says the outputs should be. */
	readonly expected: Values;
}

/** What all calls, tokens and waiting of a run came to. */
interface Spent {
	readonly seconds: number;
	readonly cost: number;
	readonly calls: number;
}

export interface TryState extends Sources {
	connection: string;
	/** What people wrote, by field name; lists are one item a line. */
	inputs: Texts;
	/** Why what they wrote is no value, by field name. */
	told: Texts;
	/** The row that the inputs are, or nothing. */
	row: Row | null;
	phase: "idle" | "starting" | RunAnswer["state"];
	message: string;
	/** The run that is shown. */
	run: string;
	goal: Goal;
	outputs: Values;
	steps: readonly Step[];
	/** How every step fares, by its path. */
	nodes: Nodes;
	spent: Spent;
	/** What was run; the drawing may have changed since. */
	ran: (Ran & { readonly row: Row | null }) | null;
	known: Readonly<Record<string, Known>>;
	edits: Readonly<Record<string, Values>>;
	/** By node id: why its last values are not what it would write now. */
	stale: ReadonlyMap<string, string>;

	setConnection(slug: string): void;
	setInput(name: string, text: string): void;
	/** Fill the form with a row of a dataset. */
	pick(row: Row): void;
	/** Run all of it. */
	start(): Promise<void>;
	runUntil(node: string): Promise<void>;
	runOnly(node: string): Promise<void>;
	/** Take the value of this step as it is shown, and run what follows from it. */
	runRest(node: string): Promise<void>;
	/** Run again what was run last. */
	again(): Promise<void>;
	cancel(): Promise<void>;
	/** Write over what a step said; `undefined`: it has no value until people write one. */
	edit(node: string, field: string, value: unknown): void;
	/** Back to what it said itself. */
	reset(node: string): void;
	/** Take over the last try of an earlier visit. */
	remember(last: LastTry, run: RunAnswer, graph: Graph | null): void;
}

export interface TryOptions {
	editor: Editor;
	connection: string;
	/** Save first: the server runs what it has. False when that did not work. */
	save(): Promise<boolean>;
	start(asked: RunRequest): Promise<RunStarted>;
	read(run: string): Promise<RunAnswer>;
	cancel(run: string): Promise<unknown>;
	/** An input is missing or wrong: show people where. */
	ask?(): void;
	wait?(ms: number): Promise<void>;
}

export type Trying = ReturnType<typeof createTrying>;

const NOTHING: Spent = { seconds: 0, cost: 0, calls: 0 };

export function createTrying({
	editor,
	connection,
	save,
	start,
	read,
	cancel,
	ask = () => {},
	wait,
}: TryOptions) {
	const store = createStore<TryState>()((set, get) => {
		let current = 0;
		const drawn = () => editor.getState().history.present;
		const fail = (message: string) =>
			set((state) => ({ phase: "failed", message, nodes: settle(state.nodes) }));
		const take = (answer: RunAnswer) =>
			set((state) => {
				const told = answer.report?.nodes ?? answer.live?.nodes ?? state.nodes;
				const merged = mergeNodes(state.nodes, told);
				const nodes = isFinal(answer.state) ? settle(merged) : merged;
				const known = state.ran ? learn(state.known, state.ran, state.nodes, nodes) : state.known;
				return {
					phase: answer.state,
					message: answer.error || (answer.state === "cancelled" ? "It was cancelled." : ""),
					outputs: answer.report?.outputs ?? {},
					steps: answer.report?.steps ?? [],
					nodes,
					spent: spentOf(answer),
					known,
					edits: withoutNew(state, known),
				};
			});

		const launch = async (goal: Goal): Promise<void> => {
			const { readOnly } = editor.getState();
			if (readOnly || isBusy(get().phase)) return;
			const graph = drawn();
			const { inputs, row } = get();
			const plan = planOf(graph, goal, get());
			if (plan.obstacle) return editor.getState().say(plan.obstacle, "refusal");
			const fields = inputFields(graph);
			const needed = inputsReadBy(graph, plan.runs);
			const { values, told } = readInputs(fields, inputs, needed);
			set({ told });
			if (Object.keys(told).length > 0) return ask();

			current += 1;
			const mine = current;
			set({
				...{ phase: "starting", message: "", run: "", goal, spent: NOTHING },
				...{ outputs: {}, steps: [], nodes: {} },
				ran: { graph, inputs, given: plan.given, row },
			});
			if (!(await save())) {
				return fail("It was not run, because your last edits could not be saved.");
			}
			const asked: RunRequest = {
				connection: get().connection,
				inputs: values,
				...(plan.until ? { until: plan.until } : {}),
				...(Object.keys(plan.given).length > 0 ? { given: byName(graph, plan.given) } : {}),
			};
			try {
				const { run } = await start(asked);
				set({ run, phase: "queued" });
				await follow({
					read: () => read(run),
					take,
					isOver: () => mine !== current || isFinal(get().phase),
					...(wait ? { wait } : {}),
				});
			} catch (error) {
				if (!(error instanceof ApiError)) throw error;
				if (mine === current) fail(error.message);
			}
		};

		return {
			connection,
			inputs: {},
			told: {},
			row: null,
			phase: "idle",
			message: "",
			run: "",
			goal: WHOLE,
			outputs: {},
			steps: [],
			nodes: {},
			spent: NOTHING,
			ran: null,
			known: {},
			edits: {},
			stale: new Map(),

			setConnection: (slug) => set({ connection: slug }),
			setInput: (name, text) =>
				set((state) => ({
					inputs: { ...state.inputs, [name]: text },
					told: without(state.told, name),
					row: null,
				})),
			pick: (row) =>
				set((state) => ({
					inputs: { ...state.inputs, ...writeInputs(inputFields(drawn()), row.values) },
					told: {},
					row,
				})),
			start: () => launch(WHOLE),
			runUntil: (node) => launch({ kind: "until", node }),
			runOnly: (node) => launch({ kind: "only", node }),
			runRest: (node) => launch({ kind: "rest", node }),
			again: () => launch(get().goal),
			cancel: async () => {
				const { run } = get();
				if (!run) return;
				try {
					await cancel(run);
				} catch (error) {
					if (!(error instanceof ApiError)) throw error;
					set({ message: error.message });
				}
			},
			edit: (node, field, value) =>
				set(({ edits }) => ({
					edits: { ...edits, [node]: { ...edits[node], [field]: value } },
				})),
			reset: (node) => set(({ edits }) => ({ edits: without(edits, node) })),
			remember: (last, answer, graph) => {
				const { phase, inputs, connection } = get();
				if (phase !== "idle" || Object.keys(inputs).length > 0) return;
				const texts = writeInputs(inputFields(drawn()), last.inputs ?? {});
				const nodes = answer.report?.nodes ?? {};
				const ran = graph && { graph, inputs: texts, given: givenIn(graph, nodes), row: null };
				set({
					inputs: texts,
					connection: last.connection || connection,
					outputs: answer.report?.outputs ?? {},
					steps: answer.report?.steps ?? [],
					ran,
					known: ran ? learn({}, ran, {}, nodes, true) : {},
				});
			},
		};
	});

	/** Nothing is asked of the drawing until a step has said something. */
	const judge = () => {
		const state = store.getState();
		if (Object.keys(state.known).length === 0) return;
		const stale = staleIn(editor.getState().history.present, state);
		if (!sameReasons(stale, state.stale)) store.setState({ stale });
	};
	store.subscribe((now, before) => {
		const isSame =
			now.known === before.known && now.edits === before.edits && now.inputs === before.inputs;
		if (!isSame) judge();
	});
	editor.subscribe((now, before) => {
		if (now.history.present !== before.history.present) judge();
	});
	return store;
}

function isFinal(phase: TryState["phase"]): boolean {
	return phase === "succeeded" || phase === "failed" || phase === "cancelled";
}

export function isBusy(phase: TryState["phase"]): boolean {
	return phase === "starting" || phase === "queued" || phase === "running";
}

/** The step of a node: predictors are named by the node they belong to. */
export function stepOf(steps: readonly Step[], name: string): Step | undefined {
	return steps.findLast((step) => step.path === name || step.path.startsWith(`${name}.`));
}

function spentOf({ seconds = 0, cost = 0, calls = 0 }: RunAnswer): Spent {
	return { seconds, cost, calls };
}

/** What people wrote over a value is gone when the step has said another one. */
function withoutNew({ known, edits }: TryState, now: TryState["known"]): TryState["edits"] {
	const isOld = ([id]: [string, unknown]) => known[id] === now[id];
	return Object.keys(edits).every((id) => known[id] === now[id])
		? edits
		: Object.fromEntries(Object.entries(edits).filter(isOld));
}

function byName(graph: Graph, given: Ran["given"]): Readonly<Record<string, Values>> {
	return Object.fromEntries(
		Object.entries(given).map(([id, values]) => [lookUp(graph, id)?.name ?? id, values]),
	);
}

/** What was given in a run of an earlier visit, by node id. */
function givenIn(graph: Graph, nodes: Nodes): Ran["given"] {
	const given = graph.nodes.filter(({ name }) => nodes[name]?.state === "given");
	return Object.fromEntries(given.map(({ id, name }) => [id, nodes[name]?.outputs ?? {}]));
}

function without<T>(record: Readonly<Record<string, T>>, key: string): Record<string, T> {
	return Object.fromEntries(Object.entries(record).filter(([other]) => other !== key));
}

function sameReasons(
	one: ReadonlyMap<string, string>,
	other: ReadonlyMap<string, string>,
): boolean {
	return one.size === other.size && [...one].every(([id, reason]) => other.get(id) === reason);
}
