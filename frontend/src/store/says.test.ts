import { describe, expect, it } from "vitest";
import type { Nodes } from "../api/runs";
import { oneStep } from "../graph/builders";
import { createEditor } from "./editor";
import { changesIn } from "./says";
import { createTrying, type TryState } from "./trying";

const state = (change: Partial<TryState>): TryState => ({
	...createTrying({
		editor: createEditor(oneStep()),
		connection: "lm",
		save: async () => true,
		start: async () => ({ run: "r", url: "" }),
		read: async () => ({ state: "queued", error: "", report: {} }),
		cancel: async () => ({}),
	}).getState(),
	...change,
});
const done = (...names: string[]): Nodes =>
	Object.fromEntries(names.map((name) => [name, { state: "done" as const }]));

describe("what is told of a run", () => {
	it("is each change once", () => {
		const before = state({ phase: "running", nodes: done("a") });
		expect(changesIn(before, { ...before, nodes: { ...before.nodes } })).toBe("");
		expect(changesIn(before, { ...before, nodes: done("a", "b") })).toBe("b: done.");
		expect(changesIn(before, { ...before, inputs: { x: "y" } })).toBe("");
	});

	it("is a number when it is many", () => {
		const before = state({ phase: "running" });
		expect(changesIn(before, { ...before, nodes: done("a", "b", "c", "d") })).toBe(
			"4 steps are done.",
		);
	});

	it("names the step that failed, and the end", () => {
		const before = state({ phase: "running" });
		const nodes: Nodes = { a: { state: "failed", error: "It refused.\nMore." } };
		const now = { ...before, phase: "failed" as const, nodes, message: "It refused." };
		expect(changesIn(before, now)).toBe("a failed: It refused. The run failed. It refused.");
	});

	it("is nothing of the steps inside of others", () => {
		const before = state({ phase: "running" });
		expect(changesIn(before, { ...before, nodes: done("plan.body.ask") })).toBe("");
	});
});
