// At page open: the last try of this person, offered quietly. Nobody misses it when it fails.

import { ApiError } from "../api/client";
import { readLastTry, readRun, readVersionSpec } from "../api/runs";
import { type Graph, readSpec } from "../graph";
import type { PageData } from "./page";
import type { Trying } from "./trying";

export async function recall({ urls }: PageData, trying: Trying): Promise<void> {
	try {
		const last = await readLastTry(`${urls.pipeline}last-try/`);
		if (!last.run) return;
		const answer = await readRun(`${urls.runs}${encodeURIComponent(last.run)}/`);
		trying.getState().remember(last, answer, await readGraph(urls.pipeline, answer.version));
	} catch (error) {
		if (!(error instanceof ApiError)) throw error;
	}
}

/** The drawing that was run then, by which is told what is out of date. */
async function readGraph(pipeline: string, version: number | undefined): Promise<Graph | null> {
	if (version === undefined) return null;
	try {
		const { spec } = await readVersionSpec(`${pipeline}versions/${version}/`);
		return readSpec(spec).graph;
	} catch (error) {
		if (!(error instanceof ApiError)) throw error;
		return null; // The inputs are worth something without it.
	}
}
