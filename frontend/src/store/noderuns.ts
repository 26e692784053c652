// How the nodes of a drawing fare in a run: by path from the server, by place on the board.

import type { NodeRun, Nodes } from "../api/runs";
import { type Graph, type GraphNode, isStep, lookUp, type Path, type StepNode } from "../graph";

/** The path by which the server knows a node: names, and those of the parts between them. Empty:
 * no such node. */
export function pathIn(root: Graph, way: Path, id: string): string {
	const words: string[] = [];
	let level: Graph | undefined = root;
	for (const { node, part } of way) {
		const holder: GraphNode | undefined = level && lookUp(level, node);
		if (!holder || !isStep(holder)) return "";
		words.push(holder.name, memberOf(holder, part));
		level = holder.parts[part];
	}
	const node = level && lookUp(level, id);
	return node ? [...words, node.name].filter(Boolean).join(".") : "";
}

/** The node at a path, and the way to its level; of a path into what is not drawn, how far it is. */
export function placeIn(root: Graph, path: string): { way: Path; id: string } | null {
	return find(root, path.split("."), []);
}

function find(
	level: Graph,
	[name, ...rest]: readonly string[],
	way: Path,
): { way: Path; id: string } | null {
	const node = level.nodes.find((other) => other.name === name);
	if (!node) return null;
	for (const [part, inside] of isStep(node) ? Object.entries(node.parts) : []) {
		const member = isStep(node) ? memberOf(node, part) : "";
		if (member && rest[0] !== member) continue;
		const deeper = find(inside, member ? rest.slice(1) : rest, [...way, { node: node.id, part }]);
		if (deeper) return deeper;
	}
	return { way, id: node.id };
}

/** What a part is called in paths, as `members` of the kinds in `studio/engine/modules/` say. */
function memberOf({ kind }: StepNode, part: string): string {
	if (kind === "subpipeline") return "";
	if (kind === "router") return part === "route" ? "case_route" : part;
	return kind === "branch" ? part : "step";
}

/** `after`, with what did not change as the same object: only nodes that changed are drawn anew. */
export function mergeNodes(before: Nodes, after: Nodes): Nodes {
	let isSame = Object.keys(before).length === Object.keys(after).length;
	const merged = Object.entries(after).map(([path, run]): [string, NodeRun] => {
		const old = before[path];
		if (old && JSON.stringify(old) === JSON.stringify(run)) return [path, old];
		isSame = false;
		return [path, run];
	});
	return isSame ? before : Object.fromEntries(merged);
}

/** When a run has ended nothing is on its way any more, whatever was told last. */
export function settle(nodes: Nodes): Nodes {
	const settled = Object.entries(nodes).map(([path, run]): [string, NodeRun] => {
		const isOpen = run.state === "running" || run.state === "waiting";
		return [path, isOpen ? { ...run, state: "skipped" } : run];
	});
	return mergeNodes(nodes, Object.fromEntries(settled));
}
