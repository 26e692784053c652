// Where a wire that begins at one field may end, with the reasons, and what would make it legal.

import {
	type Converter,
	convertersFor,
	type Graph,
	type GraphNode,
	portsOf,
	refusal,
	type Wire,
	wireInto,
} from "../graph";
import type { Loose } from "../store/editor";

export interface Way {
	readonly key: string;
	readonly title: string;
	readonly detail: string;
	readonly node: GraphNode;
	readonly wire: Wire;
	readonly reason: string;
	/** Of a wire that is refused: what would make it legal. */
	readonly converter: Converter | undefined;
}

/** The other ends, legal ones first, then those that a conversion leads to, then the refused. */
export function leadsTo(graph: Graph, start: Loose): Way[] {
	const ways = graph.nodes
		.filter(({ id }) => id !== start.node)
		.flatMap((node) =>
			portsOf(node)
				.filter(({ role }) => role !== start.role)
				.map((port) => wayTo(graph, start, node, port)),
		);
	const rank = ({ reason, converter }: Way) => (reason === "" ? 0 : converter ? 1 : 2);
	return ways.sort((one, other) => rank(one) - rank(other));
}

function wayTo(graph: Graph, start: Loose, node: GraphNode, port: { name: string; text: string }) {
	const end = { node: node.id, field: port.name };
	const [source, target] = start.role === "output" ? [start, end] : [end, start];
	const wire: Wire = {
		source: source.node,
		source_field: source.field,
		target: target.node,
		target_field: target.field,
	};
	const reason = refusal(graph, wire);
	const taken = start.role === "output" && wireInto(graph, node.id, port.name);
	return {
		key: JSON.stringify([node.id, port.name]),
		title: `${node.name}.${port.name}`,
		detail: taken ? `${port.text}, in the place of the wire that is there` : port.text,
		node,
		wire,
		reason,
		converter: reason ? convertersFor(graph, wire)[0] : undefined,
	};
}
