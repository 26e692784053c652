// What a new node is: a signature that its kind can have, and pipelines that are ready to be drawn.

import { OTHERWISE, type Part, partsOf } from "./parts";
import { parseSignature } from "./signature";
import type { Graph, StepKind, StepNode } from "./spec";

interface Start {
	readonly signature: string;
	readonly params?: Readonly<Record<string, unknown>>;
}

/** Kinds for which `text -> answer` would be wrong at once. */
const STARTS: Partial<Record<StepKind, Start>> = {
	branch: { signature: "message, urgent: bool -> answer" },
	map: { signature: "messages: list[str] -> answers: list[str]" },
	router: { signature: "message -> answer", params: { cases: ["billing", "shipping"] } },
};

/** A signature and parameters with which a new node of this kind is in order. */
export function startOf(kind: StepKind): Pick<StepNode, "signature" | "params"> {
	const { signature = "text -> answer", params = {} } = STARTS[kind] ?? {};
	return { signature: { fields: parseSignature(signature), instruction: "" }, params };
}

/** A new node with the pipelines that it cannot do without, each ready to be drawn. */
export function withStartingParts(node: StepNode): StepNode {
	const isNeeded = (part: Part) =>
		part.required || node.kind === "branch" || node.kind === "router";
	const parts = partsOf(node)
		.filter((part) => isNeeded(part) && part.name !== OTHERWISE)
		.map((part) => [part.name, emptyPart(part)]);
	return parts.length > 0 ? { ...node, parts: Object.fromEntries(parts) } : node;
}

/** A pipeline with the fields of the part at its ends and nothing between. */
export function emptyPart({ inputs, outputs }: Pick<Part, "inputs" | "outputs">): Graph {
	const left = { id: "input", kind: "input", name: "input", position: { x: 0, y: 0 } } as const;
	const right = {
		id: "output",
		kind: "output",
		name: "output",
		position: { x: 720, y: 0 },
	} as const;
	return {
		nodes: [
			{ ...left, fields: inputs },
			{ ...right, fields: outputs },
		],
		edges: [],
		notes: [],
	};
}
