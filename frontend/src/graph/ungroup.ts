// A subpipeline taken apart: what `group` has made one is several again.

import { type Grouped, middle, plus, refuse } from "./group";
import { BODY } from "./parts";
import { freeName } from "./signature";
import {
	type Edge,
	freeId,
	type Graph,
	type GraphNode,
	isEnd,
	isStep,
	nodeById,
	type Position,
} from "./spec";

/** The steps of a subpipeline in its place: what `group` has made one is several again. */
export function ungroup(graph: Graph, id: string): Grouped {
	const node = nodeById(graph, id);
	const inside =
		node && isStep(node) && node.kind === "subpipeline" ? node.parts[BODY] : undefined;
	if (!node || !isStep(node) || !inside) {
		return refuse("Only a subpipeline with a pipeline inside can be taken apart.");
	}
	const steps = inside.nodes.filter((one) => !isEnd(one));
	const others = graph.nodes.filter((one) => one !== node);
	const names = new Set(others.map((one) => one.name));
	const ids = new Set([...others, ...graph.notes].map((one) => one.id));
	const fresh = new Map<string, string>();
	const shift = between(middle(steps), node.position);
	const freed = steps.map((step): GraphNode => {
		const taken = ids.has(step.id);
		const next = taken
			? freeId("n", new Set([...ids, ...inside.nodes.map((one) => one.id)]))
			: step.id;
		const name = freeName(step.name, names);
		ids.add(next);
		names.add(name);
		fresh.set(step.id, next);
		const moved = { ...step, id: next, name, position: plus(step.position, shift) };
		// The LM of the group was that of all its steps.
		return isStep(moved) && node.lm && !moved.lm ? { ...moved, lm: node.lm } : moved;
	});
	const notes = inside.notes.map((note) => {
		const next = ids.has(note.id) ? freeId("t", ids) : note.id;
		ids.add(next);
		return { ...note, id: next, position: plus(note.position, shift) };
	});
	return {
		graph: {
			nodes: [...others, ...freed],
			edges: rewired(graph, id, inside, fresh),
			notes: [...graph.notes, ...notes],
		},
		id: "",
		refused: "",
	};
}

/** The nodes that `ungroup` has put into the place of the group. */
export function newcomers(before: Graph, after: Graph): string[] {
	const known = new Set(before.nodes.map((node) => node.id));
	return after.nodes.filter((node) => !known.has(node.id)).map((node) => node.id);
}

/** The wires of the level when what is inside of the node stands in its place. */
function rewired(
	graph: Graph,
	id: string,
	inside: Graph,
	fresh: ReadonlyMap<string, string>,
): Edge[] {
	const end = (kind: "input" | "output") => inside.nodes.find((one) => one.kind === kind)?.id;
	const [input, output] = [end("input"), end("output")];
	const taken = new Set(graph.edges.map((edge) => edge.id));
	const edges: Edge[] = [];
	const add = (wire: Edge) => {
		const isFree = !edges.some((edge) => edge.id === wire.id);
		const next = isFree ? wire.id : freeId("e", taken);
		taken.add(next);
		edges.push({ ...wire, id: next });
	};
	const feeding = new Map(
		graph.edges.filter((edge) => edge.target === id).map((edge) => [edge.target_field, edge]),
	);
	/** Where a value inside comes from, as the level around knows it. */
	const origin = (wire: Edge): Pick<Edge, "source" | "source_field"> | null => {
		if (wire.source !== input) {
			return { source: fresh.get(wire.source) ?? "", source_field: wire.source_field };
		}
		const outer = feeding.get(wire.source_field);
		return outer ? { source: outer.source, source_field: outer.source_field } : null;
	};
	for (const edge of graph.edges) {
		if (edge.source !== id && edge.target !== id) add(edge);
		if (edge.source !== id) continue;
		const answering = inside.edges.find(
			(wire) => wire.target === output && wire.target_field === edge.source_field,
		);
		const from = answering && origin(answering);
		if (from) add({ ...edge, ...from });
	}
	for (const wire of inside.edges) {
		const target = fresh.get(wire.target);
		const from = target && origin(wire);
		if (target && from) add({ ...wire, ...from, target });
	}
	return edges;
}

function between(from: Position, to: Position): Position {
	return { x: to.x - from.x, y: to.y - from.y };
}
