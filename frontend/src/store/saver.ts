// Saving: by itself a second after the last change, never over somebody else's work.

import { createStore } from "zustand/vanilla";
import { ApiError, type Saved } from "../api/client";
import { type Graph, readSpec, type Spec, toSpec } from "../graph";
import type { Draft, Drafts, Kept } from "./drafts";
import type { Editor } from "./editor";

export interface SaverState {
	phase: "saved" | "unsaved" | "saving" | "failed" | "conflict";
	/** Why it was not saved. */
	message: string;
	revision: number;
	/** What somebody else has saved, while nobody has decided. */
	conflict: { revision: number; spec: unknown } | null;
	/** Edits of an earlier visit that were never saved. */
	draft: Draft | null;
	/** The version that gave way last; it can be downloaded. */
	kept: Kept | null;

	saveNow(): Promise<boolean>;
	loadTheirs(): void;
	keepMine(): Promise<boolean>;
	restoreDraft(): void;
	dropDraft(): void;
	forgetKept(): void;
}

export interface SaverOptions {
	editor: Editor;
	drafts: Drafts;
	revision: number;
	save(spec: Spec, base_revision: number): Promise<Saved>;
	now?: () => number;
}

export type Saver = ReturnType<typeof createSaver>;

const DELAY_MS = 1_000;
const AGAIN_MS = 5_000;

export function createSaver({ editor, drafts, revision, save, now = Date.now }: SaverOptions) {
	/** The drawing as the server has it. */
	let onServer: Graph = editor.getState().history.present;
	let timer: ReturnType<typeof setTimeout> | undefined;
	let flight: Promise<boolean> | null = null;

	const present = () => editor.getState().history.present;
	const isDirty = () => present() !== onServer;

	const store = createStore<SaverState>()((set, get) => {
		const draftOf = (graph: Graph, base_revision: number): Draft => ({
			spec: toSpec(graph),
			base_revision,
			at: now(),
		});
		const schedule = (delay: number) => {
			clearTimeout(timer);
			timer = setTimeout(() => void get().saveNow(), delay);
		};
		const land = (saved: Graph, answer: Saved) => {
			onServer = saved;
			editor.getState().judge(saved, answer.problems);
			set({ revision: answer.revision, message: "", conflict: null });
			if (isDirty()) {
				set({ phase: "unsaved" });
				schedule(DELAY_MS);
				return true;
			}
			drafts.drop();
			set({ phase: "saved" });
			return true;
		};
		const stumble = (error: unknown): false => {
			if (!(error instanceof ApiError)) throw error;
			if (error.status === 409 && typeof error.body.revision === "number") {
				const { revision: theirs, spec } = error.body;
				set({ phase: "conflict", message: error.message, conflict: { revision: theirs, spec } });
				return false;
			}
			set({ phase: "failed", message: error.message });
			// A refusal stays one until something changes; a server that is away may come back.
			if (error.status === 0 || error.status >= 500) schedule(AGAIN_MS);
			return false;
		};
		const send = async (): Promise<boolean> => {
			const graph = present();
			set({ phase: "saving" });
			try {
				return land(graph, await save(toSpec(graph), get().revision));
			} catch (error) {
				return stumble(error);
			}
		};
		const take = (spec: unknown): boolean => {
			const { graph, refused } = readSpec(spec);
			if (!graph) {
				editor.getState().say(refused, "refusal");
				return false;
			}
			editor.getState().replace(graph);
			return true;
		};
		return {
			phase: "saved",
			message: "",
			revision,
			conflict: null,
			draft: null,
			kept: null,

			saveNow: async () => {
				clearTimeout(timer);
				if (get().conflict) return false;
				if (flight) await flight;
				if (!isDirty()) return true;
				flight = send();
				try {
					return await flight;
				} finally {
					flight = null;
				}
			},
			loadTheirs: () => {
				const { conflict } = get();
				if (!conflict) return;
				const mine: Kept = { ...draftOf(present(), get().revision), whose: "mine" };
				drafts.keep(mine);
				if (!take(conflict.spec)) return;
				onServer = present();
				clearTimeout(timer);
				drafts.drop();
				set({
					phase: "saved",
					message: "",
					conflict: null,
					revision: conflict.revision,
					kept: mine,
				});
			},
			keepMine: async () => {
				const { conflict } = get();
				if (!conflict) return false;
				const theirs: Kept = {
					spec: conflict.spec as Spec,
					base_revision: conflict.revision,
					at: now(),
					whose: "theirs",
				};
				drafts.keep(theirs);
				set({ conflict: null, phase: "unsaved", revision: conflict.revision, kept: theirs });
				return get().saveNow();
			},
			restoreDraft: () => {
				const { draft } = get();
				if (!draft) return;
				set({ draft: null });
				// Saving names the revision that the draft began with, so that a newer one conflicts.
				if (draft.base_revision < get().revision) set({ revision: draft.base_revision });
				take(draft.spec);
			},
			dropDraft: () => {
				const { draft } = get();
				if (draft) drafts.keep({ ...draft, whose: "mine" });
				drafts.drop(true);
				set({ draft: null });
			},
			forgetKept: () => set({ kept: null }),
		};
	});

	const left = drafts.read();
	if (left && JSON.stringify(left.spec) !== JSON.stringify(toSpec(onServer))) {
		store.setState({ draft: left });
	}
	editor.subscribe((state, before) => {
		if (state.history.present === before.history.present) return;
		const { draft, conflict, phase } = store.getState();
		if (!isDirty()) {
			// Undone back to what the server has.
			drafts.drop();
			if (phase === "unsaved" || phase === "failed")
				store.setState({ phase: "saved", message: "" });
			return;
		}
		// A draft that nobody has decided on is put aside before a new one takes its place.
		if (draft) store.getState().dropDraft();
		drafts.write({
			spec: toSpec(state.history.present),
			base_revision: store.getState().revision,
			at: now(),
		});
		if (conflict) return;
		if (phase !== "saving") store.setState({ phase: "unsaved" });
		clearTimeout(timer);
		timer = setTimeout(() => void store.getState().saveNow(), DELAY_MS);
	});
	return store;
}
