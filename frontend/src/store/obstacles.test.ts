import { describe, expect, it } from "vitest";
import { check, disconnect } from "../graph";
import { end, field, graphOf, oneStep, step } from "../graph/builders";
import { type Goal, WHOLE } from "./goals";
import { type Situation, whyNot } from "./obstacles";

const palette = {
	kinds: [],
	modules: [],
	connections: [{ slug: "lm", name: "LM", model: "", kind: "" }],
};
const sources = { inputs: {}, known: {}, edits: {} };
const calm: Situation = {
	graph: oneStep(),
	problems: [],
	readOnly: false,
	sources,
	phase: "idle",
};

describe("why something cannot be run", () => {
	it("is nothing at best", () => {
		expect(whyNot({ palette }, calm, WHOLE)).toBe("");
	});

	it.each<[string, Partial<Situation>]>([
		["Authors of the project may run it.", { readOnly: true }],
		["It is running.", { phase: "queued" }],
	])("%s", (words, change) => {
		expect(whyNot({ palette }, { ...calm, ...change }, WHOLE)).toBe(words);
	});

	it("is that nobody would answer", () => {
		const none = { ...palette, connections: [] };
		expect(whyNot({ palette: none }, calm, WHOLE)).toBe("The project has no language model yet.");
	});

	it("is a problem on the way, and none behind it", () => {
		const two = graphOf(
			[
				end("n1", "input", [field("message")]),
				step("n2", "first", ["message"], [field("a", "str", "output")]),
				step("n3", "second", ["a"], [field("b", "str", "output")]),
				end("n4", "output", [field("b")]),
			],
			["n1.message > n2.message", "n2.a > n3.a", "n3.b > n4.b"],
		);
		const graph = disconnect(two, "e2");
		const now = { ...calm, graph, problems: check(graph) };
		const until = (node: string): Goal => ({ kind: "until", node });
		expect(now.problems.length).toBeGreaterThan(0);
		expect(whyNot({ palette }, now, until("n2"))).toBe("");
		expect(whyNot({ palette }, now, until("n3"))).toMatch(/^Mend the problem of second first/);
		expect(whyNot({ palette }, now, WHOLE)).toMatch(/^Mend the /);
	});

	it("is a value that nobody knows", () => {
		const graph = graphOf(
			[
				step("n2", "first", ["message"], [field("a", "str", "output")]),
				step("n3", "second", ["a"], [field("b", "str", "output")]),
			],
			["n2.a > n3.a"],
		);
		const now = { ...calm, graph };
		const only: Goal = { kind: "only", node: "n3" };
		expect(whyNot({ palette }, now, only)).toBe("first has no value yet: run until here first.");
		const edits = { n2: { a: "by hand" } };
		expect(whyNot({ palette }, { ...now, sources: { ...sources, edits } }, only)).toBe("");
	});
});
