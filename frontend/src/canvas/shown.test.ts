import { expect, it } from "vitest";
import { rename } from "../graph";
import { oneStep } from "../graph/builders";
import { showEdges, showNodes } from "./shown";

const NOTHING = { nodes: [], edges: [] };

it("shows the same lists while nothing looks different", () => {
	const graph = oneStep();
	const nodes = showNodes([], graph, NOTHING, "n2");
	const edges = showEdges([], graph, NOTHING, new Set());
	expect(showNodes(nodes, graph, { nodes: [], edges: [] }, "n2")).toBe(nodes);
	expect(showEdges(edges, graph, { nodes: ["n2"], edges: [] }, new Set())).toBe(edges);
});

it("draws anew only what does", () => {
	const graph = oneStep();
	const nodes = showNodes([], graph, NOTHING, "n2");
	const renamed = showNodes(nodes, rename(graph, "n2", "other"), NOTHING, "n2");
	expect(renamed.filter((node, index) => node !== nodes[index]).map(({ id }) => id)).toEqual([
		"n2",
	]);
	const removed = showNodes(nodes, { ...graph, nodes: graph.nodes.slice(1) }, NOTHING, "n2");
	expect(removed).toHaveLength(nodes.length - 1);
});
