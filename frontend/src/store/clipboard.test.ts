import { describe, expect, it } from "vitest";
import { type Graph, isStep, MOST_DEEP, nodeById, type StepNode, toSpec } from "../graph";
import { end, field, graphOf, oneStep, step, wires } from "../graph/builders";
import { asClip, readClip, tooLarge, writeClip } from "./clipboard";
import { createEditor } from "./editor";

const empty = () => graphOf([end("n1", "input", [field("message")]), end("n2", "output", [])]);

function stepIn(graph: Graph, id: string): StepNode {
	const node = nodeById(graph, id);
	if (!node || !isStep(node)) throw new Error("There is no such step.");
	return node;
}

describe("what is copied", () => {
	it("is JSON that says what it is", () => {
		const text = writeClip(oneStep(), ["n2"]);
		expect(JSON.parse(text)).toMatchObject({
			"compile-studio": "nodes",
			version: 1,
			nodes: [{ id: "n2", name: "classify" }],
			edges: [],
			notes: [],
			incoming: [{ source: "n1", source_name: "input", target: "n2" }],
		});
	});

	it("comes into another pipeline with its wires, and is undone at once", () => {
		const { getState } = createEditor(oneStep());
		getState().selectAll();
		const text = getState().copy();
		const other = createEditor(graphOf([])).getState;
		other().paste(text);
		expect(wires(other().graph)).toHaveLength(2);
		expect(other().problems).toEqual([]);
		other().undo();
		expect(other().graph.nodes).toEqual([]);
	});

	it("may be a drawing that was downloaded", () => {
		const { getState } = createEditor(graphOf([]));
		getState().paste(JSON.stringify(asClip(toSpec(oneStep())), null, 2));
		expect(wires(getState().graph)).toHaveLength(2);
		expect(getState().problems).toEqual([]);
	});

	it("keeps the wires that led into it, when asked and when they begin here", () => {
		const { getState } = createEditor(oneStep());
		getState().select(["n2"]);
		const text = getState().copy();
		getState().paste(text);
		expect(getState().graph.edges).toHaveLength(2);
		getState().paste(text, { withIncoming: true });
		expect(wires(getState().graph).at(-1)).toBe(
			`n1.message > ${getState().selection.nodes[0]}.message`,
		);
		const other = createEditor(graphOf([])).getState;
		other().paste(text, { withIncoming: true });
		expect(other().graph.edges).toEqual([]);
		expect(other().said.text).toContain("One wire began at a node that is not here.");
	});

	it("goes where it is pasted, and never exactly onto another node", () => {
		const { getState } = createEditor(oneStep());
		getState().select(["n2"]);
		const text = getState().copy();
		getState().paste(text, { at: { x: 104, y: 508 } });
		getState().paste(text, { at: { x: 104, y: 508 } });
		expect(
			getState()
				.graph.nodes.slice(-2)
				.map(({ position }) => position),
		).toEqual([
			{ x: 100, y: 500 },
			{ x: 140, y: 540 },
		]);
	});

	it("is cut in one step", () => {
		const { getState } = createEditor(oneStep());
		getState().select(["n2"]);
		const text = getState().cut();
		expect(getState().graph.nodes).toHaveLength(2);
		getState().paste(text);
		expect(getState().graph.nodes.at(-1)?.name).toBe("classify");
	});

	it("may come from a text box that was copied long ago: the own copy is taken then", () => {
		const { getState } = createEditor(oneStep());
		getState().select(["n2"]);
		getState().copy();
		getState().paste("");
		expect(getState().graph.nodes).toHaveLength(4);
	});
});

describe("a paste is refused with a sentence and changes nothing", () => {
	const nodes = (count: number) =>
		Array.from({ length: count }, (_, i) => step(`n${i}`, `s${i}`, ["text"], []));
	it.each([
		["a text", "hello", "is no part of a pipeline"],
		["foreign JSON", '{"nodes": [], "edges": []}', "is no part of a pipeline"],
		["a list", "[1, 2]", "is no part of a pipeline"],
		["a number", "42", "is no part of a pipeline"],
		["nothing", "null", "is no part of a pipeline"],
		["another kind of clip", '{"compile-studio": "rows"}', "is no part of a pipeline"],
		["the future", '{"compile-studio": "nodes", "version": 99}', "this studio reads 1"],
		["no list", '{"compile-studio": "nodes", "version": 1, "nodes": 7}', "needs a list"],
		[
			"too much",
			JSON.stringify({ "compile-studio": "nodes", version: 1, nodes: nodes(2_001), edges: [] }),
			"may have 2000 nodes",
		],
		["a novel", "x".repeat(10_000_001), "too large"],
	])("%s", (_, text, words) => {
		const { getState } = createEditor(oneStep());
		const before = getState().history;
		getState().paste(text);
		expect(getState().said.tone).toBe("refusal");
		expect(getState().said.text).toContain(words);
		expect(getState().history).toBe(before);
	});

	it("and so is what makes the pipeline too large", () => {
		const { getState } = createEditor(graphOf(nodes(1_500)));
		getState().selectAll();
		const text = getState().copy();
		const before = getState().history;
		getState().paste(text);
		expect(getState().said.text).toBe("Nothing was pasted. A pipeline may have 2000 nodes.");
		expect(getState().history).toBe(before);
	});

	it("for somebody who may only look", () => {
		const { getState } = createEditor(oneStep(), true);
		getState().paste(writeClip(oneStep(), ["n2"]));
		expect(getState().graph).toEqual(oneStep());
	});
});

it("lets nobody's pipelines lie deeper in each other than the engine reads", () => {
	let graph = empty();
	for (let depth = 0; depth <= MOST_DEEP; depth += 1) {
		expect(tooLarge(graph)).toBe("");
		const holder = stepIn(oneStep(), "n2");
		graph = { ...empty(), nodes: [{ ...holder, kind: "subpipeline", parts: { body: graph } }] };
	}
	expect(tooLarge(graph)).toContain("deep");
});

it("loses references to what this project does not have, and says so", () => {
	const graph = oneStep();
	const borrowed = { ...stepIn(graph, "n2"), module: "sorter", lm: "big" };
	const text = writeClip({ ...graph, nodes: [borrowed] }, ["n2"]);
	const strange = { modules: new Set<string>(), connections: new Set<string>() };
	const clip = readClip(text, strange);
	if (typeof clip === "string") throw new Error(clip);
	expect(stepIn(clip.graph, "n2")).toMatchObject({ module: "", lm: "" });
	expect(clip.words).toEqual([
		"classify: this project has no saved module “sorter”.",
		"classify: this project has no LM “big”; the run’s answers.",
	]);
	const own = readClip(text, { modules: new Set(["sorter"]), connections: new Set(["big"]) });
	if (typeof own === "string") throw new Error(own);
	expect(stepIn(own.graph, "n2")).toMatchObject({ module: "sorter", lm: "big" });
	expect(own.words).toEqual([]);
});

it("keeps HTML in a name as the text that it is", () => {
	const bad = { ...step("n9", "<img src=x onerror=alert(1)>", ["text"], []) };
	const clip = readClip(
		JSON.stringify({ "compile-studio": "nodes", version: 1, nodes: [bad], edges: [] }),
	);
	if (typeof clip === "string") throw new Error(clip);
	const { getState } = createEditor(oneStep());
	getState().paste(writeClip(clip.graph, ["n9"]));
	expect(getState().graph.nodes.at(-1)?.name).toMatch(/^field|^<img/);
});
