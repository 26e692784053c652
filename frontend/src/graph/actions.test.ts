import { describe, expect, it, test } from "vitest";
import {
	addNode,
	cut,
	disconnect,
	expose,
	isExposed,
	keepDescriptions,
	moveNodes,
	paste,
	remove,
	rename,
	setFields,
	setInstruction,
	setKind,
	setParams,
	setSignature,
} from "./actions";
import { CATEGORY, end, field, graphOf, oneStep, step, wires } from "./builders";
import { check } from "./check";
import { connect, inputFor, refusal, sourcesFor, type Wire } from "./connect";
import { parseSignature } from "./signature";
import { isStep, nodeById, type StepNode } from "./spec";

function wire(text: string): Wire {
	const [from = "", to = ""] = text.split(" > ");
	const [source = "", source_field = ""] = from.split(".");
	const [target = "", target_field = ""] = to.split(".");
	return { source, source_field, target, target_field };
}

function stepOf(graph: ReturnType<typeof oneStep>, id = "n2"): StepNode {
	const node = nodeById(graph, id);
	if (!node || !isStep(node)) throw new Error(`no step ${id}`);
	return node;
}

describe("a wire", () => {
	const graph = graphOf(
		[
			end("n1", "input", [field("message"), field("tags", "list[str]")]),
			step("n2", "plan", ["message"], [field("steps", "list[str]", "output")]),
			step("n4", "answer", ["steps", "message"], [field("category", CATEGORY, "output")]),
			end("n3", "output", [field("category", CATEGORY)]),
		],
		["n1.message > n2.message", "n2.steps > n4.steps"],
	);

	test.each([
		["n1.message > n4.message", ""],
		["n1.message > n4.steps", ""],
		["n4.category > n3.category", ""],
		["n1.tags > n4.message", "list[str] does not fit into str"],
		["n1.message > n3.category", "str does not fit into enum[billing, shipping]"],
		["n4.category > n2.message", "would run in a circle: answer already waits for plan"],
		["n4.category > n4.message", "cannot feed itself"],
		["n1.nope > n4.message", "has no output “nope”"],
		["n1.message > n4.nope", "has no input “nope”"],
		["n1.message > gone.x", "gone"],
		["n3.category > n2.message", "output has no output “category”"],
	])("%s: %s", (text, reason) => {
		const said = refusal(graph, wire(text));
		if (reason) expect(said).toContain(reason);
		else expect(said).toBe("");
	});

	it("takes the place of the one that led into the same input", () => {
		const changed = connect(graph, wire("n1.message > n4.steps"));
		expect(wires(changed)).toEqual(["n1.message > n2.message", "n1.message > n4.steps"]);
		expect(connect(changed, wire("n1.message > n4.steps"))).toBe(changed);
	});

	it("can be chosen from a list that says why some are not legal", () => {
		const sources = sourcesFor(graph, "n4", "message");
		expect(
			sources.map(({ nodeName, port, reason }) => [nodeName, port.name, reason === ""]),
		).toEqual([
			["input", "message", true],
			["input", "tags", false],
			["plan", "steps", false],
		]);
	});

	it("that is dropped on a node finds the input that fits best", () => {
		expect(inputFor(graph, "n1", "message", "n4")).toBe("message");
		expect(inputFor(graph, "n1", "tags", "n4")).toBe("");
	});
});

it("adds nodes under free ids and names", () => {
	const [one, first] = addNode(oneStep(), { kind: "predict", name: "classify" }, { x: 1, y: 2 });
	expect(nodeById(one, first)).toMatchObject({ name: "classify_2", position: { x: 1, y: 2 } });
	const [two, second] = addNode(one, { kind: "predict", name: "Not A Name" }, { x: 0, y: 0 });
	expect(second).not.toBe(first);
	expect(nodeById(two, second)?.name).toBe("field");
});

it("removes nodes with their wires, and wires alone", () => {
	expect(remove(oneStep(), ["n2"], [])).toMatchObject({ edges: [] });
	expect(wires(disconnect(oneStep(), "e1"))).toEqual(["n2.category > n3.category"]);
});

it("moves, renames, and changes nothing when nothing changes", () => {
	const graph = oneStep();
	expect(moveNodes(graph, new Map([["n1", { x: 0, y: 0 }]]))).toBe(graph);
	expect(nodeById(moveNodes(graph, new Map([["n1", { x: 5, y: 6 }]])), "n1")?.position.y).toBe(6);
	expect(nodeById(rename(graph, "n2", "triage"), "n2")?.name).toBe("triage");
});

describe("fields", () => {
	it("carry their wires along when they are renamed", () => {
		const renamed = setFields(oneStep(), "n1", [{ name: "mail", type: "str", description: "" }]);
		expect(wires(renamed)).toContain("n1.mail > n2.message");
		const signature = setSignature(oneStep(), "n2", parseSignature("mail -> label: enum[a, b]"));
		expect(wires(signature)).toEqual(["n1.message > n2.mail", "n2.label > n3.category"]);
	});

	it("lose their wires when they are removed", () => {
		expect(wires(setFields(oneStep(), "n1", []))).toEqual(["n2.category > n3.category"]);
	});

	it("keep wires that do not fit any more, as a problem that is told", () => {
		const graph = setFields(oneStep(), "n3", [{ name: "category", type: "int", description: "" }]);
		expect(check(graph).map(({ code }) => code)).toEqual(["wrong-type"]);
	});

	it("change places without taking each other's wires", () => {
		const graph = setSignature(oneStep(), "n2", parseSignature("extra, message -> category"));
		expect(wires(graph)).toContain("n1.message > n2.message");
	});

	it("keep their descriptions when the string form changes", () => {
		const before = parseSignature("a -> b").map((f) => ({ ...f, description: `about ${f.name}` }));
		const after = keepDescriptions(before, parseSignature("a -> c"));
		expect(after.map((f) => f.description)).toEqual(["about a", "about b"]);
	});
});

it("adds an output field and its wire when an output is exposed", () => {
	const graph = setKind(oneStep(), "n2", "chain_of_thought");
	expect(isExposed(graph, "n2", "reasoning")).toBe(false);
	const exposed = expose(graph, "n2", "reasoning");
	expect(isExposed(exposed, "n2", "reasoning")).toBe(true);
	expect(check(exposed)).toEqual([]);
	expect(wires(setKind(exposed, "n2", "predict"))).not.toContain("n2.reasoning > n3.reasoning");
});

it("sets instruction and parameters of steps only", () => {
	expect(stepOf(setInstruction(oneStep(), "n2", "Sort.")).signature.instruction).toBe("Sort.");
	expect(stepOf(setParams(oneStep(), "n2", { temperature: 0.5 })).params).toEqual({
		temperature: 0.5,
	});
	const graph = oneStep();
	expect(setInstruction(graph, "n1", "Sort.")).toBe(graph);
});

it("pastes copies with the wires between them, and no second input or output", () => {
	const graph = oneStep();
	const [pasted, ids] = paste(graph, cut(graph, ["n1", "n2"]), { x: 40, y: 40 });
	expect(ids.size).toBe(1);
	expect(nodeById(pasted, ids.get("n2") ?? "")).toMatchObject({
		name: "classify_2",
		position: { x: 360 },
	});
	const [twice, pair] = paste(graphOf([]), cut(graph, ["n1", "n2", "n3"]), { x: 0, y: 0 });
	expect(pair.size).toBe(3);
	expect(check(twice)).toEqual([]);
});
