import { describe, expect, it } from "vitest";
import { disconnect, moveNodes, rename, setInstruction } from "./actions";
import { end, field, graphOf, oneStep, step } from "./builders";
import { connect } from "./connect";
import type { Graph } from "./spec";
import { computeTheSame, downstreamOf, recipeOf, upstreamOf } from "./upstream";

/** n1 → n2 → n4, n1 → n3 → n4, and n5 beside them. */
function diamond(): Graph {
	return graphOf(
		[
			end("n1", "input", [field("text")]),
			step("n2", "left", ["text"], [field("a", "str", "output")]),
			step("n3", "right", ["text"], [field("b", "str", "output")]),
			step("n4", "both", ["a", "b"], [field("c", "str", "output")]),
			step("n5", "alone", ["text"], [field("d", "str", "output")]),
		],
		["n1.text > n2.text", "n1.text > n3.text", "n2.a > n4.a", "n3.b > n4.b"],
	);
}

describe("what leads into a node, and what follows from it", () => {
	it("goes over any number of wires", () => {
		expect([...upstreamOf(diamond(), "n4")].sort()).toEqual(["n1", "n2", "n3"]);
		expect([...downstreamOf(diamond(), "n1")].sort()).toEqual(["n2", "n3", "n4"]);
		expect(upstreamOf(diamond(), "n5").size).toBe(0);
	});

	it("ends when the wires go round in a circle", () => {
		const circle = {
			...diamond(),
			edges: [
				...diamond().edges,
				{ id: "x", source: "n4", source_field: "c", target: "n2", target_field: "text" },
			],
		};
		expect([...upstreamOf(circle, "n2")].sort()).toEqual(["n1", "n3", "n4"]);
	});
});

describe("the recipe of a node", () => {
	it("stays while it is moved or renamed", () => {
		const graph = oneStep();
		const moved = moveNodes(rename(graph, "n2", "sort"), new Map([["n2", { x: 5, y: 5 }]]));
		expect(recipeOf(moved, "n2")).toBe(recipeOf(graph, "n2"));
		expect(computeTheSame(graph, moved)).toBe(true);
	});

	it("is another one with another instruction, and with other wires", () => {
		const graph = oneStep();
		const told = setInstruction(graph, "n2", "Sort it.");
		expect(recipeOf(told, "n2")).not.toBe(recipeOf(graph, "n2"));
		const cut = disconnect(graph, "e1");
		expect(recipeOf(cut, "n2")).not.toBe(recipeOf(graph, "n2"));
		expect(computeTheSame(graph, cut)).toBe(false);
	});

	it("is the same for a wire that was drawn again", () => {
		const graph = oneStep();
		const again = connect(disconnect(graph, "e1"), {
			source: "n1",
			source_field: "message",
			target: "n2",
			target_field: "message",
		});
		expect(computeTheSame(graph, again)).toBe(true);
	});

	it("sees into parts, but not where their nodes lie", () => {
		const holding = (part: Graph): Graph => ({
			...oneStep(),
			nodes: oneStep().nodes.map((node) =>
				node.kind === "predict" ? { ...node, parts: { body: part } } : node,
			),
		});
		const part = oneStep();
		const moved = moveNodes(part, new Map([["n2", { x: 5, y: 5 }]]));
		expect(computeTheSame(holding(part), holding(moved))).toBe(true);
		const told = setInstruction(part, "n2", "Sort it.");
		expect(computeTheSame(holding(part), holding(told))).toBe(false);
	});
});
