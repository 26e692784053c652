import { describe, expect, it } from "vitest";
import { moveNodes } from "./actions";
import { field, graphOf, oneStep, step } from "./builders";
import { besideWire, first, type Way, walk, wiresOf } from "./walk";

const NONE = new Map();

/** A diamond with one node that nothing is wired to. */
function diamond() {
	const out = [field("out", "str", "output")];
	const nodes = ["start", "upper", "lower", "join", "alone"].map((name) =>
		step(name, name, ["text", "more"], out),
	);
	const graph = graphOf(nodes, [
		"start.out > upper.text",
		"start.out > lower.text",
		"upper.out > join.text",
		"lower.out > join.more",
	]);
	return moveNodes(
		graph,
		new Map(
			Object.entries({
				start: { x: 0, y: 100 },
				upper: { x: 300, y: 0 },
				lower: { x: 300, y: 260 },
				join: { x: 600, y: 200 },
				alone: { x: 1200, y: 600 },
			}),
		),
	);
}

describe("arrow keys go", () => {
	it.each([
		["start", "right", "upper"],
		["upper", "right", "join"],
		["upper", "down", "lower"],
		["lower", "up", "upper"],
		["join", "left", "lower"],
		["join", "right", "alone"],
		["alone", "left", "join"],
		["start", "left", ""],
		["alone", "down", ""],
	] as [string, Way, string][])("from %s %s to “%s”", (from, way, to) => {
		expect(walk(diamond(), from, way, NONE)).toBe(to);
	});

	it("to the first node when the last one is gone", () => {
		expect(walk(oneStep(), "gone", "right", NONE)).toBe("n1");
		expect(first(graphOf([]))).toBe("");
	});
});

it("goes through the wires of a node, and around its row of them", () => {
	const graph = diamond();
	expect(wiresOf(graph, "upper").map(({ id }) => id)).toEqual(["e3", "e1"]);
	expect(besideWire(graph, "e1", 1)).toBe("e2");
	expect(besideWire(graph, "e1", -1)).toBe("e2");
	expect(besideWire(graph, "gone", 1)).toBe("");
});
