// Our graph as React Flow wants it: what looks as before stays the same object and is not drawn
// anew.

import type { Edge as FlowEdge } from "@xyflow/react";
import { type Graph, noteTitle, portsOf } from "../graph";
import { type BoardNode, type CardNode, type NoteNode, typeClass } from "../nodes";
import type { Selection } from "../store/editor";

/** One node is a stop for the Tab key; arrow keys lead from it to the others. */
const STOP = { tabIndex: 0 };
const NO_STOP = { tabIndex: -1 };

/** React Flow's nodes; what it has measured and is dragging stays. */
export function showNodes(
	shown: readonly BoardNode[],
	graph: Graph,
	selection: Selection,
	stop: string,
): BoardNode[] {
	const before = new Map(
		shown.filter((node) => node.type === "card").map((node) => [node.id, node]),
	);
	const chosen = new Set(selection.nodes);
	const cards = graph.nodes.map((node): CardNode => {
		const old = before.get(node.id);
		const selected = chosen.has(node.id);
		const position = old?.dragging ? old.position : node.position;
		const domAttributes = node.id === stop ? STOP : NO_STOP;
		if (
			old &&
			old.data.node === node &&
			old.selected === selected &&
			old.position === position &&
			old.domAttributes === domAttributes
		) {
			return old;
		}
		return {
			...old,
			id: node.id,
			type: "card" as const,
			position,
			selected,
			domAttributes,
			data: old?.data.node === node ? old.data : { node },
			ariaLabel: `${node.name}, ${node.kind.replaceAll("_", " ")}`,
		};
	});
	return asBefore(shown, [...cards, ...showNotes(shown, graph, chosen)]);
}

/** Notes lie below the cards, and each is a stop of its own. */
function showNotes(
	shown: readonly BoardNode[],
	graph: Graph,
	chosen: ReadonlySet<string>,
): NoteNode[] {
	const before = new Map(
		shown.filter((node) => node.type === "note").map((node) => [node.id, node]),
	);
	return graph.notes.map((note): NoteNode => {
		const old = before.get(note.id);
		const selected = chosen.has(note.id);
		const position = old?.dragging ? old.position : note.position;
		const isSame = old?.data.note === note && old.selected === selected;
		if (old && isSame && old.position === position) return old;
		return {
			...old,
			id: note.id,
			type: "note" as const,
			position,
			selected,
			zIndex: -1,
			connectable: false,
			domAttributes: STOP,
			data: old?.data.note === note ? old.data : { note },
			ariaLabel: `Note: ${noteTitle(note)}`,
		};
	});
}

/** React Flow's edges. */
export function showEdges(
	shown: readonly FlowEdge[],
	graph: Graph,
	selection: Selection,
	wrong: ReadonlySet<string>,
): FlowEdge[] {
	const before = new Map(shown.map((edge) => [edge.id, edge]));
	const chosen = new Set(selection.edges);
	const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
	const next = graph.edges.map((edge) => {
		const source = nodes.get(edge.source);
		const port =
			source &&
			portsOf(source).find(({ name, role }) => role === "output" && name === edge.source_field);
		const wire = {
			id: edge.id,
			type: "wire",
			source: edge.source,
			target: edge.target,
			sourceHandle: `out:${edge.source_field}`,
			targetHandle: `in:${edge.target_field}`,
			selected: chosen.has(edge.id),
			className: wrong.has(edge.id) ? "is-wrong" : typeClass(port?.type ?? null),
			domAttributes: NO_STOP,
			ariaLabel: `Wire from ${source?.name}.${edge.source_field} to ${nodes.get(edge.target)?.name}.${edge.target_field}`,
		};
		const old = before.get(edge.id);
		const keys = Object.keys(wire) as (keyof typeof wire)[];
		return old && keys.every((key) => old[key] === wire[key]) ? old : wire;
	});
	return asBefore(shown, next);
}

/** The same list when nothing in it is another: React Flow reads every other one from end to end. */
function asBefore<T>(before: readonly T[], now: T[]): T[] {
	const isSame = before.length === now.length && now.every((one, index) => one === before[index]);
	return isSame ? (before as T[]) : now;
}
