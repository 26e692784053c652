// The inputs of a try: what people wrote as values, and values of a dataset as text.

import type { Values } from "../api/runs";
import {
	type Field,
	type FieldType,
	type Graph,
	isEnd,
	parseType,
	SignatureError,
} from "../graph";
import { readInput, writeInput } from "./values";

export type Texts = Readonly<Record<string, string>>;

/** The fields of the pipeline's input. */
export function inputFields(graph: Graph): readonly Field[] {
	const node = graph.nodes.find(({ kind }) => kind === "input");
	return node && isEnd(node) ? node.fields : [];
}

/** A field's type, or nothing when it cannot be read. */
export function typeOf(field: Pick<Field, "type">): FieldType | null {
	try {
		return parseType(field.type);
	} catch (error) {
		if (!(error instanceof SignatureError)) throw error;
		return null;
	}
}

/** The values that the texts say, and a sentence for each needed field that says none. */
export function readInputs(
	fields: readonly Field[],
	texts: Texts,
	needed: ReadonlySet<string>,
): { values: Values; told: Texts } {
	const values: Record<string, unknown> = {};
	const told: Record<string, string> = {};
	for (const field of fields) {
		const type = typeOf(field);
		const text = texts[field.name] ?? "";
		if (!type || (text === "" && "default" in field)) continue;
		const { value, problem } = readInput(type, text);
		if (!problem) values[field.name] = value;
		else if (needed.has(field.name)) told[field.name] = problem;
	}
	return { values, told };
}

/** Values as people would write them into the form. */
export function writeInputs(fields: readonly Field[], values: Values): Texts {
	const texts: Record<string, string> = {};
	for (const field of fields) {
		const type = typeOf(field);
		if (type && field.name in values) texts[field.name] = writeInput(type, values[field.name]);
	}
	return texts;
}

/** The inputs that these nodes read. */
export function inputsReadBy(graph: Graph, nodes: ReadonlySet<string>): ReadonlySet<string> {
	const input = graph.nodes.find(({ kind }) => kind === "input");
	const read = graph.edges.filter(
		({ source, target }) => source === input?.id && nodes.has(target),
	);
	return new Set(read.map(({ source_field }) => source_field));
}
