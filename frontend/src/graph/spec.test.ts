import { describe, expect, it, test } from "vitest";
import { cut, moveNodes, paste, rename, setInstruction, setParams } from "./actions";
import { oneStep } from "./builders";
import { check } from "./check";
import { portsOf } from "./ports";
import { readSpec } from "./read_spec";
import { type Graph, MOST_NODES, toSpec } from "./spec";

const position = { x: 0, y: 0 };
const WIRE = { id: "e1", source: "n3", source_field: "a", target: "n1", target_field: "text" };

function read(nodes: unknown[], edges: unknown[] = []) {
	const found = readSpec({ version: 1, nodes, edges });
	if (!found.graph) throw new Error(found.refused);
	return found;
}

it("writes what it read", () => {
	const spec = toSpec(oneStep());
	expect(toSpec(read(spec.nodes, spec.edges).graph)).toEqual(spec);
});

describe("what cannot be shown is refused with a sentence", () => {
	test.each([
		[null, "expected a JSON object"],
		[[], "expected a JSON object"],
		[{}, "version"],
		[{ version: 2, nodes: [], edges: [] }, "version 2; this studio reads 1"],
		[{ version: 1, nodes: {}, edges: [] }, "a list of nodes"],
		[{ version: 1, nodes: Array(10_000).fill({}), edges: [] }, `may have ${MOST_NODES} nodes`],
		[{ version: 1, nodes: [], edges: Array(10_001).fill({}) }, "10000 wires"],
	])("%#", (data, sentence) => {
		const found = readSpec(data);
		expect(found.graph).toBeNull();
		expect(found.refused).toContain(sentence);
	});
});

it("gives the second of two nodes with one id an id of its own, and says so", () => {
	const node = { id: "n1", kind: "input", name: "input", position, fields: [] };
	const { graph, repairs } = read([node, { ...node, kind: "output", name: "output" }]);
	expect(new Set(graph.nodes.map(({ id }) => id)).size).toBe(2);
	expect(repairs).toEqual([expect.stringContaining("Two nodes had the id “n1”")]);
});

it("removes wires that lead nowhere, and says so", () => {
	const edge = { id: "e1", source: "n1", source_field: "a", target: "gone", target_field: "b" };
	const { graph, repairs } = read(
		[{ id: "n1", kind: "input", name: "input", position }],
		[edge, 7],
	);
	expect(graph.edges).toEqual([]);
	expect(repairs).toHaveLength(2);
});

it("keeps a node of a kind from the future as it is", () => {
	const node = { id: "n1", kind: "teleport", name: "beam", position, flux: { power: [1, 2] } };
	const { graph } = read([node]);
	expect(toSpec(graph).nodes).toEqual([node]);
	expect(check(graph).map(({ code }) => code)).toContain("unknown-kind");
});

it("takes HTML in a name for text, and calls it a bad name", () => {
	const node = { id: "n1", kind: "predict", name: "<img src=x onerror=alert(1)>", position };
	const { graph } = read([node]);
	expect(graph.nodes[0]?.name).toBe(node.name);
	expect(check(graph).map(({ code }) => code)).toContain("bad-name");
});

it("reads nodes whose parts have wrong types", () => {
	const { graph } = read([
		{ id: "n1", kind: "predict", name: 7, position: { x: "left" }, signature: [], params: "hot" },
		{ id: "n2", kind: "output", name: "output", position: null, fields: [3, { name: "a" }] },
		"nonsense",
	]);
	expect(graph.nodes).toHaveLength(2);
	expect(graph.nodes[0]).toMatchObject({
		name: "",
		position,
		signature: { fields: [] },
		params: {},
	});
	expect(graph.nodes[1]).toMatchObject({ fields: [{ name: "a", type: "str", description: "" }] });
});

describe("what this page does not edit is saved as it came", () => {
	const parts = { body: { version: 1, nodes: [], edges: [] } };
	const signature = {
		fields: [
			{
				name: "text",
				role: "input",
				type: "int",
				description: "",
				default: 3,
				constraints: { max: 9 },
			},
			{ name: "answer", role: "output", type: "str", description: "" },
		],
		instruction: "",
	};
	const step = {
		id: "n1",
		kind: "predict",
		name: "ask",
		position,
		signature,
		params: { temperature: 0.5, later: [1] },
		module: "saved",
		parts,
		color: "red",
	};
	const shout = { ...step, id: "n2", kind: "shout", name: "shout", module: undefined };
	const end = {
		id: "n3",
		kind: "input",
		name: "input",
		position,
		fields: [{ name: "a", type: "str", description: "", default: "x" }],
		note: { seen: true },
	};

	const saved = (graph: Graph) => JSON.parse(JSON.stringify(toSpec(graph).nodes));
	const asSaved = (value: unknown) => JSON.parse(JSON.stringify(value));

	it("after loading", () => {
		expect(saved(read([step, shout, end]).graph)).toEqual(asSaved([step, shout, end]));
	});

	it("after edits", () => {
		let { graph } = read([step, shout, end]);
		graph = rename(graph, "n1", "asked");
		graph = rename(graph, "n2", "shouted");
		graph = setParams(graph, "n1", { temperature: 1 });
		graph = setInstruction(graph, "n1", "Be short.");
		graph = moveNodes(graph, new Map([["n2", { x: 5, y: 6 }]]));
		expect(saved(graph)).toEqual(
			asSaved([
				{
					...step,
					name: "asked",
					params: { temperature: 1 },
					signature: { ...signature, instruction: "Be short." },
				},
				{ ...shout, name: "shouted", position: { x: 5, y: 6 } },
				end,
			]),
		);
	});

	it("in copies", () => {
		const { graph } = read([step, shout, end]);
		const [pasted] = paste(graph, cut(graph, ["n1", "n2"]), { x: 1, y: 1 });
		const [, , , ...copies] = saved(pasted);
		const there = { position: { x: 1, y: 1 } };
		expect(copies).toEqual(
			asSaved([
				{ ...step, ...there, id: "n4", name: "ask_2" },
				{ ...shout, ...there, id: "n5", name: "shout_2" },
			]),
		);
	});

	it("on wires", () => {
		const edge = { ...WIRE, color: "blue" };
		const { graph } = read([step, end], [edge]);
		expect(toSpec(graph).edges).toEqual([edge]);
	});
});

describe("a node that this page does not draw and the server runs", () => {
	const fields = [
		{ name: "message", role: "input", type: "str", description: "" },
		{ name: "area", role: "output", type: "str", description: "" },
	];
	const shout = { id: "n1", kind: "shout", name: "shout", position, signature: { fields } };

	it("shows the fields of its signature", () => {
		const { graph } = read([shout]);
		const [node] = graph.nodes;
		expect(node && portsOf(node).map(({ name, role }) => [name, role])).toEqual([
			["message", "input"],
			["area", "output"],
		]);
	});

	it("has no problems that only the server could know of", () => {
		const codes = (kinds?: ReadonlySet<string>) =>
			check(read([shout]).graph, kinds).map(({ code }) => code);
		expect(codes()).toEqual(["unknown-kind", "no-input", "no-output"]);
		expect(codes(new Set(["shout"]))).toEqual(["no-input", "no-output"]);
	});
});
