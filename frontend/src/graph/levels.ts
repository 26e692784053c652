// Pipelines inside of pipelines: the way to one, looking at it, changing it.

import { type Graph, isStep, nodeById } from "./spec";

/** Into one part of one node. */
export interface Into {
	readonly node: string;
	readonly part: string;
}

/** The way from the outermost pipeline to a level; empty: the outermost itself. */
export type Path = readonly Into[];

export const TOP: Path = [];

/** The pipeline at the end of the way, or nothing when the way leads nowhere. */
export function graphAt(root: Graph, path: Path): Graph | null {
	let level: Graph | undefined = root;
	for (const { node, part } of path) {
		const found: ReturnType<typeof nodeById> = level && nodeById(level, node);
		level = found && isStep(found) ? found.parts[part] : undefined;
	}
	return level ?? null;
}

/** The root with another pipeline at the end of the way. Where the way leads nowhere: as it was. */
export function changeAt(root: Graph, path: Path, action: (level: Graph) => Graph): Graph {
	const [into, ...rest] = path;
	if (!into) return action(root);
	const holder = nodeById(root, into.node);
	const before = holder && isStep(holder) ? holder.parts[into.part] : undefined;
	if (!holder || !isStep(holder) || !before) return root;
	const after = changeAt(before, rest, action);
	if (after === before) return root;
	const changed = { ...holder, parts: { ...holder.parts, [into.part]: after } };
	return { ...root, nodes: root.nodes.map((node) => (node === holder ? changed : node)) };
}

/** As much of the way as there still is. */
export function wayLeft(root: Graph, path: Path): Path {
	for (let length = path.length; length > 0; length -= 1) {
		const way = path.slice(0, length);
		if (graphAt(root, way)) return way;
	}
	return TOP;
}

/** The deepest level that holds everything in which the two differ. */
export function whereTheyDiffer(before: Graph, after: Graph): Path {
	const way: Into[] = [];
	for (let [old, now] = [before, after]; ; ) {
		if (old.edges !== now.edges || old.notes !== now.notes) return way;
		if (old.nodes.length !== now.nodes.length) return way;
		const changed = now.nodes.filter((node, index) => node !== old.nodes[index]);
		const [node] = changed;
		const was = node && nodeById(old, node.id);
		if (changed.length !== 1 || !node || !was || !isStep(node) || !isStep(was)) return way;
		if (JSON.stringify({ ...node, parts: {} }) !== JSON.stringify({ ...was, parts: {} }))
			return way;
		const parts = Object.keys(node.parts).filter((part) => node.parts[part] !== was.parts[part]);
		const [part] = parts;
		const [inside, outside] = [part && node.parts[part], part && was.parts[part]];
		if (parts.length !== 1 || !part || !inside || !outside) return way;
		way.push({ node: node.id, part });
		[old, now] = [outside, inside];
	}
}

/** The way as the address of the page tells it: `#/n4/yes/n7/body`; nothing for the outermost. */
export function addressOf(path: Path): string {
	const words = path.flatMap(({ node, part }) => [node, part]).map(encodeURIComponent);
	return words.length > 0 ? `#/${words.join("/")}` : "";
}

/** The way that an address tells; the outermost when it tells none. */
export function pathOf(address: string): Path {
	if (!address.startsWith("#/")) return TOP;
	const way: Into[] = [];
	try {
		const words = address.slice(2).split("/").map(decodeURIComponent);
		for (let index = 0; index + 1 < words.length; index += 2) {
			way.push({ node: words[index] ?? "", part: words[index + 1] ?? "" });
		}
	} catch {
		return TOP; // Somebody has typed a stray % into it.
	}
	return way;
}

export function isSameWay(one: Path, other: Path): boolean {
	return addressOf(one) === addressOf(other);
}

/** One step of the way: the node that is stepped into, its part, and where that leads. */
export interface Crumb {
	readonly name: string;
	readonly part: string;
	readonly way: Path;
	/** The other pipelines of the same node, this one among them. */
	readonly parts: readonly string[];
}

/** The way in words. */
export function crumbsOf(root: Graph, path: Path): Crumb[] {
	return path.flatMap(({ node, part }, index) => {
		const level = graphAt(root, path.slice(0, index));
		const holder = level && nodeById(level, node);
		if (!holder || !isStep(holder)) return [];
		const parts = Object.keys(holder.parts);
		return [{ name: holder.name, part, way: path.slice(0, index + 1), parts }];
	});
}
