// What every card asks after every change, found once for all of them.

import { type GraphNode, type Problem, portsOf, refusal } from "../graph";
import type { EditorState, Loose } from "./editor";

const NONE: readonly Problem[] = [];
const grouped = new WeakMap<readonly Problem[], ReadonlyMap<string, readonly Problem[]>>();

/** The problems of one node of the level. */
export function problemsOf(here: readonly Problem[], node: string): readonly Problem[] {
	let found = grouped.get(here);
	if (!found) {
		const groups = new Map<string, Problem[]>();
		for (const problem of here) {
			const group = groups.get(problem.node);
			if (group) group.push(problem);
			else groups.set(problem.node, [problem]);
		}
		found = groups;
		grouped.set(here, found);
	}
	return found.get(node) ?? NONE;
}

/** Of a row while a wire is drawn: nothing, that it may take it, or why it may not. */
export type Verdict = "" | "fits" | "same side" | `no: ${string}`;

const QUIET: readonly Verdict[] = [];

/** The verdicts on the rows of a node, in their order; none while no wire is drawn. */
export function verdictsOn(
	{ loose, graph }: Pick<EditorState, "loose" | "graph">,
	node: GraphNode,
): readonly Verdict[] {
	if (!loose) return QUIET;
	return portsOf(node).map((port): Verdict => {
		if (loose.node === node.id && loose.field === port.name && loose.role === port.role) return "";
		if (loose.role === port.role) return "same side";
		const reason = refusal(graph, wireBetween(loose, { node: node.id, field: port.name }));
		return reason ? `no: ${reason}` : "fits";
	});
}

function wireBetween(loose: Loose, end: { node: string; field: string }) {
	const [source, target] = loose.role === "output" ? [loose, end] : [end, loose];
	return {
		source: source.node,
		source_field: source.field,
		target: target.node,
		target_field: target.field,
	};
}
