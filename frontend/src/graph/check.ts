// What is wrong with a graph: the codes and sentences of `studio/engine/graph/check.py`.
// The server has the last word; this is what people see while they draw.

import type { Into, Path } from "./levels";
import { partProblems } from "./parts_check";
import { type Ports, readPorts } from "./ports";
import { type Edge, ENGINE_KINDS, type Graph, type GraphNode, isEnd, isStep } from "./spec";
import { accepts, NAME, SignatureError } from "./types";

export interface Problem {
	readonly code: string;
	readonly message: string;
	readonly node: string;
	readonly field: string;
	readonly edge: string;
	/** Of a problem inside the node's pipelines, the way to it: part, node, part … */
	readonly inside?: readonly string[];
}

/** The problems that can be seen from here. `kinds` are those that the server runs: of a node that
 * this page does not draw, ports, parameters and the pipelines inside are the server's to judge. */
export function check(graph: Graph, kinds: ReadonlySet<string> = ENGINE_KINDS): Problem[] {
	const problems = [...identityProblems(graph.nodes, kinds), ...endProblems(graph.nodes)];
	const ports = new Map<string, Ports>();
	for (const node of graph.nodes) {
		if (isForeign(node, kinds)) continue;
		const found = readOrProblem(node);
		if ("code" in found) problems.push(found);
		else if (!ports.has(node.id)) ports.set(node.id, found);
	}
	problems.push(...edgeProblems(graph, ports), ...missingWires(graph, ports));
	problems.push(...cycleProblems(graph));
	for (const node of graph.nodes) {
		if (!isStep(node) || !ports.has(node.id)) continue;
		problems.push(...partProblems(node, (inside) => check(inside, kinds)));
	}
	return problems.length > 0 ? problems : unreachable(graph);
}

/** The problems of the level at the end of the way, placed as that level knows them. */
export function problemsAt(problems: readonly Problem[], path: Path): readonly Problem[] {
	let found = problems;
	for (const { node, part } of path) {
		found = found
			.filter((one) => one.node === node && one.inside?.[0] === part)
			.map(({ inside = [], ...one }) => {
				const [, inner = "", ...deeper] = inside;
				return { ...one, node: inner, ...(deeper.length > 0 ? { inside: deeper } : {}) };
			});
	}
	return found;
}

/** The level that a problem lies in, and the problem as that level knows it. */
export function placeOf(problem: Problem): { way: Path; found: Problem } {
	const inside = problem.inside ?? [];
	const way: Into[] = [];
	let node = problem.node;
	for (let index = 0; index < inside.length; index += 2) {
		way.push({ node, part: inside[index] ?? "" });
		node = inside[index + 1] ?? "";
	}
	return { way, found: { ...problem, node } };
}

function problem(code: string, message: string, place: Partial<Problem> = {}): Problem {
	return { code, message, node: "", field: "", edge: "", ...place };
}

/** Whether the server runs the node, and this page does not draw it. */
function isForeign(node: GraphNode, kinds: ReadonlySet<string>): boolean {
	return node.kind === "unknown" && kinds.has(String(node.raw.kind));
}

function identityProblems(nodes: readonly GraphNode[], kinds: ReadonlySet<string>): Problem[] {
	const problems: Problem[] = [];
	const ids = new Set<string>();
	const names = new Set<string>();
	for (const node of nodes) {
		const add = (code: string, message: string) =>
			problems.push(problem(code, message, { node: node.id }));
		if (ids.has(node.id)) add("duplicate-id", `Two nodes have the id “${node.id}”.`);
		if (node.kind === "unknown" && !isForeign(node, kinds)) {
			const kind = String(node.raw.kind ?? "");
			add("unknown-kind", `“${kind}” is no kind of node here: remove the node.`);
		}
		if (!NAME.test(node.name)) {
			add("bad-name", `“${node.name}” is not a name: small letters, digits and _.`);
		} else if (names.has(node.name)) {
			add("duplicate-name", `Two nodes are called “${node.name}”: rename one.`);
		}
		ids.add(node.id);
		names.add(node.name);
	}
	return problems;
}

function endProblems(nodes: readonly GraphNode[]): Problem[] {
	const problems: Problem[] = [];
	for (const kind of ["input", "output"] as const) {
		const [first, ...extra] = nodes.filter((node) => node.kind === kind);
		if (!first) {
			const message = `The pipeline has no ${kind} node: add an ${kind} from the palette.`;
			problems.push(problem(`no-${kind}`, message));
		}
		for (const node of extra) {
			const message = `The pipeline has a second ${kind} node: remove one.`;
			problems.push(problem(`two-${kind}s`, message, { node: node.id }));
		}
	}
	return problems;
}

function readOrProblem(node: GraphNode): Ports | Problem {
	if (isEnd(node) && node.fields.length === 0) {
		const message = `${node.name} has no fields yet: add at least one.`;
		return problem("no-fields", message, { node: node.id });
	}
	try {
		return readPorts(node);
	} catch (error) {
		if (!(error instanceof SignatureError)) throw error;
		return problem("bad-signature", `${node.name}: ${error.message}`, { node: node.id });
	}
}

