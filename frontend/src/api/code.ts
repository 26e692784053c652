// The drawing as code, and code as a drawing. The server looks at code, it never runs any.

import type { Problem } from "../graph/check";
import type { Spec } from "../graph/spec";
import { request } from "./client";

/** What is wrong at a line; 0: with the whole text. */
export interface CodeProblem {
	readonly line: number;
	readonly message: string;
}

export interface Written {
	readonly python: string;
	/** Why there is no Python; empty when there is. */
	readonly python_problem: string;
	readonly dspy: string;
	readonly dspy_problem: string;
}

export interface ReadBack {
	readonly spec: unknown;
	/** Those of the drawing, not of the code. */
	readonly problems: Problem[];
}

export function writeCode(url: string, spec: Spec): Promise<Written> {
	return request<Written>("POST", url, { spec });
}

export function readCode(url: string, text: string, spec: Spec): Promise<ReadBack> {
	return request<ReadBack>("POST", url, { text, spec });
}

/** The problems that a refusal carries, as far as they are any. */
export function codeProblems(body: Readonly<Record<string, unknown>>): CodeProblem[] {
	const { problems } = body;
	if (!Array.isArray(problems)) return [];
	return problems.flatMap((problem: unknown) => {
		const { line, message } = (problem ?? {}) as Record<string, unknown>;
		return typeof message === "string"
			? [{ line: typeof line === "number" ? line : 0, message }]
			: [];
	});
}
