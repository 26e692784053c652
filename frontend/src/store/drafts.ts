// What is kept in this browser: edits that are not saved yet, and versions that gave way.

import type { Spec } from "../graph";

/** What we need of `localStorage`; it may be full or forbidden, and then nothing is kept. */
export type Shelf = Pick<Storage, "getItem" | "setItem" | "removeItem">;

export interface Draft {
	readonly spec: Spec;
	readonly base_revision: number;
	/** When, in milliseconds. */
	readonly at: number;
	/** The tab that wrote it: another tab's edits are not ours to forget. */
	readonly tab?: string;
}

export interface Kept extends Draft {
	readonly whose: "mine" | "theirs";
}

const MOST_KEPT = 5;

export function createDrafts(shelf: Shelf, project: string, pipeline: string) {
	const draftKey = `compile-studio:draft:${project}/${pipeline}`;
	const keptKey = `compile-studio:kept:${project}/${pipeline}`;
	const write = (key: string, value: unknown): boolean => {
		try {
			shelf.setItem(key, JSON.stringify(value));
			return true;
		} catch {
			return false;
		}
	};
	const tab = Math.random().toString(36).slice(2);
	return {
		write: (draft: Draft): boolean => write(draftKey, { ...draft, tab }),
		read: (): Draft | null => read<Draft>(shelf, draftKey),
		/** Forget the edits of this tab, or whoever's they are. */
		drop: (anybodys = false): void => {
			try {
				if (!anybodys && read<Draft>(shelf, draftKey)?.tab !== tab) return;
				shelf.removeItem(draftKey);
			} catch {
				// Then there is nothing to drop either.
			}
		},
		/** Put a version aside that another one takes the place of. */
		keep: (kept: Kept): boolean => {
			const others = read<Kept[]>(shelf, keptKey) ?? [];
			return write(keptKey, [kept, ...others].slice(0, MOST_KEPT)) || write(keptKey, [kept]);
		},
		kept: (): Kept[] => read<Kept[]>(shelf, keptKey) ?? [],
	};
}

export type Drafts = ReturnType<typeof createDrafts>;

function read<T>(shelf: Shelf, key: string): T | null {
	try {
		const text = shelf.getItem(key);
		return text ? (JSON.parse(text) as T) : null;
	} catch {
		return null;
	}
}
