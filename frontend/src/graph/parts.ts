// The pipelines inside a node: which ones its kind has, what they are given, what they must answer.
// Mirrors `parts` of the kinds in `studio/engine/modules/`; `tests/fixtures/kind_parts.json` holds
// both sides to it.

import type { Field, Role } from "./signature";
import type { StepKind, StepNode } from "./spec";
import { type FieldType, formatType, NAME, parseType, SignatureError } from "./types";

/** A pipeline inside a node, such as one case of a Router. */
export interface Part {
	readonly name: string;
	/** What it is given; it may use fewer. */
	readonly inputs: readonly Field[];
	/** What it must answer. */
	readonly outputs: readonly Field[];
	readonly required: boolean;
}

/** The part that takes the place of a whole step. */
export const BODY = "body";
/** The part that runs for cases without one of their own. */
export const OTHERWISE = "otherwise";

/** Parameters that only the server can judge. */
export class UnreadableParams extends Error {}

type PartsOfKind = (node: StepNode) => readonly Part[];

const body =
	(required: boolean): PartsOfKind =>
	(node) => [{ name: BODY, inputs: side(node, "input"), outputs: side(node, "output"), required }];

const PARTS: Partial<Record<StepKind, PartsOfKind>> = {
	best_of_n: body(false),
	branch: (node) => caseParts(node, branchNames(node)),
	constraint: (node) =>
		body(false)(node).map((part) => ({ ...part, inputs: [...part.inputs, ...ADVICE] })),
	majority: body(false),
	map: itemParts,
	refine: body(false),
	router: (node) => caseParts(node, routerNames(node)),
	subpipeline: body(true),
};

/** What the next attempt of a Constraint is told. */
const ADVICE: readonly Field[] = [
	{
		name: "previous_answer",
		type: "str",
		description: "What you answered before. It was refused.",
		default: "",
	},
	{
		name: "what_was_wrong",
		type: "str",
		description: "Why it was refused. Answer so that it is not refused again.",
		default: "",
	},
];

/** Whether nodes of this kind hold pipelines. */
export function holdsParts(node: StepNode): boolean {
	return node.kind in PARTS;
}

/** The parts of a node. Throws `SignatureError` or `UnreadableParams` when they cannot be told. */
export function wantedParts(node: StepNode): readonly Part[] {
	return PARTS[node.kind]?.(node) ?? [];
}

/** The same for showing: nothing where they cannot be told. Never fails. */
export function partsOf(node: StepNode): readonly Part[] {
	try {
		for (const { type } of node.signature.fields) parseType(type);
		const refused = signatureRefusal(node);
		return refused ? [] : wantedParts(node);
	} catch (error) {
		if (error instanceof SignatureError || error instanceof UnreadableParams) return [];
		throw error;
	}
}

/** Why the kind cannot have this signature; empty when it can. Every type is readable. */
export function signatureRefusal(node: StepNode): string {
	if (node.kind === "branch" && deciders(node).length === 0) {
		return "Branch needs an input that decides: write urgent: bool, or area: enum[a, b].";
	}
	if (node.kind !== "map") return "";
	if (lists(node).length === 0) {
		return "Map needs a list among its inputs: write messages: list[str].";
	}
	const single = side(node, "output").find(({ type }) => parseType(type).kind !== "list");
	if (!single) return "";
	const wanted = `list[${formatType(parseType(single.type))}]`;
	return `Map answers one value for each item: write ${single.name}: ${wanted}.`;
}

/** Why the cases that are drawn are too few to run; empty when they are not. */
export function casesRefusal(node: StepNode): string {
	if (node.kind !== "branch" && node.kind !== "router") return "";
	const there = (name: string) => name in node.parts;
	const names = node.kind === "branch" ? branchNames(node) : routerNames(node);
	for (const [label, name] of names) {
		if (!there(name) && !there(OTHERWISE)) {
			return `For the case “${label}” there is no pipeline: draw “${name}”, or “${OTHERWISE}”.`;
		}
	}
	if (node.kind === "router" || there(OTHERWISE)) return "";
	const on = decider(node);
	const isOptional = node.signature.fields.some(
		({ name, type }) => name === on && parseType(type).kind === "optional",
	);
	return isOptional ? `“${on}” may be nothing: draw the pipeline “${OTHERWISE}”.` : "";
}

