// Running the pipeline on one input: start, look again until it is done, tell it node by node.

import { createStore } from "zustand/vanilla";
import { ApiError, type RunAnswer, type RunStarted, type Step } from "../api/client";
import { type Graph, isStep } from "../graph";

export type NodeState = "waiting" | "running" | "done" | "failed";

export interface TryState {
	open: boolean;
	connection: string;
	/** What people wrote, by field name; lists are one item a line. */
	inputs: Readonly<Record<string, string>>;
	phase: "idle" | "starting" | RunAnswer["state"];
	message: string;
	/** The run that is shown. */
	run: string;
	outputs: Readonly<Record<string, unknown>>;
	steps: readonly Step[];
	/** The drawing that was run, for telling what is stale. */
	ran: Graph | null;

	toggle(open?: boolean): void;
	setConnection(slug: string): void;
	setInput(name: string, text: string): void;
	start(graph: Graph, values: Record<string, unknown>): Promise<void>;
	cancel(): Promise<void>;
}

export interface TryOptions {
	connection: string;
	/** Save first: the server runs what it has. False when that did not work. */
	save(): Promise<boolean>;
	start(connection: string, inputs: Record<string, unknown>): Promise<RunStarted>;
	read(run: string): Promise<RunAnswer>;
	cancel(run: string): Promise<unknown>;
	wait?: (ms: number) => Promise<void>;
}

export type Trying = ReturnType<typeof createTrying>;

const FIRST_LOOK_MS = 250;
const SLOWEST_LOOK_MS = 1_500;
const MOST_SILENCES = 5;
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

export function createTrying({ connection, save, start, read, cancel, wait = later }: TryOptions) {
	return createStore<TryState>()((set, get) => {
		let current = 0;
		const fail = (message: string) => set({ phase: "failed", message });
		const watch = async (run: string, mine: number) => {
			let pause = FIRST_LOOK_MS;
			for (let silences = 0; mine === current; ) {
				await wait(pause);
				pause = Math.min(pause * 1.4, SLOWEST_LOOK_MS);
				let answer: RunAnswer;
				try {
					answer = await read(run);
				} catch (error) {
					if (!(error instanceof ApiError)) throw error;
					silences += 1;
					// One missed look says nothing about the run.
					if (error.status !== 0 && error.status < 500) return fail(error.message);
					if (silences > MOST_SILENCES) return fail(error.message);
					continue;
				}
				if (mine !== current) return;
				silences = 0;
				set({
					phase: answer.state,
					message: answer.error || (answer.state === "cancelled" ? "It was cancelled." : ""),
					outputs: answer.report?.outputs ?? {},
					steps: answer.report?.steps ?? [],
				});
				if (isFinal(answer.state)) return;
			}
		};
		return {
			open: false,
			connection,
			inputs: {},
			phase: "idle",
			message: "",
			run: "",
			outputs: {},
			steps: [],
			ran: null,

			toggle: (open) => set((state) => ({ open: open ?? !state.open })),
			setConnection: (slug) => set({ connection: slug }),
			setInput: (name, text) => set((state) => ({ inputs: { ...state.inputs, [name]: text } })),
			start: async (graph, values) => {
				current += 1;
				const mine = current;
				set({ phase: "starting", message: "", outputs: {}, steps: [], run: "", ran: graph });
				if (!(await save())) {
					return fail("It was not run, because your last edits could not be saved.");
				}
				try {
					const { run } = await start(get().connection, values);
					if (mine !== current) return;
					set({ run, phase: "queued" });
					await watch(run, mine);
				} catch (error) {
					if (!(error instanceof ApiError)) throw error;
					if (mine === current) fail(error.message);
				}
			},
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
		};
	});
}

export function isFinal(phase: TryState["phase"]): boolean {
	return phase === "succeeded" || phase === "failed" || phase === "cancelled";
}

export function isBusy(phase: TryState["phase"]): boolean {
	return phase === "starting" || phase === "queued" || phase === "running";
}

/** The step of a node: predictors are named by the node they belong to. */
export function stepOf(steps: readonly Step[], name: string): Step | undefined {
	return steps.findLast((step) => step.path === name || step.path.startsWith(`${name}.`));
}

const known = new WeakMap<TryState, Map<string, NodeState>>();

/** How far each step of the drawing that was tried is, by node id. Every node asks; it is found once. */
export function nodeStates(state: TryState): ReadonlyMap<string, NodeState> {
	const found = known.get(state) ?? findStates(state);
	known.set(state, found);
	return found;
}

function findStates(state: TryState): Map<string, NodeState> {
	const graph = state.ran;
	const states = new Map<string, NodeState>();
	if (state.phase === "idle" || graph === null) return states;
	const steps = graph.nodes.filter(isStep);
	const done = new Set(
		steps.filter((node) => stepOf(state.steps, node.name)).map((node) => node.id),
	);
	const ids = new Set(steps.map((node) => node.id));
	for (const node of steps) {
		const ready = graph.edges
			.filter((edge) => edge.target === node.id && ids.has(edge.source))
			.every((edge) => done.has(edge.source));
		if (done.has(node.id) || state.phase === "succeeded") states.set(node.id, "done");
		else if (!ready) states.set(node.id, "waiting");
		else if (state.phase === "failed") states.set(node.id, "failed");
		else states.set(node.id, state.phase === "running" ? "running" : "waiting");
	}
	return states;
}
