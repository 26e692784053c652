import { describe, expect, it } from "vitest";
import { addNode, moveNodes, remove, setInstruction } from "./actions";
import { oneStep } from "./builders";
import { changeAt } from "./levels";
import { overlay } from "./overlay";
import { type Graph, isStep } from "./spec";

const base = oneStep();
const marks = (after: Graph, before = base) =>
	Object.fromEntries(overlay(before, after, []).nodes.map(({ node, mark }) => [node.name, mark]));

describe("two drawings in one picture", () => {
	it("show what came, what went, what changed and what moved", () => {
		const added = addNode(base, { kind: "predict", name: "extra" }, { x: 0, y: 300 })[0];
		const moved = moveNodes(added, new Map([["n1", { x: 9, y: 9 }]]));
		expect(marks(moved)).toEqual({
			input: "moved",
			classify: "same",
			output: "same",
			extra: "added",
		});
		expect(marks(setInstruction(base, "n2", "Sort."))).toMatchObject({ classify: "changed" });
	});

	it("keep what is gone where it lay, with its wires", () => {
		const { nodes, edges } = overlay(base, remove(base, ["n2"], []), []);
		expect(nodes.find(({ node }) => node.id === "n2")).toMatchObject({ mark: "removed" });
		expect(edges.map(({ mark }) => mark)).toEqual(["removed", "removed"]);
	});

	it("mark a step inside of which something changed", () => {
		const nested: Graph = {
			...base,
			nodes: base.nodes.map((node) => (isStep(node) ? { ...node, parts: { body: base } } : node)),
		};
		const path = [{ node: "n2", part: "body" }];
		const after = changeAt(nested, path, (level) => setInstruction(level, "n2", "Sort."));
		const { nodes } = overlay(nested, after, []);
		expect(nodes.find(({ node }) => node.id === "n2")).toMatchObject({
			mark: "changed",
			says: ["1 change inside"],
		});
		const inside = overlay(nested, after, path).nodes.find(({ node }) => node.id === "n2");
		expect(inside).toMatchObject({ mark: "changed", says: ["the instruction changed"] });
	});
});