/** The parts without which the node cannot run, of those that are not drawn. */
export function lackingParts(node: StepNode): readonly Part[] {
	const missing = partsOf(node).filter(({ name }) => !(name in node.parts));
	const required = missing.filter((part) => part.required);
	// What is wrong with the signature itself is told before any part is missed.
	if (missing.length === 0 || !casesRefusal(node)) return required;
	const cases = missing.filter(({ name }) => name !== OTHERWISE);
	return cases.length > 0 ? cases : missing;
}

/** For each label the name of its part: “Not sure” is `not_sure`. No name stands twice. */
function partNames(labels: readonly string[]): Map<string, string> {
	const names = new Map<string, string>();
	const taken = new Set<string>();
	for (const label of labels) {
		const plain = label.toLowerCase().replace(/[^a-z0-9]+/g, "_");
		let name = NAME.test(label) ? label : plain.replace(/^_+|_+$/g, "");
		for (let number = 1; !NAME.test(name) || taken.has(name); number += 1) {
			name = `case_${number}`;
		}
		names.set(label, name);
		taken.add(name);
	}
	return names;
}

function caseParts(node: StepNode, names: ReadonlyMap<string, string>): Part[] {
	const [inputs, outputs] = [side(node, "input"), side(node, "output")];
	const wanted = new Set([...names.values(), OTHERWISE]);
	return [...wanted].map((name) => ({ name, inputs, outputs, required: false }));
}

function routerNames({ params }: StepNode): Map<string, string> {
	const cases = params.cases ?? [];
	if (!Array.isArray(cases) || !cases.every((one) => typeof one === "string")) {
		throw new UnreadableParams("The cases are no list of texts.");
	}
	if (new Set(cases).size < cases.length) throw new UnreadableParams("A case stands twice.");
	if (cases.length < 2) {
		throw new SignatureError("Router needs two cases or more: write billing and shipping.");
	}
	if (cases.some((one) => one.trim() === "")) {
		throw new SignatureError("A case of the Router is empty: give it a name.");
	}
	return partNames(cases);
}

function branchNames(node: StepNode): Map<string, string> {
	const on = decider(node);
	const field = side(node, "input").find(({ name }) => name === on);
	const decides = field && decidingType(field);
	return partNames(decides?.kind === "enum" ? decides.labels : ["yes", "no"]);
}

/** The input of a Branch whose value decides. */
function decider(node: StepNode): string {
	const on = textParam(node, "on");
	const names = deciders(node);
	const [first = ""] = names;
	if (on && !names.includes(on)) {
		throw new SignatureError(
			`It should be decided by “${on}”, which is no bool or enum among its inputs. ` +
				`There ${names.length === 1 ? "is" : "are"} ${names.join(", ") || "none"}.`,
		);
	}
	return on || first;
}

function deciders(node: StepNode): string[] {
	return side(node, "input")
		.filter((field) => decidingType(field))
		.map(({ name }) => name);
}

function decidingType(field: Field): FieldType | null {
	const type = parseType(field.type);
	const inner = type.kind === "optional" ? type.item : type;
	return inner.kind === "bool" || inner.kind === "enum" ? inner : null;
}

/** What the step inside a Map takes and answers for one item. */
function itemParts(node: StepNode): Part[] {
	const over = textParam(node, "over");
	const names = lists(node);
	if (over && !names.includes(over)) {
		throw new SignatureError(
			`It should work on “${over}”, which is no list among its inputs. ` +
				`Lists are ${names.join(", ") || "none"}.`,
		);
	}
	const mapped = over || names[0];
	const one = ({ constraints: _, default: __, ...field }: Field): Field => {
		const type = parseType(field.type);
		return { ...field, type: "item" in type ? formatType(type.item) : "str" };
	};
	const inputs = side(node, "input").map((field) => (field.name === mapped ? one(field) : field));
	return [{ name: BODY, inputs, outputs: side(node, "output").map(one), required: false }];
}

function lists(node: StepNode): string[] {
	return side(node, "input")
		.filter(({ type }) => parseType(type).kind === "list")
		.map(({ name }) => name);
}

function side(node: StepNode, role: Role): Field[] {
	return node.signature.fields
		.filter((field) => field.role === role)
		.map(({ role: _, ...field }) => field);
}

function textParam({ params }: StepNode, name: string): string {
	const value = params[name] ?? "";
	if (typeof value !== "string") throw new UnreadableParams(`${name} is no text.`);
	return value;
}
