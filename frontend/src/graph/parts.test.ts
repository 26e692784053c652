import { describe, expect, it } from "vitest";
import rows from "../../../tests/fixtures/kind_parts.json";
import {
	addNode,
	addPart,
	bridge,
	check,
	emptyPart,
	type Field,
	fillPart,
	type Graph,
	hasOtherFields,
	isEnd,
	lackingParts,
	nodeById,
	parseSignature,
	partsOf,
	removePart,
	renamePart,
	STEP_KINDS,
	type StepNode,
	setSignature,
	takeOverFields,
	wantedParts,
} from ".";
import { field, graphOf, oneStep, step, wires } from "./builders";

interface Row {
	name: string;
	kind: string;
	signature: string;
	params: Record<string, unknown>;
	parts?: { name: string; inputs: string[]; outputs: string[]; required: boolean }[];
	refused?: string;
}

function nodeOf(kind: string, signature: string, params: Record<string, unknown> = {}): StepNode {
	const json = { ...step("n1", "one", [], []), kind, params };
	const { nodes } = graphOf([
		{ ...json, signature: { fields: parseSignature(signature), instruction: "" } },
	]);
	return nodes[0] as StepNode;
}

const shown = (fields: readonly Field[]) => fields.map(({ name, type }) => `${name}: ${type}`);

describe("the parts of a node", () => {
	it("are told of every kind", () => {
		expect(new Set(rows.map(({ kind }) => kind))).toEqual(new Set(STEP_KINDS));
	});

	it.each((rows as Row[]).map((row) => [row.name, row] as const))(
		"are the engine's: %s",
		(_, row) => {
			const node = nodeOf(row.kind, row.signature, row.params);
			if (row.refused) {
				expect(() => wantedParts(node)).toThrow(row.refused);
				expect(partsOf(node)).toEqual([]);
				return;
			}
			const parts = wantedParts(node).map((part) => ({
				...part,
				inputs: shown(part.inputs),
				outputs: shown(part.outputs),
			}));
			expect(parts).toEqual(row.parts);
			expect(partsOf(node)).toEqual(wantedParts(node));
		},
	);

	it("are none where the signature or the params cannot be read", () => {
		expect(partsOf(nodeOf("branch", "message -> answer"))).toEqual([]);
		expect(partsOf(nodeOf("router", "message -> answer", { cases: "billing" }))).toEqual([]);
		expect(
			partsOf(nodeOf("map", "messages: list[str] -> answers: list[str]", { over: 1 })),
		).toEqual([]);
		const broken = graphOf([
			{ ...step("n1", "one", ["a"], [field("b", "texts", "output")]), kind: "subpipeline" },
		]);
		expect(partsOf(broken.nodes[0] as StepNode)).toEqual([]);
	});
});

function added(kind: (typeof STEP_KINDS)[number]): [Graph, StepNode] {
	const [graph, id] = addNode(graphOf([]), { kind, name: "one" }, { x: 0, y: 0 });
	return [graph, nodeById(graph, id) as StepNode];
}

const codes = (graph: Graph) =>
	check(graph)
		.filter(({ node }) => node !== "")
		.map(({ code }) => code);

describe("a new node", () => {
	it.each(["branch", "router", "subpipeline"] as const)(
		"comes with empty pipelines: %s",
		(kind) => {
			const [graph, node] = added(kind);
			const drawn = Object.entries(node.parts);
			const names = {
				branch: ["yes", "no"],
				router: ["billing", "shipping"],
				subpipeline: ["body"],
			};
			expect(drawn.map(([name]) => name)).toEqual(names[kind]);
			for (const [name, part] of drawn) {
				const wanted = partsOf(node).find((one) => one.name === name);
				const [input, output] = part.nodes.filter(isEnd);
				expect(input?.fields).toEqual(wanted?.inputs);
				expect(output?.fields).toEqual(wanted?.outputs);
			}
			// Nothing is wrong with it but that nothing is drawn yet.
			expect(new Set(codes(graph))).toEqual(new Set(["unconnected-input"]));
		},
	);

	it("needs no pipeline where the step itself answers", () => {
		const [graph, node] = added("map");
		expect(node.parts).toEqual({});
		expect(new Set(codes(graph))).toEqual(new Set(["unconnected-input"]));
	});
});

