import { describe, expect, it } from "vitest";
import cases from "../../../tests/fixtures/graph_problems.json";
import {
	check,
	type Graph,
	graphAt,
	isSameWay,
	mendingPlace,
	misfit,
	nodeById,
	placeOf,
	readSpec,
	takeOverFields,
} from ".";

function graphOf(name: string): Graph {
	const row = cases.find((one) => one.name === name);
	const { graph } = readSpec(row?.spec);
	if (!graph) throw new Error(`${name} was refused`);
	return graph;
}

function placeIn(name: string) {
	const root = graphOf(name);
	const [problem] = check(root);
	if (!problem) throw new Error(`${name} has no problem`);
	return mendingPlace(problem, root);
}

const DO = { node: "do", part: "body" };

describe("the place where a problem is mended", () => {
	it.each([
		["an input that gets nothing", { spot: { box: "wire", name: "message" } }],
		["ends without fields", { spot: { box: "new-field" } }],
		["a bad name", { spot: { box: "name" } }],
		["a signature without outputs", { spot: { box: "signature" } }],
		["a bad field name", { spot: { box: "field", name: "" } }],
		["no output", { node: "", spot: { box: "palette" } }],
		["a wire into a field that is gone", { node: "", spot: { box: "wire-itself" } }],
		[
			"a subpipeline without its pipeline",
			{ way: [], node: "do", spot: { box: "part", name: "body" } },
		],
		["a part in a kind without any", { way: [], node: "do", spot: { box: "part", name: "body" } }],
		["a branch that lacks a case", { node: "do", spot: { box: "part", name: "no" } }],
		["a branch in which nothing decides", { node: "do", spot: { box: "signature" } }],
		["a router with one case", { node: "do", spot: { box: "signature" } }],
		["a part that lacks an output", { way: [DO], node: "answer", spot: { box: "new-field" } }],
		[
			"a part with an output of another type",
			{ way: [DO], node: "answer", spot: { box: "field", name: "score" } },
		],
		[
			"a part with an input of another type",
			{ way: [DO], node: "given", spot: { box: "field", name: "message" } },
		],
		[
			"a part that asks for what it is not given",
			{ way: [DO], node: "given", spot: { box: "field", name: "hint" } },
		],
		[
			"a problem inside a part",
			{ way: [DO], node: "ask", spot: { box: "wire", name: "message" } },
		],
		["a problem two levels down", { way: [DO, { node: "do", part: "yes" }], node: "ask" }],
		["a part without ends", { way: [DO], node: "", spot: { box: "palette" } }],
	])("is told: %s", (name, place) => {
		expect(placeIn(name)).toMatchObject(place);
	});

	it("is there, for every problem that is known", () => {
		for (const { name, problems } of cases) {
			const root = graphOf(name);
			for (const problem of problems) {
				const { way, node, edge } = mendingPlace(problem, root);
				const level = graphAt(root, way);
				expect(level).not.toBeNull();
				if (node) expect(nodeById(level as Graph, node)).toBeDefined();
				if (edge) expect(level?.edges.map(({ id }) => id)).toContain(edge);
			}
		}
	});
});

describe("a pipeline that does not fit its step", () => {
	it("fits after it has taken over the fields", () => {
		let seen = 0;
		for (const { name } of cases) {
			const root = graphOf(name);
			for (const problem of check(root)) {
				const found = misfit(problem);
				if (!found || found.way.length > 0) continue;
				seen += 1;
				const fitted = takeOverFields(root, found.into.node, found.into.part);
				const left = check(fitted).filter((one) => misfit(one));
				expect(left).toEqual([]);
			}
		}
		expect(seen).toBeGreaterThan(4);
	});

	it("is none where a wire is wrong, inside or outside", () => {
		for (const name of ["a wrong type", "a problem inside a part", "a problem two levels down"]) {
			for (const problem of check(graphOf(name))) {
				expect(misfit(problem)).toBeNull();
				expect(isSameWay(placeOf(problem).way, mendingPlace(problem, graphOf(name)).way)).toBe(
					true,
				);
			}
		}
	});
});
