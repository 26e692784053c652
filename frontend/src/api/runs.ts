// Trying a pipeline: start, look, cancel; what a try may be fed with.

import { request } from "./client";

export type NodeState = "waiting" | "running" | "done" | "failed" | "skipped" | "given";

/** How a step fares in one try. Everything in it is text and data, never markup. */
export interface NodeRun {
	readonly state: NodeState;
	/** The last that the LM wrote. */
	readonly text?: string;
	readonly seconds?: number | null;
	readonly cost?: number;
	readonly calls?: number;
	readonly outputs?: Values;
	readonly error?: string;
}

/** Values by the name of their field. */
export type Values = Readonly<Record<string, unknown>>;

/** One call of a predictor, as the server tells it. */
export interface Step {
	path: string;
	inputs: Record<string, unknown>;
	outputs: Record<string, unknown>;
	prompt: string;
	answer: string;
	scores: Record<string, Record<string, number>>;
}

export interface RunRequest {
	connection: string;
	inputs: Values;
	/** The id of the node behind which nothing is run. */
	until?: string;
	/** By the name of a node: what it is taken to have written. */
	given?: Readonly<Record<string, Values>>;
}

export interface RunStarted {
	run: string;
	url: string;
}

export type Nodes = Readonly<Record<string, NodeRun>>;

export interface RunAnswer {
	state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
	error: string;
	/** While it runs. */
	live?: { nodes?: Nodes };
	/** When it has ended. */
	report: { outputs?: Record<string, unknown>; steps?: Step[]; nodes?: Nodes };
	calls?: number;
	cost?: number;
	seconds?: number;
	/** The version of the drawing that was run. */
	version?: number;
}

/** The viewer's own last try, or nothing at all. */
export interface LastTry {
	run?: string;
	connection?: string;
	inputs?: Values;
}

export interface ExampleRow {
	number: number;
	split: string;
	/** By the names of the inputs. */
	values: Record<string, unknown>;
	/** By the names of the outputs: what the dataset says. */
	expected: Record<string, unknown>;
}

export interface Examples {
	datasets: { slug: string; name: string; rows: number }[];
	rows: ExampleRow[];
	total: number;
}

export function startTry(url: string, asked: RunRequest): Promise<RunStarted> {
	return request<RunStarted>("POST", url, asked);
}

export function readRun(url: string): Promise<RunAnswer> {
	return request<RunAnswer>("GET", url);
}

export function cancelRun(url: string): Promise<RunAnswer> {
	return request<RunAnswer>("POST", url, {});
}

export function readLastTry(url: string): Promise<LastTry> {
	return request<LastTry>("GET", url);
}

/** The drawing of a version, as the server saved it. */
export function readVersionSpec(url: string): Promise<{ spec: unknown }> {
	return request<{ spec: unknown }>("GET", url);
}

/** Some rows of a dataset that hold `text`; without a dataset: which there are. */
export function readExamples(
	url: string,
	dataset: string,
	text: string,
	offset: number,
): Promise<Examples> {
	const asked = new URLSearchParams({ dataset, text, offset: String(offset) });
	return request<Examples>("GET", `${url}?${asked}`);
}
