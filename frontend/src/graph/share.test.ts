import { expect, it } from "vitest";
import { rename } from "./actions";
import { oneStep } from "./builders";
import { type Graph, readSpec, toSpec } from "./index";
import { sharing } from "./share";

const again = (graph: Graph) => readSpec(toSpec(graph)).graph as Graph;

it("knows a drawing again", () => {
	const known = oneStep();
	expect(sharing(again(known), known)).toBe(known);
});

it("keeps what did not change, and nothing else", () => {
	const known = oneStep();
	const renamed = rename(known, "n2", "other");
	const found = sharing(again(renamed), known);
	expect(found).toEqual(renamed);
	expect(found.edges).toBe(known.edges);
	expect(found.nodes.filter((node, index) => node !== known.nodes[index])).toHaveLength(1);
});

it("keeps the order of what came", () => {
	const known = oneStep();
	const turned = { ...known, nodes: known.nodes.toReversed() };
	expect(sharing(again(turned), known).nodes.map(({ id }) => id)).toEqual(
		turned.nodes.map(({ id }) => id),
	);
});
