// What is kept in this browser: edits that are not saved yet, and versions that gave way.
// Every tab has a draft of its own, so that no tab writes over the edits of another.

import type { Spec } from "../graph";
import { type Attic, createMemoryAttic } from "./attic";

/** What we need of `localStorage`; it may be full or forbidden, and then nothing is kept. */
export interface Shelf extends Pick<Storage, "getItem" | "setItem" | "removeItem"> {
	keys(): string[];
}

export interface Draft {
	readonly spec: Spec;
	/** What it was made from; null where an older page has left it. */
	readonly base: Spec | null;
	readonly base_revision: number;
	/** When, in milliseconds. */
	readonly at: number;
	/** The tab that wrote it: another tab's edits are not ours to forget. */
	readonly tab: string;
	/** What was on its way to the server when the page went: it may have arrived. */
	readonly sent: Spec | null;
}

export interface Kept {
	readonly spec: Spec;
	readonly base_revision: number;
	readonly at: number;
	readonly whose: "mine" | "theirs";
}

const MOST_KEPT = 10;

export interface DraftsOptions {
	readonly attic?: Attic;
	readonly tab?: string;
}

export function createDrafts(
	shelf: Shelf,
	project: string,
	pipeline: string,
	{ attic = createMemoryAttic(), tab = newTab() }: DraftsOptions = {},
) {
	const place = `${project}/${pipeline}`;
	const [draftKey, baseKey, sentKey] = ["draft", "base", "sent"].map(
		(what) => (of: string) => `compile-studio:${what}:${place}:${of}`,
	) as [Key, Key, Key];
	const keptKey = `compile-studio:kept:${place}`;
	/** An older page had one draft for all tabs. */
	const oldKey = `compile-studio:draft:${place}`;
	let basis: Spec | null = null;
	let isInAttic = false;

	const write = (key: string, value: unknown): boolean => {
		try {
			shelf.setItem(key, JSON.stringify(value));
			return true;
		} catch {
			return false;
		}
	};
	const forget = (...keys: string[]): void => {
		for (const key of keys) {
			try {
				shelf.removeItem(key);
			} catch {
				// Then there is nothing to forget either.
			}
		}
	};
	const load = (key: string, of: string): Draft | null => {
		const draft = read<Draft>(shelf, key);
		if (!draft?.spec) return null;
		return {
			...draft,
			tab: of,
			base: read<Spec>(shelf, baseKey(of)),
			sent: read<Spec>(shelf, sentKey(of)),
		};
	};
	return {
		tab,
		/** Keep the edits of this tab. Before this returns they are kept, if there is room. */
		write: ({ spec, base, base_revision, at }: Omit<Draft, "tab" | "sent">): boolean => {
			if (base !== basis && base) {
				// What was made from another base would be misread beside this one.
				forget(draftKey(tab));
				if (write(baseKey(tab), base)) basis = base;
			}
			const isKept = base === basis && write(draftKey(tab), { spec, base_revision, at });
			if (!isKept) {
				isInAttic = true;
				void attic.put(draftKey(tab), { spec, base, base_revision, at, tab, sent: null });
			}
			return isKept;
		},
		/** What is on its way to the server; null when it has answered. */
		sending: (spec: Spec | null): void => {
			if (spec) write(sentKey(tab), spec);
			else forget(sentKey(tab));
		},
		/** Forget the edits of this tab, or of another one that is gone. */
		drop: (of = tab): void => {
			forget(draftKey(of), baseKey(of), sentKey(of), ...(of === "" ? [oldKey] : []));
			if (of === tab) basis = null;
			if (of !== tab || isInAttic) void attic.remove(draftKey(of));
			if (of === tab) isInAttic = false;
		},
		/** What other tabs have left, the newest first. */
		others: async (): Promise<Draft[]> => {
			const start = draftKey("");
			const own = shelfKeys(shelf)
				.filter((key) => key.startsWith(start) && key !== draftKey(tab))
				.map((key) => load(key, key.slice(start.length)));
			const large = (await attic.keys(start)).filter((key) => key !== draftKey(tab));
			const found = await Promise.all(large.map((key) => attic.get(key)));
			const all = [load(oldKey, ""), ...own, ...(found as Draft[])];
			const newest = new Map<string, Draft>();
			for (const draft of all) {
				if (!draft?.spec) continue;
				if ((newest.get(draft.tab)?.at ?? -1) < draft.at) newest.set(draft.tab, draft);
			}
			return [...newest.values()].sort((one, other) => other.at - one.at);
		},
		/** Put a version aside that another one takes the place of. */
		keep: (kept: Kept): void => {
			const others = read<Kept[]>(shelf, keptKey) ?? [];
			// The oldest make room, one after the other.
			for (let most = MOST_KEPT; most > 0; most -= 1) {
				if (write(keptKey, [kept, ...others].slice(0, most))) return;
			}
			void attic.put(`${keptKey}:${kept.at}`, kept);
		},
		kept: (): Kept[] => read<Kept[]>(shelf, keptKey) ?? [],
	};
}

export type Drafts = ReturnType<typeof createDrafts>;
type Key = (tab: string) => string;

/** The browser's storage, or one that forgets where storing is forbidden. */
export function browserShelf(): Shelf {
	try {
		const storage = window.localStorage;
		return {
			getItem: (key) => storage.getItem(key),
			setItem: (key, value) => storage.setItem(key, value),
			removeItem: (key) => storage.removeItem(key),
			keys: () => Object.keys(storage),
		};
	} catch {
		return { getItem: () => null, setItem: () => {}, removeItem: () => {}, keys: () => [] };
	}
}

function newTab(): string {
	return Math.random().toString(36).slice(2);
}

function shelfKeys(shelf: Shelf): string[] {
	try {
		return shelf.keys();
	} catch {
		return [];
	}
}

function read<T>(shelf: Shelf, key: string): T | null {
	try {
		const text = shelf.getItem(key);
		return text ? (JSON.parse(text) as T) : null;
	} catch {
		return null;
	}
}
