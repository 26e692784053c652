import { expect, it } from "vitest";
import { begin, commit, redo, undo } from "./history";

it("goes back and forth", () => {
	let history = commit(commit(begin("a"), "b"), "c");
	history = undo(history);
	expect(history.present).toBe("b");
	history = redo(history);
	expect(history.present).toBe("c");
	expect(redo(history)).toBe(history);
	expect(undo(undo(undo(history))).present).toBe("a");
});

it("takes changes with one mark for one change", () => {
	const typed = commit(commit(commit(begin(""), "h", "name"), "he", "name"), "hey", "name");
	expect(undo(typed).present).toBe("");
	expect(undo(commit(typed, "x", "other")).present).toBe("hey");
});

it("does not join a change to one before an undo", () => {
	const typed = undo(commit(commit(begin(0), 1), 2, "move"));
	expect(undo(commit(typed, 3, "move")).present).toBe(1);
});

it("forgets the future when something new is done, and not when nothing is", () => {
	const back = undo(commit(begin(1), 2));
	expect(commit(back, 1)).toBe(back);
	expect(commit(back, 3).future).toEqual([]);
});

it("has no bound", () => {
	let history = begin(0);
	for (let number = 1; number <= 3_000; number += 1) history = commit(history, number);
	expect(history.past).toHaveLength(3_000);
});
