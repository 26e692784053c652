// A drawing that came from elsewhere, told in the objects that are known already.

import { same } from "./aspects";
import type { Graph } from "./spec";

/** The graph, with what is in `known` too as the same objects: comparing is quick then, and only
 * what differs is drawn anew. */
export function sharing(graph: Graph, known: Graph): Graph {
	if (graph === known) return known;
	const nodes = share(graph.nodes, known.nodes);
	const edges = share(graph.edges, known.edges);
	const notes = share(graph.notes, known.notes);
	const isKnown = nodes === known.nodes && edges === known.edges && notes === known.notes;
	return isKnown ? known : { ...graph, nodes, edges, notes };
}

function share<T extends { readonly id: string }>(
	items: readonly T[],
	known: readonly T[],
): readonly T[] {
	const byId = new Map(known.map((item) => [item.id, item]));
	const shared = items.map((item) => {
		const old = byId.get(item.id);
		return old !== undefined && same(item, old) ? old : item;
	});
	const isKnown =
		shared.length === known.length && shared.every((item, index) => item === known[index]);
	return isKnown ? known : shared;
}
