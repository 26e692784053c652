// What to make of a refused save: whose work the server has, and what both sides came from.

import type { ApiError } from "../api/client";
import type { EarlierRevision } from "../api/versions";
import { type Graph, readSpec } from "../graph";
import { sameGraph } from "../graph/aspects";
import type { Draft } from "./drafts";

/** Somebody else's work and ours, both made from `base`, while nobody has decided. */
export interface Clash {
	readonly revision: number;
	/** Who has saved; empty when the server does not say. */
	readonly by: string;
	readonly base: Graph;
	readonly theirs: Graph;
}

/** A drawing as the server has it: such as our own save of which only the answer was lost. */
interface Arrived {
	readonly revision: number;
	readonly graph: Graph;
}

export interface Sent {
	/** The revision that the refused save named. */
	readonly base: number;
	/** That revision as this page knows it. */
	readonly known: Graph;
	/** What was sent over it before without an answer: it may have arrived. */
	readonly doubts: readonly Graph[];
}

export type RevisionAt = (revision: number) => Promise<EarlierRevision>;

/** Null when the server's drawing cannot be read. */
export async function clashOf(
	error: ApiError,
	sent: Sent,
	revisionAt: RevisionAt,
): Promise<Clash | Arrived | null> {
	const { revision, spec, base, saved_by } = error.body;
	const theirs = readSpec(spec).graph;
	if (!theirs || typeof revision !== "number") return null;
	const doubt = sent.doubts.find((graph) => sameGraph(graph, theirs));
	if (doubt && revision === sent.base + 1) return { revision, graph: doubt };
	const ours = await arrivedOf(sent, revisionAt);
	return {
		revision,
		by: typeof saved_by === "string" ? saved_by : "",
		base: ours ?? readSpec(base).graph ?? sent.known,
		theirs,
	};
}

/** What of ours became the next revision, if anything did, before somebody else saved over it. */
async function arrivedOf(
	{ base, doubts }: Pick<Sent, "base" | "doubts">,
	revisionAt: RevisionAt,
): Promise<Graph | null> {
	if (doubts.length === 0) return null;
	try {
		const next = readSpec((await revisionAt(base + 1)).spec).graph;
		return doubts.find((graph) => next !== null && sameGraph(graph, next)) ?? null;
	} catch {
		return null; // The server keeps it no more: then both are merged as two people's work.
	}
}

/** What the edits of a draft were made from, as the server has come to know it. */
export async function baseOfDraft(
	{ base_revision, base, sent }: Draft,
	now: Arrived,
	revisionAt: RevisionAt,
): Promise<Graph> {
	const doubt = sent && readSpec(sent).graph;
	if (doubt && now.revision > base_revision) {
		const isNext = now.revision === base_revision + 1 && sameGraph(doubt, now.graph);
		const arrived = isNext
			? doubt
			: await arrivedOf({ base: base_revision, doubts: [doubt] }, revisionAt);
		if (arrived) return arrived;
	}
	const known = base && readSpec(base).graph;
	if (known) return known;
	if (base_revision === now.revision) return now.graph;
	const kept = await revisionAt(base_revision).catch(() => null);
	// Without it nothing may be taken for removed: then everything of both is kept.
	return readSpec(kept?.spec).graph ?? EMPTY;
}

const EMPTY: Graph = { nodes: [], edges: [], notes: [] };

/** A session that ended, or a form key of one that ended meanwhile. */
export function isSignedOut({ status, code, message }: ApiError): boolean {
	return (
		status === 401 || code === "not-authenticated" || (status === 403 && /CSRF/.test(message))
	);
}