function edgeProblems(graph: Graph, ports: ReadonlyMap<string, Ports>): Problem[] {
	const names = namesOf(graph);
	const taken = new Set<string>();
	const problems: Problem[] = [];
	for (const edge of graph.edges) {
		const gone = [edge.source, edge.target].find((id) => !names.has(id));
		if (gone !== undefined) {
			const message = `A wire leads to a node that is not there (${gone}): remove the wire.`;
			problems.push(problem("unknown-node", message, { edge: edge.id }));
			continue;
		}
		const [from, to] = [ports.get(edge.source), ports.get(edge.target)];
		if (!from || !to) continue; // its own problem is told already, or it is not known here
		problems.push(...wireProblems(edge, from, to, names, taken));
	}
	return problems;
}

function wireProblems(
	edge: Edge,
	from: Ports,
	to: Ports,
	names: ReadonlyMap<string, string>,
	taken: Set<string>,
): Problem[] {
	const place = { edge: edge.id, node: edge.target, field: edge.target_field };
	const source = from.outputs.get(edge.source_field);
	const target = to.inputs.get(edge.target_field);
	const [sourceName, targetName] = [names.get(edge.source), names.get(edge.target)];
	if (!source || !target) {
		const end = source
			? `${targetName} has no input “${edge.target_field}”`
			: `${sourceName} has no output “${edge.source_field}”`;
		return [problem("unknown-field", `${end}: remove the wire or add the field.`, place)];
	}
	const problems: Problem[] = [];
	const key = JSON.stringify([edge.target, edge.target_field]);
	if (taken.has(key)) {
		const message = `${targetName}.${edge.target_field} has two wires: keep one.`;
		problems.push(problem("two-wires", message, place));
	}
	taken.add(key);
	const reason = accepts(source, target);
	if (reason) {
		const message = `${sourceName}.${edge.source_field} cannot go into ${targetName}.${edge.target_field}: ${reason}.`;
		problems.push(problem("wrong-type", message, place));
	}
	return problems;
}

function missingWires(graph: Graph, ports: ReadonlyMap<string, Ports>): Problem[] {
	const wired = new Set(
		graph.edges.map((edge) => JSON.stringify([edge.target, edge.target_field])),
	);
	return graph.nodes.flatMap((node) =>
		[...(ports.get(node.id)?.inputs.keys() ?? [])]
			.filter((field) => !wired.has(JSON.stringify([node.id, field])))
			.filter((field) => !ports.get(node.id)?.optional.has(field))
			.map((field) =>
				problem("unconnected-input", `${node.name}.${field} gets nothing: draw a wire to it.`, {
					node: node.id,
					field,
				}),
			),
	);
}

function cycleProblems(graph: Graph): Problem[] {
	const circle = findCircle(graph);
	if (!circle) return [];
	const names = namesOf(graph);
	const way = circle.map((id) => names.get(id)).join(" → ");
	const message = `The pipeline runs in a circle: ${way}. Remove one of these wires.`;
	return [problem("cycle", message, { node: circle[0] ?? "" })];
}

/** The ids along a circle, the first one again at the end; null when there is none. */
export function findCircle(graph: Graph): string[] | null {
	const targets = targetsOf(graph);
	const state = new Map<string, "open" | "done">();
	for (const { id } of graph.nodes) {
		if (state.has(id)) continue;
		// An explicit stack: two thousand nodes in a row must not overflow the browser's.
		const path: { id: string; next: string[] }[] = [];
		const enter = (node: string) => {
			state.set(node, "open");
			path.push({ id: node, next: [...(targets.get(node) ?? [])] });
		};
		enter(id);
		for (let top = path.at(-1); top; top = path.at(-1)) {
			const next = top.next.shift();
			if (next === undefined) {
				state.set(top.id, "done");
				path.pop();
			} else if (state.get(next) === "open") {
				const ids = path.map((entry) => entry.id);
				return [...ids.slice(ids.indexOf(next)), next];
			} else if (!state.has(next)) enter(next);
		}
	}
	return null;
}

/** Steps whose answers nobody uses would be paid for in vain. */
function unreachable(graph: Graph): Problem[] {
	const sources = new Map<string, string[]>();
	for (const edge of graph.edges) {
		sources.set(edge.target, [...(sources.get(edge.target) ?? []), edge.source]);
	}
	const used = new Set<string>();
	const waiting = graph.nodes.filter((node) => node.kind === "output").map((node) => node.id);
	for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
		if (used.has(id)) continue;
		used.add(id);
		waiting.push(...(sources.get(id) ?? []));
	}
	return graph.nodes
		.filter((node) => !used.has(node.id) && node.kind !== "input")
		.map((node) => {
			const message = `Nothing uses what ${node.name} produces: wire it on, or remove it.`;
			return problem("unreachable", message, { node: node.id });
		});
}

export function targetsOf(graph: Graph): Map<string, Set<string>> {
	const targets = new Map<string, Set<string>>(graph.nodes.map((node) => [node.id, new Set()]));
	for (const edge of graph.edges) targets.get(edge.source)?.add(edge.target);
	return targets;
}

function namesOf(graph: Graph): Map<string, string> {
	return new Map(graph.nodes.map((node) => [node.id, node.name]));
}
