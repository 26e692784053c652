// Adding a step where a wire is, or beside a handle: with fields that suit, and with its wires.

import { addNode, type Blank, moveNodes, remove } from "./actions";
import { targetsOf } from "./check";
import { connect, inputFor, reach, refusal, type Wire } from "./connect";
import { converters } from "./converters";
import { CARD_WIDTH, COLUMN, freeSpot, toGrid } from "./layout";
import { addedPorts, findPort, type Port, portsOf } from "./ports";
import { freeName, type Role, type SignatureField } from "./signature";
import { type Graph, isEndKind, nodeById, type Position, type StepNode } from "./spec";
import { accepts, type FieldType, formatType, parseType } from "./types";

interface End {
	readonly node: string;
	readonly field: string;
}

/** Where something is added: what it should take in, what it should feed, the wire it goes into,
 * and where on the board. */
export interface Slot {
	readonly from?: End;
	readonly into?: End;
	readonly edge?: string;
	readonly at?: Position;
}

export interface Inserted {
	readonly graph: Graph;
	/** The new node. */
	readonly id: string;
	/** Why it does not fit there; empty when it does. */
	readonly reason: string;
}

/** The place in the middle of a wire. */
export function onWire(graph: Graph, id: string): Slot | null {
	const edge = graph.edges.find((one) => one.id === id);
	if (!edge) return null;
	const from = { node: edge.source, field: edge.source_field };
	return { from, into: { node: edge.target, field: edge.target_field }, edge: id };
}

/** The graph with a new node at the place, wired as the place asks. When it does not fit, the
 * reason says why, and the graph is as it was. */
export function insert(graph: Graph, blank: Blank, place: Slot): Inserted {
	const refused = (reason: string): Inserted => ({ graph, id: "", reason });
	if (isEndKind(blank.kind) && graph.nodes.some(({ kind }) => kind === blank.kind)) {
		return refused(`A pipeline has one ${blank.kind}: it is there already.`);
	}
	const { from, into, edge } = place;
	const suited = suit(blank, portAt(graph, from, "output"), portAt(graph, into, "input"));
	const [added, id] = addNode(graph, suited, spotFor(graph, place));
	let next = edge ? remove(added, [], [edge]) : added;
	if (from) {
		const field = inputFor(next, from.node, from.field, id);
		if (!field) return refused(whyNot(next, from, id, "input"));
		next = connect(next, wire(from, { node: id, field }));
	}
	if (into) {
		const field = outputFor(next, id, into);
		if (!field) return refused(whyNot(next, into, id, "output"));
		next = connect(next, wire({ node: id, field }, into));
	}
	return { graph: edge ? makeRoom(next, place, id) : next, id, reason: "" };
}

function wire(from: End, into: End): Wire {
	return {
		source: from.node,
		source_field: from.field,
		target: into.node,
		target_field: into.field,
	};
}

function portAt(graph: Graph, end: End | undefined, role: Role): Port | undefined {
	return end && findPort(graph, end.node, role, end.field);
}

function portsWith(graph: Graph, id: string, role: Role): Port[] {
	const node = nodeById(graph, id);
	return node ? portsOf(node).filter((port) => port.role === role) : [];
}

/** The output of the node that may feed `into`; one of the same name first. */
function outputFor(graph: Graph, id: string, into: End): string {
	const legal = portsWith(graph, id, "output").filter(
		({ name }) => refusal(graph, wire({ node: id, field: name }, into)) === "",
	);
	const own = legal.filter((port) => !port.added);
	return (own.find(({ name }) => name === into.field) ?? own[0] ?? legal[0])?.name ?? "";
}

function whyNot(graph: Graph, end: End, id: string, role: Role): string {
	const port = portsWith(graph, id, role).find(({ added }) => !added);
	const name = nodeById(graph, id)?.name ?? "";
	if (!port) return `${name} has no ${role} yet.`;
	const own = { node: id, field: port.name };
	return refusal(graph, role === "input" ? wire(end, own) : wire(own, end));
}

