// What was saved before: versions with messages, and the revisions between them.

import { request, type Saved } from "./client";

export interface VersionRow {
	readonly number: number;
	readonly message: string;
	readonly by: string;
	/** When, as ISO 8601. */
	readonly at: string;
	readonly nodes: number;
	/** The drawing as it is saved now says the same. */
	readonly is_current: boolean;
	readonly restored_from: number | null;
	readonly runs: number;
}

export interface Versions {
	readonly versions: VersionRow[];
	/** Whether there are older ones. */
	readonly more: boolean;
}

export interface Restored extends Saved {
	/** The version that the restored drawing became. */
	readonly version: number | null;
}

export interface EarlierRevision {
	readonly spec: unknown;
	/** Who has saved it; empty when that is not known. */
	readonly by: string;
}

export function readPipeline(url: string): Promise<Saved> {
	return request<Saved>("GET", url);
}

export function readRevision(url: string, revision: number): Promise<EarlierRevision> {
	return request<EarlierRevision>("GET", `${url}${revision}/`);
}

export function listVersions(url: string, before?: number): Promise<Versions> {
	return request<Versions>("GET", before === undefined ? url : `${url}?before=${before}`);
}

export function readVersion(url: string, number: number): Promise<{ spec: unknown }> {
	return request<{ spec: unknown }>("GET", `${url}${number}/`);
}

export function saveVersion(url: string, message: string): Promise<VersionRow> {
	return request<VersionRow>("POST", url, { message });
}

export function restoreVersion(
	url: string,
	number: number,
	base_revision: number,
): Promise<Restored> {
	return request<Restored>("POST", `${url}${number}/restore/`, { base_revision });
}
