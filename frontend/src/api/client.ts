// The road to the server, and saving. One named function a call; errors have sentences.

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

export function savePipeline(url: string, spec: Spec, base_revision: number): Promise<Saved> {
	return request<Saved>("PUT", url, { spec, base_revision });
}

const PATIENCE_MS = 20_000;

export async function request<T>(method: string, url: string, body?: unknown): Promise<T> {
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
	if (response.ok && answer) return answer as T;
	// Cut off on the way, or written by something between here and the server: nothing is known.
	if (response.ok) throw new ApiError(0, "unreadable", "The server's answer cannot be read.");
	throw new ApiError(
		response.status,
		typeof answer?.code === "string" ? answer.code : "error",
		messageOf(response.status, answer ?? {}),
		answer ?? {},
	);
}

/** Null when it is no JSON object. */
async function readJson(response: Response): Promise<Record<string, unknown> | null> {
	try {
		const answer: unknown = await response.json();
		return typeof answer === "object" && answer !== null ? { ...answer } : null;
	} catch {
		return null;
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
