// The versions of the pipeline: the list, which are compared, saving one, bringing one back.

import { createStore } from "zustand/vanilla";
import { ApiError } from "../api/client";
import type { Restored, VersionRow, Versions } from "../api/versions";
import { type Graph, type Path, readSpec, TOP } from "../graph";
import type { Editor } from "./editor";
import type { Saver } from "./saver";

export interface VersionsState {
	phase: "idle" | "loading" | "ready" | "failed";
	versions: readonly VersionRow[];
	/** Whether there are older ones than those listed. */
	hasMore: boolean;
	/** Why something could not be done. */
	message: string;
	/** One: compared with the drawing; two: with each other. */
	chosen: readonly number[];
	graphs: Readonly<Record<number, Graph>>;
	/** The level of the comparison that is shown. */
	path: Path;
	isBusy: boolean;

	load(): Promise<void>;
	loadOlder(): Promise<void>;
	/** Choose a version for comparing, or leave it. The third one takes the place of the first. */
	choose(number: number): Promise<void>;
	showLevel(path: Path): void;
	clear(): void;
	save(message: string): Promise<boolean>;
	restore(number: number): Promise<boolean>;
}

export interface VersionsOptions {
	editor: Editor;
	saver: Saver;
	list(before?: number): Promise<Versions>;
	read(number: number): Promise<{ spec: unknown }>;
	make(message: string): Promise<VersionRow>;
	bringBack(number: number, base_revision: number): Promise<Restored>;
}

export type VersionsStore = ReturnType<typeof createVersions>;

export function createVersions({ editor, saver, list, read, make, bringBack }: VersionsOptions) {
	return createStore<VersionsState>()((set, get) => {
		/** Whether it could be done; a refusal is told, an error of ours is thrown. */
		const attempt = async (action: () => Promise<void>): Promise<boolean> => {
			set({ isBusy: true, message: "" });
			try {
				await action();
				return true;
			} catch (error) {
				if (!(error instanceof ApiError)) throw error;
				set({ message: error.message });
				return false;
			} finally {
				set({ isBusy: false });
			}
		};
		const isSaved = async (): Promise<boolean> => {
			if (await saver.getState().saveNow()) return true;
			set({ message: "The drawing could not be saved, and has to be first." });
			return false;
		};
		return {
			phase: "idle",
			versions: [],
			hasMore: false,
			message: "",
			chosen: [],
			graphs: {},
			path: TOP,
			isBusy: false,

			load: async () => {
				if (get().phase !== "ready") set({ phase: "loading" });
				const isListed = await attempt(async () => {
					const { versions, more } = await list();
					set({ versions, hasMore: more });
				});
				set({ phase: isListed ? "ready" : "failed" });
			},
			loadOlder: async () => {
				const last = get().versions.at(-1);
				if (!last) return;
				await attempt(async () => {
					const { versions, more } = await list(last.number);
					set({ versions: [...get().versions, ...versions], hasMore: more });
				});
			},
			choose: async (number) => {
				const { chosen } = get();
				if (chosen.includes(number)) {
					set({ chosen: chosen.filter((other) => other !== number) });
					return;
				}
				set({ chosen: [...chosen.slice(-1), number] });
				if (get().graphs[number]) return;
				const isRead = await attempt(async () => {
					const { graph, refused } = readSpec((await read(number)).spec);
					if (!graph) throw new ApiError(422, "unreadable", refused);
					set({ graphs: { ...get().graphs, [number]: graph } });
				});
				if (!isRead) set({ chosen: get().chosen.filter((other) => other !== number) });
			},
			showLevel: (path) => set({ path }),
			clear: () => set({ chosen: [], path: TOP, message: "" }),
			save: async (message) => {
				if (!(await isSaved())) return false;
				const isMade = await attempt(async () => {
					const { number } = await make(message);
					editor.getState().say(`Version ${number} is saved.`);
				});
				if (isMade) await get().load();
				return isMade;
			},
			restore: async (number) => {
				if (!(await isSaved())) return false;
				const isBack = await attempt(async () => {
					const answer = await bringBack(number, saver.getState().revision);
					if (!saver.getState().adopt(answer)) return;
					const as = answer.version ? `, as version ${answer.version}` : "";
					editor
						.getState()
						.say(`Version ${number} is back${as}. Ctrl+Z brings back what was drawn here.`);
				});
				if (!isBack) {
					void saver.getState().lookAgain();
					return false;
				}
				get().clear();
				await get().load();
				return true;
			},
		};
	});
}
