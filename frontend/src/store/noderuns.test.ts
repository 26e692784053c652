import { describe, expect, it } from "vitest";
import type { Nodes } from "../api/runs";
import { type Graph, isStep, type StepKind } from "../graph";
import { oneStep } from "../graph/builders";
import { mergeNodes, pathIn, placeIn, settle } from "./noderuns";

/** A step of this kind that is called `plan` and holds `part`. */
function nested(kind: StepKind = "map", part = "body"): Graph {
	const root = oneStep();
	const nodes = root.nodes.map((node) =>
		isStep(node) ? { ...node, kind, name: "plan", parts: { [part]: oneStep() } } : node,
	);
	return { ...root, nodes };
}

describe("the path of a node", () => {
	it("leads there and back", () => {
		expect(pathIn(nested(), [], "n2")).toBe("plan");
		expect(placeIn(nested(), "plan")).toEqual({ way: [], id: "n2" });
	});

	it.each<[StepKind, string, string]>([
		["subpipeline", "body", "plan.classify"],
		["map", "body", "plan.step.classify"],
		["refine", "body", "plan.step.classify"],
		["branch", "urgent", "plan.urgent.classify"],
		["router", "urgent", "plan.urgent.classify"],
		["router", "route", "plan.case_route.classify"],
	])("inside of a %s, in its part %s, is %s", (kind, part, path) => {
		const way = [{ node: "n2", part }];
		expect(pathIn(nested(kind, part), way, "n2")).toBe(path);
		expect(placeIn(nested(kind, part), path)).toEqual({ way, id: "n2" });
	});

	it("is empty, and leads nowhere, when there is no such node", () => {
		expect(pathIn(nested(), [], "n9")).toBe("");
		expect(pathIn(nested(), [{ node: "n2", part: "other" }], "n2")).toBe("");
		expect(placeIn(nested(), "nobody")).toBeNull();
	});

	it("of a place that is not drawn leads as far as it is", () => {
		expect(placeIn(nested(), "plan.step.nobody")).toEqual({ way: [], id: "n2" });
		expect(placeIn(nested(), "plan.answer")).toEqual({ way: [], id: "n2" });
	});
});

describe("news of nodes", () => {
	const before: Nodes = {
		a: { state: "done", outputs: { x: 1 } },
		b: { state: "running", text: "t" },
	};

	it("leave what is the same as the same object", () => {
		const after = mergeNodes(before, { a: { ...before.a } as never, b: { state: "done" } });
		expect(after.a).toBe(before.a);
		expect(after.b).toEqual({ state: "done" });
		expect(mergeNodes(before, { a: { ...before.a }, b: { ...before.b } } as Nodes)).toBe(before);
	});

	it("end with nothing on its way", () => {
		expect(settle(before)).toEqual({ a: before.a, b: { state: "skipped", text: "t" } });
		expect(settle(before).a).toBe(before.a);
	});
});
