// Saving: by itself a second after the last change, never over somebody else's work.

import { createStore } from "zustand/vanilla";
import { ApiError, type Saved } from "../api/client";
import { type Graph, type Problem, readSpec, type Spec, toSpec } from "../graph";
import { sameGraph } from "../graph/aspects";
import type { Choices } from "../graph/conflicts";
import { merge } from "../graph/merge";
import { rebase } from "../graph/rebase";
import { sharing } from "../graph/share";
import { baseOfDraft, type Clash, clashOf, isSignedOut, type RevisionAt } from "./clash";
import type { Draft, Drafts, Kept } from "./drafts";
import type { Editor } from "./editor";
import type { Neighbours } from "./neighbours";
import type { SaverState } from "./saving";

export interface SaverOptions {
	editor: Editor;
	drafts: Drafts;
	revision: number;
	save(spec: Spec, base_revision: number): Promise<Saved>;
	/** What the server has now. */
	look?: () => Promise<Saved>;
	/** The drawing at an earlier revision; fails when it is not kept. */
	revisionAt?: RevisionAt;
	neighbours?: Neighbours;
	now?: () => number;
}

export type Saver = ReturnType<typeof createSaver>;

const DELAY_MS = 1_000;
/** Between tries while the server is away. */
const PAUSES_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

