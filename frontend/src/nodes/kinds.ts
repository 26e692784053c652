// The kinds of nodes as a table: what they are called and how they look.

import type { FieldType, GraphNode } from "../graph";
import type { IconName } from "./Icon";

export interface NodeLook {
	readonly title: string;
	readonly icon: IconName;
}

const LOOKS: Record<GraphNode["kind"], NodeLook> = {
	input: { title: "Input", icon: "input" },
	predict: { title: "Predict", icon: "predict" },
	chain_of_thought: { title: "Chain of thought", icon: "chain_of_thought" },
	multi_chain_comparison: { title: "Multi-chain comparison", icon: "chain_of_thought" },
	react: { title: "ReAct", icon: "tools" },
	program_of_thought: { title: "Program of thought", icon: "code" },
	code_act: { title: "CodeAct", icon: "code" },
	best_of_n: { title: "Best of N", icon: "best" },
	refine: { title: "Refine", icon: "best" },
	majority: { title: "Majority", icon: "best" },
	constraint: { title: "Constraint", icon: "check" },
	retrieve: { title: "Retrieve", icon: "search" },
	knn_demos: { title: "Nearest demos", icon: "search" },
	map: { title: "Map", icon: "flow" },
	branch: { title: "Branch", icon: "flow" },
	router: { title: "Router", icon: "flow" },
	subpipeline: { title: "Subpipeline", icon: "module" },
	template: { title: "Template", icon: "edit" },
	python: { title: "Python", icon: "code" },
	convert: { title: "Convert", icon: "expose" },
	output: { title: "Output", icon: "output" },
	unknown: { title: "Unknown kind", icon: "unknown" },
};

export function lookOf(kind: GraphNode["kind"]): NodeLook {
	return LOOKS[kind];
}

/** The class that colours a node: its own, or that of steps. */
export function nodeClass(kind: GraphNode["kind"]): string {
	return ["input", "output", "unknown"].includes(kind) ? `node-${kind}` : "node-step";
}

/** The class that colours a handle and its wires. */
export function typeClass(type: FieldType | null): string {
	if (!type) return "type-broken";
	if (type.kind === "list") return `type-list ${typeClass(type.item)}`;
	if (type.kind === "optional") return typeClass(type.item);
	return `type-${type.kind}`;
}
