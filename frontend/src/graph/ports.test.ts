import { describe, expect, it } from "vitest";
import kinds from "../../../tests/fixtures/kind_ports.json";
import { addedPorts, isStep, STEP_KINDS, type StepNode } from ".";
import { field, graphOf, step } from "./builders";

describe("the outputs that kinds add", () => {
	it("are told of every kind", () => {
		expect(Object.keys(kinds).sort()).toEqual([...STEP_KINDS].sort());
	});

	it.each(Object.entries(kinds))("are those of the engine: %s", (kind, added) => {
		const { nodes } = graphOf([
			{ ...step("n1", "one", ["message"], [field("answer", "str", "output")]), kind },
		]);
		const node = nodes[0] as StepNode;
		expect(isStep(node)).toBe(true);
		expect(addedPorts(node).map(({ name, type }) => `${name}: ${type}`)).toEqual(added);
	});
});
