import { describe, expect, it } from "vitest";
import { rename, setInstruction } from "./actions";
import { sameGraph } from "./aspects";
import { oneStep } from "./builders";
import { chanceOf, drawing, edits } from "./chance";
import { apply, deltaOf, invert } from "./delta";
import { begin, commit, undo } from "./history";
import { rebase } from "./rebase";
import { nodeById } from "./spec";

describe("a delta", () => {
	it("leads there and back, with every item in its place", () => {
		for (let seed = 1; seed <= 500; seed += 1) {
			const chance = chanceOf(seed);
			const before = drawing(chance);
			const after = edits(before, chance, 8);
			const delta = structuredClone(deltaOf(before, after));
			expect(apply(before, delta), `seed ${seed}`).toEqual(after);
			expect(apply(after, invert(delta)), `seed ${seed}`).toEqual(before);
		}
	});

	it("follows a new order", () => {
		const before = oneStep();
		const after = { ...before, nodes: before.nodes.toReversed() };
		expect(apply(before, deltaOf(before, after))).toEqual(after);
		expect(apply(after, invert(deltaOf(before, after)))).toEqual(before);
	});

	it("is small for a small change", () => {
		const chance = chanceOf(7);
		const before = edits(drawing(chance), chance, 40);
		const after = rename(before, before.nodes.at(-1)?.id ?? "", "other");
		expect(deltaOf(before, after).nodes).toHaveLength(1);
	});

	it("refuses a drawing that it is not about", () => {
		const before = oneStep();
		const after = { ...before, nodes: before.nodes.slice(1) };
		expect(apply(after, deltaOf(before, after))).toBeNull();
	});
});

describe("a history into which somebody else's work came", () => {
	it("is undone step by step, and theirs stays", () => {
		const base = oneStep();
		const mine = setInstruction(base, "n2", "Mine.");
		const theirs = rename(base, "n2", "theirs");
		const both = setInstruction(theirs, "n2", "Mine.");
		const history = rebase(commit(begin(base), mine), base, theirs, both);
		const back = undo(history).present;
		expect(nodeById(back, "n2")).toMatchObject({ name: "theirs", signature: { instruction: "" } });
		expect(undo(undo(history)).present).toBe(back);
	});

	it("has no state twice", () => {
		const base = oneStep();
		const theirs = rename(base, "n2", "theirs");
		const history = rebase(commit(begin(base), theirs), base, theirs, theirs);
		expect(history.past).toEqual([]);
		expect(sameGraph(history.present, theirs)).toBe(true);
	});
});
