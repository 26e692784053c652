// Undo and redo of documents. Selecting, saving and scrolling are no part of it.

export interface History<T> {
	readonly past: readonly T[];
	readonly present: T;
	readonly future: readonly T[];
	/** What the last change was; a change with the same mark joins it (typing, dragging). */
	readonly mark: string;
}

export function begin<T>(present: T): History<T> {
	return { past: [], present, future: [], mark: "" };
}

/** Go on to `next`. With a mark that is the last one's, both are undone together. */
export function commit<T>(history: History<T>, next: T, mark = ""): History<T> {
	if (next === history.present) return history;
	if (mark && mark === history.mark) return { ...history, present: next, future: [] };
	return { past: [...history.past, history.present], present: next, future: [], mark };
}

export function undo<T>(history: History<T>): History<T> {
	const previous = history.past.at(-1);
	if (previous === undefined) return history;
	return {
		past: history.past.slice(0, -1),
		present: previous,
		future: [history.present, ...history.future],
		mark: "",
	};
}

export function redo<T>(history: History<T>): History<T> {
	const [next, ...future] = history.future;
	if (next === undefined) return history;
	return { past: [...history.past, history.present], present: next, future, mark: "" };
}
