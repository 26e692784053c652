import { describe, expect, it } from "vitest";
import {
	addressOf,
	changeAt,
	crumbsOf,
	type Graph,
	graphAt,
	isSameWay,
	type Path,
	pathOf,
	rename,
	type StepNode,
	TOP,
	wayLeft,
	whereTheyDiffer,
} from ".";
import { graphOf, oneStep, step } from "./builders";

/** A step with two pipelines inside, of which one holds a step with another. */
function nested(): Graph {
	const inner = { ...(graphOf([step("n4", "deep", [], [])]).nodes[0] as StepNode) };
	const deep: StepNode = { ...inner, kind: "subpipeline", parts: { body: oneStep() } };
	const [holder] = graphOf([{ ...step("n9", "sort", [], []), kind: "branch" }]).nodes;
	const parts = { yes: { ...oneStep(), nodes: [...oneStep().nodes, deep] }, no: oneStep() };
	return { ...oneStep(), nodes: [...oneStep().nodes, { ...(holder as StepNode), parts }] };
}

const YES: Path = [{ node: "n9", part: "yes" }];
const NO: Path = [{ node: "n9", part: "no" }];
const BODY: Path = [...YES, { node: "n4", part: "body" }];
const WAYS = [TOP, YES, NO, BODY];
const rewrite = (graph: Graph) => rename(graph, "n2", "changed");

describe("a level", () => {
	it.each(WAYS)("is found, changed alone, and told where it differs", (...way) => {
		const root = nested();
		expect(graphAt(root, way)?.nodes.slice(0, 3)).toEqual(oneStep().nodes);
		const changed = changeAt(root, way, rewrite);
		expect(graphAt(changed, way)?.nodes[1]?.name).toBe("changed");
		expect(whereTheyDiffer(root, changed)).toEqual(way);
		for (const other of WAYS.filter((one) => !isSameWay(one, way))) {
			expect(graphAt(changed, other)?.nodes[1]?.name).toBe("classify");
		}
	});

	it("that is not there is not changed", () => {
		const root = nested();
		const away: Path = [{ node: "n9", part: "maybe" }];
		expect(graphAt(root, away)).toBeNull();
		expect(graphAt(root, [{ node: "n2", part: "body" }])).toBeNull();
		expect(graphAt(root, [{ node: "n1", part: "body" }])).toBeNull();
		expect(changeAt(root, away, rewrite)).toBe(root);
		expect(changeAt(root, YES, (level) => level)).toBe(root);
	});

	it("is left for the one above when it is gone", () => {
		const root = nested();
		expect(wayLeft(root, BODY)).toEqual(BODY);
		const without = changeAt(root, YES, (level) => ({ ...level, nodes: level.nodes.slice(0, 3) }));
		expect(wayLeft(without, BODY)).toEqual(YES);
		expect(wayLeft(oneStep(), BODY)).toEqual(TOP);
	});

	it("above holds two changes below it", () => {
		const root = nested();
		const both = changeAt(changeAt(root, YES, rewrite), NO, rewrite);
		expect(whereTheyDiffer(root, both)).toEqual(TOP);
		const deeper = changeAt(changeAt(root, YES, rewrite), BODY, rewrite);
		expect(whereTheyDiffer(root, deeper)).toEqual(YES);
	});
});

describe("the address of a level", () => {
	const odd: Path = [
		{ node: "a/b %", part: "#1" },
		{ node: "ü", part: "" },
	];

	it.each([...WAYS, odd])("reads back", (...way) => {
		expect(pathOf(addressOf(way))).toEqual(way);
	});

	it.each(["", "#", "#problems", "#/n9", "#/%zz/yes", "#/"])(
		"that is none is the outermost: %s",
		(text) => {
			expect(pathOf(text)).toEqual(TOP);
		},
	);

	it("is empty for the outermost", () => expect(addressOf(TOP)).toBe(""));
});

it("the way is told in names, with the other pipelines of each node", () => {
	const [first, second] = crumbsOf(nested(), BODY);
	expect(first).toEqual({ name: "sort", part: "yes", way: YES, parts: ["yes", "no"] });
	expect(second).toEqual({ name: "deep", part: "body", way: BODY, parts: ["body"] });
	expect(crumbsOf(nested(), TOP)).toEqual([]);
});
