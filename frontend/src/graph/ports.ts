// What can be wired into a node and out of it.

import { signatureRefusal } from "./parts";
import { readSignature } from "./read_spec";
import { checkFields, type Field, type Role } from "./signature";
import {
	type Graph,
	type GraphNode,
	isEnd,
	isStep,
	type StepKind,
	type StepNode,
	type UnknownNode,
} from "./spec";
import { type FieldType, NAME, parseType, SignatureError } from "./types";

/** One row of a node: a field with the side of its handle. `type` is null when unreadable. */
export interface Port {
	readonly name: string;
	readonly role: Role;
	readonly text: string;
	readonly type: FieldType | null;
	/** Fields that the kind adds itself cannot be edited. */
	readonly added: boolean;
	/** An input that needs no wire. */
	readonly optional: boolean;
}

/** The ports of a node by name, for the check; every type is readable. */
export interface Ports {
	readonly inputs: ReadonlyMap<string, FieldType>;
	readonly outputs: ReadonlyMap<string, FieldType>;
	/** Inputs that need no wire: they have a default, or may be nothing. */
	readonly optional: ReadonlySet<string>;
}

const REASONING: Field = {
	name: "reasoning",
	type: "str",
	description: "Think step by step before the answer.",
};

const ROUTE: Field = { name: "route", type: "str", description: "" };
/** What kinds add themselves; `tests/fixtures/kind_ports.json` holds both sides to it. */
const ADDED: Partial<Record<StepKind, readonly Field[]>> = {
	chain_of_thought: [REASONING],
	multi_chain_comparison: [REASONING],
	react: [REASONING],
	router: [ROUTE],
};

/** The outputs that the step's kind adds to those of its signature. */
export function addedPorts(node: StepNode): readonly Field[] {
	return ADDED[node.kind] ?? [];
}

/** Nodes never change, so what was found of one stays true: typing asks for it again and again. */
const known = new WeakMap<GraphNode, readonly Port[]>();

/** The rows of a node, in the order in which they are shown. Never fails. */
export function portsOf(node: GraphNode): readonly Port[] {
	const found = known.get(node) ?? findPorts(node);
	known.set(node, found);
	return found;
}

function findPorts(node: GraphNode): Port[] {
	if (node.kind === "unknown") return foreignPorts(node);
	if (isEnd(node)) {
		const role = node.kind === "input" ? "output" : "input";
		return node.fields.map((field) => toPort(field, role));
	}
	const { fields } = node.signature;
	return [
		...fields.filter(({ role }) => role === "input").map((field) => toPort(field, "input")),
		...addedPorts(node).map((field) => toPort(field, "output", true)),
		...fields.filter(({ role }) => role === "output").map((field) => toPort(field, "output")),
	];
}

/** Of a node that this page does not draw: what its signature says, if it has one. */
function foreignPorts(node: UnknownNode): Port[] {
	const { fields } = readSignature(node.raw.signature);
	return (["input", "output"] as const).flatMap((role) =>
		fields.filter((field) => field.role === role).map((field) => toPort(field, role)),
	);
}

export function findPort(graph: Graph, node: string, role: Role, name: string): Port | undefined {
	const found = graph.nodes.find(({ id }) => id === node);
	return found && portsOf(found).find((port) => port.role === role && port.name === name);
}

const read = new WeakMap<GraphNode, Ports>();

/** The ports that the check wires by, or `SignatureError` when the node's fields are not in order. */
export function readPorts(node: GraphNode): Ports {
	const found = read.get(node) ?? readNode(node);
	read.set(node, found);
	return found;
}

const NOTHING: Ports = { inputs: new Map(), outputs: new Map(), optional: new Set() };

function readNode(node: GraphNode): Ports {
	if (node.kind === "unknown") return NOTHING;
	if (isEnd(node)) checkEndFields(node.fields);
	if (isStep(node)) {
		node.signature.fields.forEach((field) => {
			parseType(field.type);
		});
		if (node.signature.fields.length === 0) {
			throw new SignatureError("It has no signature yet: write one such as message -> category.");
		}
		checkFields(node.signature.fields);
		const clash = addedPorts(node).find((field) =>
			node.signature.fields.some(({ name }) => name === field.name),
		);
		if (clash) {
			throw new SignatureError(
				clash === ROUTE
					? "Router adds the field “route” itself: rename yours."
					: "ChainOfThought adds the field “reasoning” itself: rename yours, or use Predict.",
			);
		}
		const refused = signatureRefusal(node);
		if (refused) throw new SignatureError(refused);
	}
	const side = (role: Role) =>
		new Map(
			portsOf(node)
				.filter((port) => port.role === role)
				.map((port) => [port.name, parseType(port.text)]),
		);
	const optional = portsOf(node).filter((port) => port.role === "input" && port.optional);
	return {
		inputs: side("input"),
		outputs: side("output"),
		optional: new Set(optional.map((port) => port.name)),
	};
}

function checkEndFields(fields: readonly Field[]): void {
	for (const field of fields) parseType(field.type);
	for (const { name } of fields) {
		if (!NAME.test(name)) {
			throw new SignatureError(`“${name}” is not a field name: write order_id or message.`);
		}
	}
	const names = fields.map(({ name }) => name);
	const twice = names.find((name, index) => names.indexOf(name) !== index);
	if (twice !== undefined) throw new SignatureError(`The field “${twice}” stands twice.`);
}

function toPort(field: Field, role: Role, added = false): Port {
	let type: FieldType | null = null;
	try {
		type = parseType(field.type);
	} catch {
		// The row is shown with its text; the check tells what is wrong with it.
	}
	const optional = "default" in field || type?.kind === "optional";
	return { name: field.name, role, text: field.type, type, added, optional };
}
