// The only file that talks to the server. One named function a call; errors have sentences.

import type { Problem } from "../graph/check";
import type { Spec } from "../graph/spec";

/** The server refused, or cannot be reached (`status` 0). The message is for people. */
export class ApiError extends Error {
	constructor(
		readonly status: number,
		readonly code: string,
		message: string,
		readonly body: Readonly<Record<string, unknown>> = {},
	) {
		super(message);
	}
}

export interface Saved {
	spec: unknown;
	revision: number;
	problems: Problem[];
}

export interface RunStarted {
	run: string;
	url: string;
}

/** One call of a predictor, as the server tells it. Prompt and answer are text, never markup. */
export interface Step {
	path: string;
	inputs: Record<string, unknown>;
	outputs: Record<string, unknown>;
	prompt: string;
	answer: string;
	scores: Record<string, Record<string, number>>;
}

export interface RunAnswer {
	state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
	error: string;
	report: { outputs?: Record<string, unknown>; steps?: Step[] };
}

export function savePipeline(url: string, spec: Spec, base_revision: number): Promise<Saved> {
	return request<Saved>("PUT", url, { spec, base_revision });
}

export function startTry(
	url: string,
	connection: string,
	inputs: Record<string, unknown>,
): Promise<RunStarted> {
	return request<RunStarted>("POST", url, { connection, inputs });
}

export function readRun(url: string): Promise<RunAnswer> {
	return request<RunAnswer>("GET", url);
}

export function cancelRun(url: string): Promise<RunAnswer> {
	return request<RunAnswer>("POST", url, {});
}

const PATIENCE_MS = 20_000;

async function request<T>(method: string, url: string, body?: unknown): Promise<T> {
	let response: Response;
	try {
		response = await fetch(url, {
			method,
			credentials: "same-origin",
			signal: AbortSignal.timeout(PATIENCE_MS),
			headers: {
				Accept: "application/json",
				...(body === undefined ? {} : { "Content-Type": "application/json" }),
				"X-CSRFToken": csrfToken(),
			},
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
	} catch {
		throw new ApiError(0, "offline", "The server does not answer.");
	}
	const answer = await readJson(response);
	if (response.ok) return answer as T;
	throw new ApiError(
		response.status,
		typeof answer.code === "string" ? answer.code : "error",
		messageOf(response.status, answer),
		answer,
	);
}

async function readJson(response: Response): Promise<Record<string, unknown>> {
	try {
		const answer: unknown = await response.json();
		return typeof answer === "object" && answer !== null ? { ...answer } : {};
	} catch {
		return {};
	}
}

function messageOf(status: number, answer: Record<string, unknown>): string {
	if (typeof answer.message === "string" && answer.message) return answer.message;
	if (status === 401) return "You are signed out. Sign in again in another tab, then save.";
	if (status >= 500) return "The server stumbled. Try again in a moment.";
	return `The server refused this (${status}).`;
}

/** From the cookie, because it changes when somebody signs in in another tab. */
function csrfToken(): string {
	const found = document.cookie.match(/(?:^|;\s*)csrftoken=([^;]+)/);
	return found?.[1] ? decodeURIComponent(found[1]) : "";
}
