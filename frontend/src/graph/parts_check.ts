// Whether the pipelines inside a node are there, and fit. Mirrors `studio/engine/graph/parts.py`.

import type { Problem } from "./check";
import { casesRefusal, type Part, UnreadableParams, wantedParts } from "./parts";
import type { Field } from "./signature";
import { type EndKind, type Graph, isEnd, type StepNode } from "./spec";
import { accepts, parseType, SignatureError } from "./types";

/** The problems of the pipelines of a node whose ports are in order; `check` judges one of them. */
export function partProblems(node: StepNode, check: (inside: Graph) => Problem[]): Problem[] {
	try {
		return findProblems(node, wantedParts(node), check);
	} catch (error) {
		if (error instanceof UnreadableParams) return []; // the server says what is wrong with them
		if (!(error instanceof SignatureError)) throw error;
		return [badSignature(node, error.message)];
	}
}

function findProblems(
	node: StepNode,
	wanted: readonly Part[],
	check: (inside: Graph) => Problem[],
): Problem[] {
	const problems = presenceProblems(node, wanted);
	for (const part of wanted) {
		const inside = node.parts[part.name];
		if (!inside) continue;
		const found = check(inside);
		problems.push(...found.map((one) => placed(one, node, part.name)));
		if (found.length === 0) problems.push(...fitProblems(node, part, inside));
	}
	if (problems.length > 0) return problems;
	const refused = casesRefusal(node);
	return refused ? [badSignature(node, refused)] : [];
}

/** Parts that a node has and its kind does not, and required ones that it lacks. */
function presenceProblems(node: StepNode, wanted: readonly Part[]): Problem[] {
	const names = wanted.map(({ name }) => name);
	const wayOut =
		names.length > 0 ? `Its parts are ${names.join(", ")}.` : "It has none: remove it.";
	const unknown = Object.keys(node.parts)
		.filter((name) => !names.includes(name))
		.map((name) =>
			problem("unknown-part", `${node.name} has no part “${name}”. ${wayOut}`, node, name),
		);
	const missing = wanted
		.filter(({ name, required }) => required && !(name in node.parts))
		.map(({ name }) =>
			problem("missing-part", `${node.name} is empty: draw its pipeline “${name}”.`, node, name),
		);
	return [...unknown, ...missing];
}

/** What the pipeline asks for and is not given, and what it should answer and does not. */
function fitProblems(node: StepNode, part: Part, inside: Graph): Problem[] {
	const here = `${node.name}, ${part.name}`;
	const problems: Problem[] = [];
	const tell = (code: string, message: string, field: string) =>
		problems.push(problem(code, `${here}: ${message}`, node, part.name, field));
	const given = typesOf(part.inputs);
	for (const field of fieldsOf(inside, "input")) {
		const source = given.get(field.name);
		const type = parseType(field.type);
		const isRequired = !("default" in field) && type.kind !== "optional";
		if (!source) {
			const all = [...given.keys()].join(", ");
			const message = `there is no “${field.name}” to be given to it. It may take ${all}.`;
			if (isRequired) tell("unknown-field", message, field.name);
			continue;
		}
		const reason = accepts(source, type);
		if (reason)
			tell("wrong-type", `its input “${field.name}” cannot be filled: ${reason}.`, field.name);
	}
	const answers = typesOf(fieldsOf(inside, "output"));
	for (const { name, type } of part.outputs) {
		const answer = answers.get(name);
		const reason = answer && accepts(answer, parseType(type));
		if (!answer)
			tell("missing-output", `it must answer “${name}”: add it to its output node.`, name);
		else if (reason)
			tell("wrong-type", `its output “${name}” is of another type: ${reason}.`, name);
	}
	return problems;
}

/** A problem inside a part, as the pipeline around it tells it. */
function placed(found: Problem, node: StepNode, part: string): Problem {
	return {
		...found,
		message: `${node.name}, ${part}: ${found.message}`,
		node: node.id,
		inside: [part, ...(found.node ? [found.node] : []), ...(found.inside ?? [])],
	};
}

function fieldsOf(inside: Graph, kind: EndKind): readonly Field[] {
	return inside.nodes.filter(isEnd).find((node) => node.kind === kind)?.fields ?? [];
}

function typesOf(fields: readonly Field[]) {
	return new Map(fields.map(({ name, type }) => [name, parseType(type)]));
}

function badSignature(node: StepNode, why: string): Problem {
	const message = `${node.name}: ${why}`;
	return { code: "bad-signature", message, node: node.id, field: "", edge: "" };
}

function problem(
	code: string,
	message: string,
	node: StepNode,
	part: string,
	field = "",
): Problem {
	return { code, message, node: node.id, field, edge: "", inside: [part] };
}
