// A server and a browser for tests of saving.

import { ApiError, type Saved } from "../api/client";
import { type Graph, readSpec, type Spec, toSpec } from "../graph";
import { sameGraph } from "../graph/aspects";
import { createMemoryAttic } from "./attic";
import type { Shelf } from "./drafts";
import type { Channel } from "./neighbours";

/** What a pipeline's door does: it accepts the revision it has, and refuses any other. */
export class FakeServer {
	revision = 1;
	saves = 0;
	/** `gone`: it does not answer. `mute`: it saves, and the answer is lost. */
	mood: "well" | "gone" | "mute" | "signed-out" = "well";
	readonly specs: Map<number, Spec>;

	constructor(graph: Graph) {
		this.specs = new Map([[1, toSpec(graph)]]);
	}

	get spec(): Spec {
		return this.specs.get(this.revision) as Spec;
	}

	get graph(): Graph {
		return readSpec(this.spec).graph as Graph;
	}

	save = async (spec: Spec, base: number): Promise<Saved> => {
		await Promise.resolve();
		this.refuse();
		const isSame = sameGraph(readSpec(spec).graph as Graph, this.graph);
		if (base !== this.revision && !isSame) {
			throw new ApiError(409, "conflict", "Somebody has saved.", {
				revision: this.revision,
				spec: this.spec,
				base: this.specs.get(base) ?? null,
				saved_by: "bob",
			});
		}
		if (!isSame) {
			this.revision += 1;
			this.specs.set(this.revision, structuredClone(spec));
		}
		this.saves += 1;
		if (this.mood === "mute") throw new ApiError(0, "offline", "The server does not answer.");
		return { spec, revision: this.revision, problems: [] };
	};

	look = async () => {
		await Promise.resolve();
		this.refuse();
		return { spec: this.spec, revision: this.revision, problems: [] };
	};

	revisionAt = async (revision: number) => {
		this.refuse();
		const spec = this.specs.get(revision);
		if (!spec) throw new ApiError(404, "not-found", "It is not kept.");
		return { spec, by: "bob" };
	};

	private refuse(): void {
		if (this.mood === "gone") throw new ApiError(0, "offline", "The server does not answer.");
		if (this.mood === "signed-out") throw new ApiError(401, "not-authenticated", "Signed out.");
	}
}

/** Storage and channels that the tabs of one browser share. */
export function fakeBrowser() {
	const items = new Map<string, string>();
	const shelf: Shelf = {
		getItem: (key) => items.get(key) ?? null,
		setItem: (key, value) => void items.set(key, value),
		removeItem: (key) => void items.delete(key),
		keys: () => [...items.keys()],
	};
	const channels = new Set<Channel>();
	const channel = (): Channel & { close(): void } => {
		const own: Channel & { close(): void } = {
			onmessage: null,
			postMessage: (data) => {
				for (const other of channels) if (other !== own) other.onmessage?.({ data });
			},
			close: () => void channels.delete(own),
		};
		channels.add(own);
		return own;
	};
	return { items, shelf, channel, attic: createMemoryAttic() };
}
