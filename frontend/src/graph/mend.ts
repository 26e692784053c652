// Where a problem is mended: the level, the node, and the very box in its form.

import { type Problem, placeOf } from "./check";
import { graphAt, type Into, type Path } from "./levels";
import { lackingParts, partsOf } from "./parts";
import { portsOf } from "./ports";
import { type Graph, type GraphNode, isStep, nodeById } from "./spec";

/** A box in the form of a node: its name, its signature, one of its fields … */
export type Spot =
	| { readonly box: "name" | "signature" | "new-field" | "params" | "palette" | "wire-itself" }
	| { readonly box: "field" | "wire" | "part"; readonly name: string };

export interface Mending {
	readonly way: Path;
	/** The node or, for a wire that leads nowhere, the wire to be selected. */
	readonly node: string;
	readonly edge: string;
	readonly spot: Spot;
}

export function mendingPlace(problem: Problem, root: Graph): Mending {
	const { way, found } = placeOf(problem);
	const into = way.at(-1);
	if (into && isOfPart(problem)) {
		const spot: Spot = { box: "part", name: into.part };
		return { way: way.slice(0, -1), node: into.node, edge: "", spot };
	}
	if (into && found.node === "" && FITS.has(found.code)) return endOfPart(found, root, way, into);
	const level = graphAt(root, way);
	const edge = level?.edges.find(({ id }) => id === found.edge);
	const node = level && nodeById(level, found.node || edge?.target || "");
	if (!node) return { way, node: "", edge: edge?.id ?? "", spot: spotWithoutNode(found) };
	const spot = spotIn(node, found);
	if (spot.box === "wire-itself") return { way, node: "", edge: edge?.id ?? "", spot };
	return { way, node: node.id, edge: "", spot };
}

/** The pipeline that does not fit the step around it, or nothing: for taking over its fields. */
export function misfit(problem: Problem): { way: Path; into: Into } | null {
	const { way, found } = placeOf(problem);
	const into = way.at(-1);
	if (!into || found.node !== "" || !FITS.has(found.code)) return null;
	return { way: way.slice(0, -1), into };
}

const FITS: ReadonlySet<string> = new Set(["missing-output", "unknown-field", "wrong-type"]);

function isOfPart({ code }: Problem): boolean {
	return code === "missing-part" || code === "unknown-part";
}

/** The end of a pipeline whose field the step around it cannot take or give. */
function endOfPart(found: Problem, root: Graph, way: Path, into: Into): Mending {
	const above = graphAt(root, way.slice(0, -1));
	const holder = above && nodeById(above, into.node);
	const part =
		holder && isStep(holder) ? partsOf(holder).find(({ name }) => name === into.part) : undefined;
	const isAnswer =
		found.code === "missing-output" || part?.outputs.some(({ name }) => name === found.field);
	const kind = isAnswer ? "output" : "input";
	const end = graphAt(root, way)?.nodes.find((node) => node.kind === kind);
	const spot: Spot =
		found.code === "missing-output" ? { box: "new-field" } : { box: "field", name: found.field };
	return { way, node: end?.id ?? "", edge: "", spot };
}

function spotWithoutNode({ code }: Problem): Spot {
	return { box: code === "no-input" || code === "no-output" ? "palette" : "wire-itself" };
}

function spotIn(node: GraphNode, { code, field, edge }: Problem): Spot {
	if (code === "no-fields") return { box: "new-field" };
	if (code === "bad-params") return { box: "params" };
	if (code === "bad-signature") return signatureSpot(node);
	if (edge || code === "unconnected-input") {
		const hasInput = portsOf(node).some(({ role, name }) => role === "input" && name === field);
		return hasInput ? { box: "wire", name: field } : { box: "wire-itself" };
	}
	return { box: "name" };
}

function signatureSpot(node: GraphNode): Spot {
	if (!isStep(node)) return { box: "field", name: "" };
	const [missing] = lackingParts(node);
	return missing ? { box: "part", name: missing.name } : { box: "signature" };
}
