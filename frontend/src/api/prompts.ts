// What a step would say to a language model: asked of the server, which has the formats.

import { request } from "./client";

export interface PromptFormat {
	name: string;
	summary: string;
	text: string;
}

export interface Predictor {
	/** Below the step; empty when it asks in one place only. */
	path: string;
	formats: PromptFormat[];
}

export interface Prompts {
	predictors: Predictor[];
	/** Why there is no prompt. */
	problem: string;
}

export function readPrompts(
	url: string,
	node: unknown,
	inputs: Readonly<Record<string, unknown>>,
): Promise<Prompts> {
	return request<Prompts>("POST", url, { node, inputs });
}
