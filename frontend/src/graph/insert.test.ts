import { describe, expect, it } from "vitest";
import type { Blank } from "./actions";
import { CATEGORY, end, field, graphOf, oneStep, step, wires } from "./builders";
import { check } from "./check";
import { insert, onWire } from "./insert";
import { readSignature } from "./read_spec";

const PREDICT: Blank = { kind: "predict", name: "predict" };

function at(graph: ReturnType<typeof oneStep>, id: string) {
	const place = onWire(graph, id);
	if (!place) throw new Error("There is no such wire.");
	return place;
}

describe("a step goes into a wire", () => {
	it("with fields that suit it, so that nothing is wrong afterwards", () => {
		const graph = oneStep();
		const { graph: changed, id, reason } = insert(graph, PREDICT, at(graph, "e2"));
		expect(reason).toBe("");
		expect(check(changed)).toEqual([]);
		expect(wires(changed)).toEqual([
			"n1.message > n2.message",
			`n2.category > ${id}.category`,
			`${id}.answer > n3.category`,
		]);
	});

	it.each(["chain_of_thought", "react", "template", "retrieve", "map", "convert"] as const)(
		"and %s keeps to what its kind can have",
		(kind) => {
			const graph = oneStep();
			const { graph: changed, reason } = insert(graph, { kind, name: "new" }, at(graph, "e1"));
			if (reason) expect(changed).toBe(graph);
			else expect(check(changed)).toEqual([]);
			expect(reason !== "").toBe(["retrieve", "map"].includes(kind));
		},
	);

	it("and what comes after it makes room", () => {
		const graph = oneStep();
		const { graph: changed, id } = insert(graph, PREDICT, at(graph, "e1"));
		const x = (node: string) => changed.nodes.find((one) => one.id === node)?.position.x ?? 0;
		expect(x(id) - x("n1")).toBeGreaterThanOrEqual(300);
		expect(x("n2") - x(id)).toBeGreaterThanOrEqual(300);
		expect(x("n3") - x("n2")).toBe(320);
	});

	it("or is refused with the reason when its own fields do not fit", () => {
		const graph = oneStep();
		const signature = readSignature({
			fields: [field("rows", "list[int]", "input"), field("sum", "int", "output")],
		});
		const blank: Blank = { ...PREDICT, name: "sum", signature };
		const { graph: changed, reason } = insert(graph, blank, at(graph, "e1"));
		expect(changed).toBe(graph);
		expect(reason).toContain("str does not fit into list[int]");
	});
});

it("adds a step after an output and before an input", () => {
	const graph = oneStep();
	const after = insert(graph, PREDICT, { from: { node: "n1", field: "message" } });
	expect(wires(after.graph).at(-1)).toBe(`n1.message > ${after.id}.message`);
	const bare = graphOf([
		end("n1", "input", [field("message")]),
		end("n2", "output", [field("category", CATEGORY)]),
	]);
	const before = insert(bare, PREDICT, { into: { node: "n2", field: "category" } });
	expect(wires(before.graph)).toEqual([`${before.id}.category > n2.category`]);
	expect(check(before.graph).map(({ code }) => code)).toEqual(["unconnected-input"]);
});

it("retrieves for a text, and not for a picture", () => {
	const bare = graphOf([
		end("n1", "input", [field("question"), field("picture", "image")]),
		step("n2", "answer", ["text"], [field("answer", "str", "output")]),
	]);
	const blank: Blank = { kind: "retrieve", name: "retrieve" };
	const found = insert(bare, blank, { from: { node: "n1", field: "question" } });
	expect(found.reason).toBe("");
	const refused = insert(bare, blank, { from: { node: "n1", field: "picture" } });
	expect(refused.reason).toContain("image does not fit into str");
});

it("adds no second input", () => {
	const graph = oneStep();
	expect(insert(graph, { kind: "input", name: "input" }, {})).toEqual({
		graph,
		id: "",
		reason: "A pipeline has one input: it is there already.",
	});
});
