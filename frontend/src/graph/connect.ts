// Wires: whether one may be drawn, and drawing it.

import { addNode } from "./actions";
import { targetsOf } from "./check";
import { type Converter, converters } from "./converters";
import { freeSpot } from "./layout";
import { findPort, type Port, portsOf } from "./ports";
import { freeName, type SignatureField } from "./signature";
import { type Edge, freeId, type Graph, nodeById } from "./spec";
import { accepts } from "./types";

/** A wire that somebody would like to draw. */
export type Wire = Omit<Edge, "id">;

/** Something that an input could take, and why not, if not. */
export interface Source {
	readonly node: string;
	readonly nodeName: string;
	readonly port: Port;
	readonly reason: string;
}

/** Why the wire is refused; empty when it is legal. A wire that is there already gives way. */
export function refusal(graph: Graph, wire: Wire): string {
	return reasonAgainst(graph, wire, () => leadingTo(graph, wire.source).has(wire.target));
}

function reasonAgainst(graph: Graph, wire: Wire, runsInCircle: () => boolean): string {
	const [source, target] = [nodeById(graph, wire.source), nodeById(graph, wire.target)];
	if (!source || !target) return "That node is gone.";
	if (source.id === target.id) return `${source.name} cannot feed itself.`;
	const from = findPort(graph, source.id, "output", wire.source_field);
	const to = findPort(graph, target.id, "input", wire.target_field);
	if (!from) return `${source.name} has no output “${wire.source_field}”.`;
	if (!to) return `${target.name} has no input “${wire.target_field}”.`;
	if (!from.type) return `The type of ${source.name}.${from.name} cannot be read yet.`;
	if (!to.type) return `The type of ${target.name}.${to.name} cannot be read yet.`;
	const reason = accepts(from.type, to.type);
	if (reason) return `${source.name}.${from.name} → ${target.name}.${to.name}: ${reason}.`;
	if (runsInCircle()) {
		return `That would run in a circle: ${source.name} already waits for ${target.name}.`;
	}
	return "";
}

/** The graph with the wire, in the place of the one that led into the same input. */
export function connect(graph: Graph, wire: Wire): Graph {
	const { source, source_field, target, target_field } = wire;
	const replaced = wireInto(graph, target, target_field);
	if (replaced?.source === source && replaced.source_field === source_field) return graph;
	const others = graph.edges.filter((edge) => !isInto(edge, target, target_field));
	const id = replaced?.id ?? freeId("e", new Set(graph.edges.map((edge) => edge.id)));
	return { ...graph, edges: [...others, { id, source, source_field, target, target_field }] };
}

/** The conversions that would make a refused wire legal, the likeliest first. */
export function convertersFor(graph: Graph, wire: Wire): Converter[] {
	const from = findPort(graph, wire.source, "output", wire.source_field);
	const to = findPort(graph, wire.target, "input", wire.target_field);
	if (!from?.type || !to?.type || wire.source === wire.target) return [];
	if (leadingTo(graph, wire.source).has(wire.target)) return [];
	return converters(from.type, to.type);
}

/** The graph with a Convert step in the middle of the wire, and its id; both its ends are wired. */
export function convertBetween(graph: Graph, wire: Wire, converter: Converter): [Graph, string] {
	const [source, target] = [nodeById(graph, wire.source), nodeById(graph, wire.target)];
	const from = findPort(graph, wire.source, "output", wire.source_field);
	const to = findPort(graph, wire.target, "input", wire.target_field);
	if (!source || !target || !from || !to) return [graph, ""];
	const fields: SignatureField[] = [
		{ name: from.name, role: "input", type: from.text, description: "" },
		{ name: freeName(to.name, [from.name]), role: "output", type: to.text, description: "" },
	];
	const between = {
		x: (source.position.x + target.position.x) / 2,
		y: (source.position.y + target.position.y) / 2,
	};
	const [added, id] = addNode(
		graph,
		{
			kind: "convert",
			name: converter.name,
			signature: { fields, instruction: "" },
			params: { rule: converter.name },
		},
		freeSpot(graph, between),
	);
	const [input, output] = fields.map(({ name }) => name);
	const half = connect(added, { ...wire, target: id, target_field: input ?? "" });
	return [connect(half, { ...wire, source: id, source_field: output ?? "" }), id];
}

export function wireInto(graph: Graph, node: string, field: string): Edge | undefined {
	return graph.edges.find((edge) => isInto(edge, node, field));
}

/** Everything that could be wired into an input, legal or not, with the reason. */
export function sourcesFor(graph: Graph, target: string, target_field: string): Source[] {
	const behind = reach(target, targetsOf(graph));
	return graph.nodes
		.filter((node) => node.id !== target)
		.flatMap((node) =>
			portsOf(node)
				.filter((port) => port.role === "output")
				.map((port) => ({
					node: node.id,
					nodeName: node.name,
					port,
					reason: reasonAgainst(
						graph,
						{ source: node.id, source_field: port.name, target, target_field },
						() => behind.has(node.id),
					),
				})),
		);
}

/** The best input of `target` for a wire that was dropped on the node and not on a handle. */
export function inputFor(graph: Graph, source: string, field: string, target: string): string {
	const node = nodeById(graph, target);
	const legal = (node ? portsOf(node) : [])
		.filter((port) => port.role === "input")
		.filter(
			({ name }) => !refusal(graph, { source, source_field: field, target, target_field: name }),
		);
	const free = legal.filter((port) => !wireInto(graph, target, port.name));
	const same = (ports: readonly Port[]) => ports.find((port) => port.name === field);
	return (same(free) ?? free[0] ?? same(legal) ?? legal[0])?.name ?? "";
}

function isInto(edge: Edge, node: string, field: string): boolean {
	return edge.target === node && edge.target_field === field;
}

let last: { graph: Graph; id: string; found: ReadonlySet<string> } | null = null;

/** The node and all that it waits for. Every handle asks while one wire is drawn; it is found once. */
function leadingTo(graph: Graph, id: string): ReadonlySet<string> {
	if (last?.graph === graph && last.id === id) return last.found;
	const sources = new Map<string, Set<string>>();
	for (const edge of graph.edges) {
		const known = sources.get(edge.target) ?? new Set();
		sources.set(edge.target, known.add(edge.source));
	}
	last = { graph, id, found: reach(id, sources) };
	return last.found;
}

/** The start and everything that can be reached from it. */
export function reach(start: string, next: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
	const seen = new Set<string>();
	const waiting = [start];
	for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
		if (seen.has(id)) continue;
		seen.add(id);
		waiting.push(...(next.get(id) ?? []));
	}
	return seen;
}
