import { describe, expect, it, test } from "vitest";
import cases from "../../../tests/fixtures/graph_problems.json";
import { graphOf } from "./builders";
import { check, findCircle } from "./check";
import { readSpec } from "./read_spec";

describe("the problems that the engine tells too", () => {
	test.each(cases.map((row) => [row.name, row] as const))("%s", (_, { spec, problems }) => {
		const { graph } = readSpec(spec);
		if (!graph) throw new Error("the spec was refused");
		expect(check(graph)).toEqual(problems);
	});
});

it("finds no circle in two thousand steps in a row, and finds the one at their end", () => {
	const nodes = Array.from({ length: 2000 }, (_, index) => ({
		id: `n${index}`,
		kind: "predict",
		name: `step_${index}`,
		position: { x: 0, y: 0 },
	}));
	const wires = nodes.slice(1).map((node, index) => `n${index}.a > ${node.id}.b`);
	expect(findCircle(graphOf(nodes, wires))).toBeNull();
	expect(findCircle(graphOf(nodes, [...wires, "n1999.a > n1998.b"]))).toEqual([
		"n1998",
		"n1999",
		"n1998",
	]);
});
