// Small graphs for tests.

import { readSpec } from "./read_spec";
import type { Graph } from "./spec";

type Json = Record<string, unknown>;

export const CATEGORY = "enum[billing, shipping]";

export function field(name: string, type = "str", role = ""): Json {
	return { name, type, description: "", ...(role ? { role } : {}) };
}

export function step(id: string, name: string, inputs: string[], outputs: Json[]): Json {
	const fields = [...inputs.map((input) => field(input, "str", "input")), ...outputs];
	return {
		id,
		kind: "predict",
		name,
		position: { x: 320, y: 0 },
		signature: { fields, instruction: "" },
		params: {},
		module: "",
	};
}

export function end(id: string, kind: "input" | "output", fields: Json[]): Json {
	return { id, kind, name: kind, position: { x: kind === "input" ? 0 : 640, y: 0 }, fields };
}

/** `"n1.message > n2.message"` as a wire. */
export function edge(id: string, text: string): Json {
	const [from = "", to = ""] = text.split(" > ");
	const [source, source_field] = from.split(".");
	const [target, target_field] = to.split(".");
	return { id, source, source_field, target, target_field };
}

export function graphOf(nodes: Json[], wires: string[] = []): Graph {
	const edges = wires.map((wire, index) => edge(`e${index + 1}`, wire));
	const { graph, refused } = readSpec({ version: 1, nodes, edges });
	if (!graph) throw new Error(refused);
	return graph;
}

/** input → classify → output. */
export function oneStep(): Graph {
	return graphOf(
		[
			end("n1", "input", [field("message")]),
			step("n2", "classify", ["message"], [field("category", CATEGORY, "output")]),
			end("n3", "output", [field("category", CATEGORY)]),
		],
		["n1.message > n2.message", "n2.category > n3.category"],
	);
}

/** The wires as text, for comparing. */
export function wires(graph: Graph): string[] {
	return graph.edges.map(
		(wire) => `${wire.source}.${wire.source_field} > ${wire.target}.${wire.target_field}`,
	);
}