/** Which types a kind takes and gives, where it does not take and give any. */
interface Needs {
	readonly inputs?: readonly string[] | "list";
	readonly outputs?: readonly string[] | "list";
	readonly output?: string;
}

const NEEDS: Partial<Record<StepNode["kind"], Needs>> = {
	retrieve: { inputs: ["str", "list[str]"], outputs: ["list[str]"], output: "passages" },
	template: { outputs: ["str"] },
	map: { inputs: "list", outputs: "list" },
};

/** The blank with fields that suit the wires, where it has none of its own yet. */
function suit(blank: Blank, source: Port | undefined, target: Port | undefined): Blank {
	const { kind } = blank;
	if (isEndKind(kind) || blank.signature || "parts" in blank || (!source && !target)) return blank;
	const needs = NEEDS[kind] ?? {};
	const input = typeFor(source, needs.inputs, (one, type) => accepts(one, type));
	let output = typeFor(target, needs.outputs, (one, type) => accepts(type, one));
	if (kind === "convert" && !leads(input, output)) output = "str";
	const reserved = addedPorts({ kind } as StepNode).map(({ name }) => name);
	const from = freeName(source?.name ?? "text", reserved);
	const into = target?.name ?? needs.output ?? "answer";
	const to = into === from ? "answer" : into;
	const fields: SignatureField[] = [
		{ name: from, role: "input", type: input, description: "" },
		{ name: freeName(to, [from, ...reserved]), role: "output", type: output, description: "" },
	];
	return { ...blank, signature: { fields, instruction: "" } };
}

/** The type on one side: that of the wire, if the kind can have it, else the first that fits. */
function typeFor(
	port: Port | undefined,
	needed: Needs["inputs"],
	refused: (one: FieldType, type: FieldType) => string,
): string {
	const wanted = port?.type ?? null;
	if (needed === "list") return wanted?.kind === "list" ? formatType(wanted) : "list[str]";
	if (!needed) return wanted ? formatType(wanted) : "str";
	const fitting = wanted && needed.find((text) => refused(wanted, parseType(text)) === "");
	return fitting ?? needed[0] ?? "str";
}

function leads(from: string, to: string): boolean {
	const [source, target] = [parseType(from), parseType(to)];
	return accepts(source, target) === "" || converters(source, target).length > 0;
}

function spotFor(graph: Graph, { from, into, edge, at }: Slot): Position {
	const source = from && nodeById(graph, from.node);
	const target = into && nodeById(graph, into.node);
	if (edge && source && target) {
		const [one, other] = [source.position, target.position];
		const x = other.x - one.x >= 2 * COLUMN ? (one.x + other.x) / 2 : one.x + COLUMN;
		const wanted = toGrid({ x, y: (one.y + other.y) / 2 });
		const ahead = reach(target.id, targetsOf(graph));
		// What comes after it makes room: only the others can be in the way.
		return freeSpot({ ...graph, nodes: graph.nodes.filter(({ id }) => !ahead.has(id)) }, wanted);
	}
	if (at) return freeSpot(graph, at);
	if (source) return freeSpot(graph, { x: source.position.x + COLUMN, y: source.position.y });
	if (target) return freeSpot(graph, { x: target.position.x - COLUMN, y: target.position.y });
	return freeSpot(graph, { x: 0, y: 0 });
}

/** Push what comes after the new node to the right, as far as the new one needs. */
function makeRoom(graph: Graph, { into }: Slot, id: string): Graph {
	const [added, target] = [nodeById(graph, id), into && nodeById(graph, into.node)];
	if (!added || !target) return graph;
	const by = added.position.x + COLUMN - target.position.x;
	// A wire that leads backwards, or past it, is drawn around: nothing has to move.
	if (by <= 0 || by > COLUMN + CARD_WIDTH) return graph;
	const ahead = reach(target.id, targetsOf(graph));
	const moved = graph.nodes.filter(
		(node) => ahead.has(node.id) && node.position.x >= target.position.x,
	);
	return moveNodes(
		graph,
		new Map(moved.map(({ id, position }) => [id, toGrid({ x: position.x + by, y: position.y })])),
	);
}