export function createSaver(options: SaverOptions) {
	const { editor, drafts, revision, save, neighbours, now = Date.now } = options;
	const revisionAt: RevisionAt =
		options.revisionAt ?? (() => Promise.reject(new Error("not kept")));
	/** The drawing as the server has it. */
	let onServer: Graph = editor.getState().history.present;
	/** What a draft of now is made from: that, or while two have saved what both came from. */
	let baseSpec: Spec = toSpec(onServer);
	/** Sent over that without an answer. */
	let doubts: Graph[] = [];
	let timer: ReturnType<typeof setTimeout> | undefined;
	let flight: Promise<boolean> | null = null;
	let failures = 0;

	const present = () => editor.getState().history.present;
	/** What is in doubt is not what the server has, even when it was undone. */
	const isDirty = () => present() !== onServer || doubts.length > 0;
	const settle = (graph: Graph) => {
		onServer = graph;
		baseSpec = toSpec(graph);
		doubts = [];
	};

	const store = createStore<SaverState>()((set, get) => {
		const schedule = (delay: number) => {
			clearTimeout(timer);
			timer = setTimeout(() => void get().saveNow(), delay);
		};
		const keepDraft = () =>
			drafts.write({
				spec: toSpec(present()),
				base: baseSpec,
				base_revision: get().revision,
				at: now(),
			});
		const goOn = (): true => {
			failures = 0;
			set({ message: "", isSignedOut: false, nextTry: null, conflict: null });
			if (isDirty()) {
				keepDraft();
				set({ phase: "unsaved" });
				schedule(DELAY_MS);
			} else {
				drafts.drop();
				set({ phase: "saved" });
			}
			return true;
		};
		const land = (saved: Graph, next: number, problems?: Problem[]): true => {
			settle(saved);
			set({ revision: next });
			if (problems) editor.getState().judge(saved, problems);
			neighbours?.saved(next);
			return goOn();
		};
		/** Show `graph`, with what `theirs` did in every state that undo reaches. */
		const showMerged = (graph: Graph, base: Graph, theirs: Graph, choices: Choices = {}) => {
			const { history } = editor.getState();
			editor.getState().replace(graph);
			editor.setState({ history: rebase(history, base, theirs, present(), choices) });
		};
		const setAside = (...kept: Kept[]) => {
			for (const one of kept) drafts.keep(one);
			set({ kept });
		};
		const dispute = (conflict: Clash, message: string): void => {
			baseSpec = toSpec(conflict.base);
			set({ phase: "conflict", message, conflict, nextTry: null });
		};
		const collide = async (error: ApiError): Promise<boolean> => {
			const sent = { base: get().revision, known: onServer, doubts };
			const read = await clashOf(error, sent, revisionAt);
			if (!read) return fail("failed", `${error.message} Reload the page to see it.`);
			if ("graph" in read) return land(read.graph, read.revision);
			const [base, theirs] = [sharing(read.base, onServer), sharing(read.theirs, onServer)];
			const found: Clash = { ...read, base, theirs };
			const { graph, conflicts } = merge(found.base, present(), found.theirs);
			if (conflicts.length === 0 && sameGraph(graph, present())) {
				// All that they did is done here, too: there is nothing to ask.
				const isAll = sameGraph(graph, found.theirs);
				return land(isAll ? present() : found.theirs, found.revision);
			}
			dispute(found, error.message);
			keepDraft();
			return false;
		};
		const fail = (phase: "failed" | "signed-out", message: string): false => {
			set({ phase, message, isSignedOut: phase === "signed-out", nextTry: null });
			return false;
		};
		const stumble = async (error: unknown, graph: Graph): Promise<boolean> => {
			if (!(error instanceof ApiError)) {
				// Without this the page would say “Saving…” for ever.
				fail("failed", "Something went wrong on this page.");
				throw error;
			}
			if (error.status === 409) {
				drafts.sending(null);
				return collide(error);
			}
			const isAway = error.status === 0 || error.status === 429 || error.status >= 500;
			if (isAway) doubts = doubts.includes(graph) ? doubts : [...doubts, graph];
			else drafts.sending(null);
			fail(isSignedOut(error) ? "signed-out" : "failed", error.message);
			// A refusal stays one until something changes; a server that is away may come back.
			if (!isAway && !isSignedOut(error)) return false;
			const pause = PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)] ?? 0;
			failures += 1;
			set({ nextTry: now() + pause });
			schedule(pause);
			return false;
		};
		const send = async (): Promise<boolean> => {
			const graph = present();
			const spec = toSpec(graph);
			set({ phase: "saving", nextTry: null });
			drafts.sending(spec);
			try {
				const { revision: next, problems } = await save(spec, get().revision);
				drafts.sending(null);
				return land(graph, next, problems);
			} catch (error) {
				return await stumble(error, graph);
			}
		};
		const read = (spec: unknown): Graph | null => {
			const { graph, refused } = readSpec(spec);
			if (!graph) editor.getState().say(refused, "refusal");
			return graph && sharing(graph, onServer);
		};
		const baseOf = (draft: Draft) =>
			baseOfDraft(draft, { revision: get().revision, graph: onServer }, revisionAt);
		return {
			phase: "saved",
			message: "",
			isSignedOut: false,
			nextTry: null,
			revision,
			conflict: null,
			draft: null,
			kept: [],
			news: null,

			saveNow: async () => {
				clearTimeout(timer);
				if (get().conflict) return false;
				// Who asked for that one is told how it went.
				while (flight) await flight.catch(() => false);
				if (get().conflict) return false;
				if (!isDirty()) return goOn();
				clearTimeout(timer);
				flight = send();
				try {
					return await flight;
				} finally {
					flight = null;
				}
			},
			saveMerged: async (choices) => {
				const { conflict } = get();
				if (!conflict) return false;
				const { base, theirs, revision: next } = conflict;
				const mine = present();
				const { graph, conflicts } = merge(base, mine, theirs, choices);
				if (conflicts.some(({ key }) => !choices[key])) return false;
				const at = now();
				setAside(
					{ spec: toSpec(mine), base_revision: get().revision, at, whose: "mine" },
					{ spec: toSpec(theirs), base_revision: next, at, whose: "theirs" },
				);
				settle(theirs);
				set({ conflict: null, phase: "unsaved", revision: next });
				showMerged(sameGraph(graph, theirs) ? theirs : graph, base, theirs, choices);
				return isDirty() ? get().saveNow() : goOn();
			},
			loadTheirs: () => {
				const { conflict } = get();
				if (!conflict) return;
				const spec = toSpec(present());
				setAside({ spec, base_revision: get().revision, at: now(), whose: "mine" });
				clearTimeout(timer);
				settle(conflict.theirs);
				set({ conflict: null, revision: conflict.revision });
				editor.getState().replace(conflict.theirs);
				goOn();
			},
			lookAgain: async () => {
				const isQuiet = () => get().phase === "saved" && !isDirty() && !flight;
				if (!options.look || !isQuiet()) return;
				let found: Saved;
				try {
					found = await options.look();
				} catch (error) {
					if (error instanceof ApiError) return; // Nothing is unsaved: the next save will tell.
					throw error;
				}
				if (found.revision <= get().revision || !isQuiet()) return;
				const theirs = read(found.spec);
				if (!theirs) return;
				const before = onServer;
				const isSame = sameGraph(before, theirs);
				settle(isSame ? before : theirs);
				set({ revision: found.revision });
				if (isSame) return;
				showMerged(theirs, before, theirs);
				editor.getState().judge(theirs, found.problems);
				const by = await revisionAt(found.revision).then(
					(kept) => kept.by,
					() => "", // The server keeps it no more: then nobody is named.
				);
				set({ news: { by, before, after: theirs } });
			},
			adopt: ({ spec, revision: next, problems }) => {
				const graph = read(spec);
				if (!graph) return false;
				settle(graph);
				set({ revision: next });
				editor.getState().replace(graph);
				return land(graph, next, problems);
			},
			findDrafts: async () => {
				const [left, alive] = await Promise.all([drafts.others(), neighbours?.alive()]);
				for (const draft of left) {
					if (alive?.has(draft.tab) || get().draft) continue;
					const graph = readSpec(draft.spec).graph;
					const isKnown =
						graph &&
						sameGraph(merge(await baseOf(draft), graph, present(), {}, "mine").graph, present());
					// All of it is in the drawing already.
					if (isKnown) drafts.drop(draft.tab);
					else set({ draft });
				}
			},
			restoreDraft: async () => {
				const { draft, conflict } = get();
				const mine = draft && !conflict && read(draft.spec);
				if (!draft || !mine) return;
				if (editor.getState().readOnly) {
					editor.getState().say("You may look, not change: download them.", "refusal");
					return;
				}
				const base = await baseOf(draft);
				// A second press, or somebody's save, while the server was asked.
				if (get().draft !== draft || get().conflict) return;
				const { graph, conflicts } = merge(base, mine, present());
				if (conflicts.length > 0 && isDirty()) {
					editor.getState().say("Save what is drawn here first, then bring them back.", "refusal");
					return;
				}
				set({ draft: null });
				if (conflicts.length > 0) {
					dispute({ revision: get().revision, by: "", base, theirs: onServer }, "");
				}
				editor.getState().replace(conflicts.length > 0 ? mine : graph);
				keepDraft();
				drafts.drop(draft.tab);
				void get().findDrafts();
			},
			dropDraft: () => {
				const { draft } = get();
				if (!draft) return;
				const { spec, base_revision, at } = draft;
				drafts.keep({ spec, base_revision, at, whose: "mine" });
				drafts.drop(draft.tab);
				set({ draft: null });
				void get().findDrafts();
			},
			forgetKept: () => set({ kept: [] }),
			forgetNews: () => set({ news: null }),
		};
	});

	neighbours?.onSaved((next) => {
		if (next > store.getState().revision) void store.getState().lookAgain();
	});
	editor.subscribe((state, before) => {
		if (state.history.present === before.history.present || state.readOnly) return;
		const { conflict, phase } = store.getState();
		// What is on its way may arrive: then its undo is an edit like any other.
		if (!isDirty() && phase !== "saving") {
			// Undone back to what the server has.
			drafts.drop();
			if (!conflict) {
				clearTimeout(timer);
				store.setState({ phase: "saved", message: "", nextTry: null });
			}
			return;
		}
		drafts.write({
			spec: toSpec(state.history.present),
			base: baseSpec,
			base_revision: store.getState().revision,
			at: now(),
		});
		if (conflict) return;
		// While the server is away the next try stays when it is.
		if (store.getState().nextTry !== null) return;
		if (phase !== "saving") store.setState({ phase: "unsaved", news: null });
		clearTimeout(timer);
		timer = setTimeout(() => void store.getState().saveNow(), DELAY_MS);
	});
	return store;
}
