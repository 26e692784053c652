// Looking at a run again and again until it has ended. One missed look says nothing about it.

import { ApiError } from "../api/client";
import type { RunAnswer } from "../api/runs";

const LOOK_MS = 300;
/** A run that takes longer than this many looks is not watched so closely. */
const MANY_LOOKS = 200;
const SELDOM_MS = 1_000;
/** Nobody watches a hidden tab. */
const HIDDEN_MS = 3_000;
const MOST_SILENCES = 8;
const LONGEST_SILENCE_MS = 5_000;

export interface Following {
	read(): Promise<RunAnswer>;
	take(answer: RunAnswer): void;
	/** Nobody wants to know any more. */
	isOver(): boolean;
	wait?(ms: number): Promise<void>;
	isHidden?(): boolean;
}

/** Ends when the run has; `ApiError` when the server refuses, or is silent for long. */
export async function follow({
	read,
	take,
	isOver,
	wait = later,
	isHidden = tabIsHidden,
}: Following): Promise<void> {
	let looks = 0;
	let silences = 0;
	while (!isOver()) {
		await wait(pauseAfter(looks, silences, isHidden()));
		if (isOver()) return;
		try {
			const answer = await read();
			if (isOver()) return;
			looks += 1;
			silences = 0;
			take(answer);
		} catch (error) {
			if (!(error instanceof ApiError)) throw error;
			silences += 1;
			const isSilent = error.status === 0 || error.status >= 500;
			if (!isSilent || silences > MOST_SILENCES) throw error;
		}
	}
}

function pauseAfter(looks: number, silences: number, isHidden: boolean): number {
	if (silences > 0) return Math.min(LOOK_MS * 2 ** silences, LONGEST_SILENCE_MS);
	if (isHidden) return HIDDEN_MS;
	return looks < MANY_LOOKS ? LOOK_MS : SELDOM_MS;
}

function tabIsHidden(): boolean {
	return typeof document !== "undefined" && document.hidden;
}

/** A while; shorter when a hidden tab is shown again. */
function later(ms: number): Promise<void> {
	return new Promise((resolve) => {
		const wake = () => {
			clearTimeout(timer);
			if (typeof document !== "undefined") document.removeEventListener("visibilitychange", wake);
			resolve();
		};
		const timer = setTimeout(wake, ms);
		if (typeof document !== "undefined") document.addEventListener("visibilitychange", wake);
	});
}
