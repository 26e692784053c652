// What the page knows of saving, and what it can ask for.

import type { Saved } from "../api/client";
import type { Graph } from "../graph";
import type { Choices } from "../graph/conflicts";
import type { Clash } from "./clash";
import type { Draft, Kept } from "./drafts";

export interface SaverState {
	phase: "saved" | "unsaved" | "saving" | "failed" | "signed-out" | "conflict";
	/** Why it was not saved. */
	message: string;
	/** Whether that is because the session has ended. */
	isSignedOut: boolean;
	/** When it is tried again by itself, in milliseconds; null when it is not. */
	nextTry: number | null;
	revision: number;
	/** What somebody else has saved, while nobody has decided. */
	conflict: Clash | null;
	/** Edits of a tab that is gone, which were never saved. */
	draft: Draft | null;
	/** The versions that gave way last; they can be downloaded. */
	kept: readonly Kept[];
	/** What somebody else saved and this page has loaded by itself. */
	news: { readonly by: string; readonly before: Graph; readonly after: Graph } | null;

	saveNow(): Promise<boolean>;
	/** Save both sides' work. False while a conflict is undecided, or when it was not saved. */
	saveMerged(choices: Choices): Promise<boolean>;
	loadTheirs(): void;
	/** Whether somebody else has saved: it is loaded when nothing is unsaved here. */
	lookAgain(): Promise<void>;
	/** Take over what the server has made itself, such as a restored version. */
	adopt(answer: Saved): boolean;
	/** Look for edits that tabs have left which are gone. */
	findDrafts(): Promise<void>;
	restoreDraft(): Promise<void>;
	dropDraft(): void;
	forgetKept(): void;
	forgetNews(): void;
}
