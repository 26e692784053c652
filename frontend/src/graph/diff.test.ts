import { describe, expect, it } from "vitest";
import { addNode, moveNodes, remove, rename, setInstruction, setParams } from "./actions";
import { aspectsOf, nodeOf, same } from "./aspects";
import { oneStep } from "./builders";
import { chanceOf, drawing, edits } from "./chance";
import { diff, summary, told } from "./diff";
import { changeAt } from "./levels";
import { type Graph, isStep } from "./spec";

const base = oneStep();
const says = (after: Graph) => told(diff(base, after)).map((entry) => entry.says);

describe("what differs", () => {
	it("is told in sentences", () => {
		expect(says(setInstruction(base, "n2", "Sort."))).toEqual([
			"classify: the instruction changed",
		]);
		expect(says(rename(base, "n2", "sort"))).toEqual(["sort: it was called classify"]);
		expect(says(setParams(base, "n2", { n: 3 }))).toEqual(["classify: the parameter n was added"]);
		expect(says(addNode(base, { kind: "predict", name: "extra" }, { x: 0, y: 0 })[0])).toEqual([
			"extra was added",
		]);
	});

	it("tells no wires that only went with their node", () => {
		expect(says(remove(base, ["n2"], []))).toEqual(["classify was removed"]);
		expect(says(remove(base, [], ["e1"]))).toEqual([
			"the wire from input.message to classify.message was removed",
		]);
	});

	it("tells moves apart from changes, and last", () => {
		const moved = moveNodes(
			setInstruction(base, "n2", "Sort."),
			new Map([["n1", { x: 9, y: 9 }]]),
		);
		expect(says(moved)).toEqual(["classify: the instruction changed", "input was moved"]);
		expect(summary(diff(base, moved))).toBe("changed 1 step, moved 1 step");
	});

	it("says where it lies inside of steps", () => {
		const nested: Graph = {
			...base,
			nodes: base.nodes.map((node) =>
				isStep(node) ? { ...node, parts: { body: oneStep() } } : node,
			),
		};
		const after = changeAt(nested, [{ node: "n2", part: "body" }], (level) =>
			remove(level, ["n2"], []),
		);
		expect(told(diff(nested, after)).map((entry) => entry.says)).toEqual([
			"in classify › body: classify was removed",
		]);
	});

	it("is nothing for equal drawings, and something for any other", () => {
		for (let seed = 1; seed <= 200; seed += 1) {
			const chance = chanceOf(seed);
			const before = drawing(chance);
			const after = edits(before, chance, 6);
			expect(diff(before, structuredClone(before))).toEqual([]);
			const isEqual = same(strip(before), strip(after));
			expect(diff(before, after).length === 0, `seed ${seed}`).toBe(isEqual);
		}
	});

	it("takes nodes apart and puts them together again", () => {
		for (let seed = 1; seed <= 100; seed += 1) {
			for (const node of drawing(chanceOf(seed)).nodes) {
				expect(nodeOf(node, aspectsOf(node))).toEqual(node);
			}
		}
	});
});

/** Without the ids of wires, which say nothing. */
function strip(graph: Graph): unknown {
	const wires = graph.edges.map(({ id: _, ...edge }) => JSON.stringify(edge)).sort();
	const nodes = Object.fromEntries(
		graph.nodes.map((node) => [
			node.id,
			isStep(node)
				? {
						...node,
						parts: Object.fromEntries(
							Object.entries(node.parts).map(([name, part]) => [name, strip(part)]),
						),
					}
				: node,
		]),
	);
	return { nodes, wires, notes: Object.fromEntries(graph.notes.map((note) => [note.id, note])) };
}
