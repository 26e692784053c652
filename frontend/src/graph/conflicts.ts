// What both sides have changed differently, and what people chose.

import { stable } from "./aspects";
import { aspectWords, inputOf } from "./diff";
import type { Path } from "./levels";
import { type Edge, type Graph, isObject } from "./spec";

export type Side = "mine" | "theirs";

/** By the key of the conflict. */
export type Choices = Readonly<Record<string, Side>>;

export interface Conflict {
	/** Says the place and both values: a choice holds only as long as both are as they were. */
	readonly key: string;
	readonly path: Path;
	/** Of the node, or empty for a note. */
	readonly node: string;
	/** For people: `classify: the instruction`. */
	readonly title: string;
	/** What it was, and what each side made of it, as text. */
	readonly base: string;
	readonly mine: string;
	readonly theirs: string;
}

/** Collects the conflicts of a merge, and says which side each one is decided for. */
export interface Referee {
	readonly conflicts: Conflict[];
	decide(found: Found): Side;
}

export interface Found {
	readonly path: Path;
	readonly where: readonly string[];
	readonly node: string;
	/** What the place is called: the node, the note. */
	readonly name: string;
	readonly aspect: string;
	readonly base: unknown;
	readonly mine: unknown;
	readonly theirs: unknown;
	/** Texts in the place of the values, where these say nothing to people. */
	readonly tells?: Readonly<Partial<Record<"base" | Side, string>>>;
}

/** Undecided conflicts show what is on the server, unless `otherwise` says so. */
export function refereeOf(choices: Choices, otherwise: Side = "theirs"): Referee {
	const conflicts: Conflict[] = [];
	return {
		conflicts,
		decide: (found) => {
			const { path, where, node, name, aspect, base, mine, theirs, tells = {} } = found;
			const place = [...path.map((into) => `${into.node}/${into.part}`), node, aspect].join("|");
			const key = `${place}#${hash(stable([mine ?? null, theirs ?? null]))}`;
			const value = base ?? mine ?? theirs;
			conflicts.push({
				key,
				path,
				node,
				title: `${where.map((level) => `${level} › `).join("")}${name}: ${aspectWords(aspect, value)}`,
				base: tells.base ?? tell(base),
				mine: tells.mine ?? tell(mine),
				theirs: tells.theirs ?? tell(theirs),
			});
			return choices[key] ?? otherwise;
		},
	};
}

/** A value as people read it. */
export function tell(value: unknown): string {
	if (value === undefined || value === null) return "removed";
	if (typeof value === "string") return value || "empty";
	if (isObject(value) && typeof value.name === "string" && typeof value.type === "string") {
		const { name, type, description, ...rest } = value;
		const { role: _, ...others } = rest;
		const more = Object.keys(others).length > 0 ? ` ${JSON.stringify(others)}` : "";
		return `${name}: ${type}${description ? ` (${String(description)})` : ""}${more}`;
	}
	return JSON.stringify(value, null, 1).replace(/\s+/g, " ");
}

/** A wire as people read it, by the names of its nodes. */
export function tellWire(wire: Edge | undefined, graph: Graph): string {
	if (!wire) return "no wire";
	const source = graph.nodes.find(({ id }) => id === wire.source);
	return `from ${source?.name || wire.source}.${wire.source_field}`;
}

/** The input that wires are about, by the name of its node. */
export function tellInput(wire: Edge, graph: Graph): string {
	const target = graph.nodes.find(({ id }) => id === wire.target);
	return target ? `${target.name}.${wire.target_field}` : inputOf(wire);
}

/** Short and steady; two values of one place rarely share it, and then the choice made before holds. */
function hash(text: string): string {
	let sum = 5381;
	for (let index = 0; index < text.length; index += 1) {
		sum = (Math.imul(sum, 33) ^ text.charCodeAt(index)) >>> 0;
	}
	return sum.toString(36);
}
