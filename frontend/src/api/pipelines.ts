// Other pipelines of the project.

import { request } from "./client";

export interface SavedPipeline {
	name: string;
	spec: unknown;
}

/** The pipeline `slug` that stands beside the one at `url`. */
export function readPipeline(url: string, slug: string): Promise<SavedPipeline> {
	const beside = url.replace(/[^/]+\/$/, `${encodeURIComponent(slug)}/`);
	return request<SavedPipeline>("GET", beside);
}