describe("the pipelines of a node", () => {
	it("are begun, renamed and removed", () => {
		const [graph, { id }] = added("branch");
		const names = (changed: Graph) => Object.keys((nodeById(changed, id) as StepNode).parts);
		const more = addPart(graph, id, "otherwise");
		expect(names(more)).toEqual(["yes", "no", "otherwise"]);
		expect(addPart(more, id, "otherwise")).toBe(more);
		expect(addPart(graph, id, "maybe")).toBe(graph);
		expect(names(removePart(more, id, "no"))).toEqual(["yes", "otherwise"]);
		expect(removePart(graph, id, "maybe")).toBe(graph);
		expect(names(renamePart(graph, id, "no", "otherwise"))).toEqual(["yes", "otherwise"]);
		expect(renamePart(graph, id, "no", "yes")).toBe(graph);
		expect(addPart(oneStep(), "n2", "body")).toEqual(oneStep());
	});

	it("take over the fields of the step; their wires follow a renamed one", () => {
		const [empty, { id }] = added("subpipeline");
		const through = {
			id: "e1",
			source: "input",
			source_field: "text",
			target: "output",
			target_field: "answer",
		};
		const draw = (part: Graph) => ({ ...part, edges: [through] });
		const nodes = empty.nodes.map((one) =>
			"parts" in one ? { ...one, parts: { body: draw(one.parts.body as Graph) } } : one,
		);
		const graph: Graph = { ...empty, nodes };
		const renamed = setSignature(graph, id, parseSignature("message -> answer: str"));
		const node = nodeById(renamed, id) as StepNode;
		expect(codes(renamed)).toContain("unknown-field");
		expect(hasOtherFields(node, partsOf(node)[0] as never)).toBe(true);
		const fitted = takeOverFields(renamed, id, "body");
		const after = nodeById(fitted, id) as StepNode;
		expect(codes(fitted)).not.toContain("unknown-field");
		expect(hasOtherFields(after, partsOf(after)[0] as never)).toBe(false);
		expect(wires(after.parts.body as Graph)).toEqual(["input.message > output.answer"]);
		expect(takeOverFields(graph, id, "other")).toBe(graph);
	});

	it("may be copies of saved ones; a subpipeline has their fields then", () => {
		const [graph, { id }] = added("subpipeline");
		const filled = fillPart(graph, id, "body", oneStep());
		const node = nodeById(filled, id) as StepNode;
		expect(node.signature.fields.map(({ role, name }) => `${role} ${name}`)).toEqual([
			"input message",
			"output category",
		]);
		expect(codes(filled)).toEqual(["unconnected-input"]);
		expect(fillPart(graph, id, "other", oneStep())).toBe(graph);
		const [branch, { id: by }] = added("branch");
		const same = nodeById(fillPart(branch, by, "yes", oneStep()), by) as StepNode;
		expect(same.signature).toEqual((nodeById(branch, by) as StepNode).signature);
		expect(same.parts.yes).toEqual(oneStep());
	});

	it("that a node cannot do without are told", () => {
		const [graph, node] = added("branch");
		expect(lackingParts(node)).toEqual([]);
		const without = nodeById(removePart(graph, node.id, "no"), node.id) as StepNode;
		expect(lackingParts(without).map(({ name }) => name)).toEqual(["no"]);
		const router = nodeOf("router", "message -> answer", { cases: ["one"] });
		expect(lackingParts(router)).toEqual([]);
		expect(lackingParts(nodeOf("subpipeline", "a -> b")).map(({ name }) => name)).toEqual([
			"body",
		]);
	});

	it("are bridged by one step that has all their fields", () => {
		const [, node] = added("branch");
		const drawn = bridge(node.parts.yes as Graph);
		expect(check(drawn)).toEqual([]);
		expect(wires(drawn)).toHaveLength(3);
		expect(bridge(drawn)).toBe(drawn);
		const [same] = partsOf(nodeOf("subpipeline", "text -> text_2"));
		const twins = { inputs: same?.inputs ?? [], outputs: same?.inputs ?? [] };
		expect(check(bridge(emptyPart(twins)))).toEqual([]);
		expect(bridge(graphOf([]))).toEqual(graphOf([]));
	});

	it("get ends again when they have lost them", () => {
		const [graph, { id }] = added("subpipeline");
		const nodes = graph.nodes.map((one) =>
			"parts" in one ? { ...one, parts: { body: graphOf([]) } } : one,
		);
		const fitted = takeOverFields({ ...graph, nodes }, id, "body");
		const body = (nodeById(fitted, id) as StepNode).parts.body;
		expect(body?.nodes.map(({ kind }) => kind)).toEqual(["input", "output"]);
	});
});
