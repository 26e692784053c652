import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, type Saved } from "../api/client";
import { rename, type Spec, toSpec } from "../graph";
import { oneStep } from "../graph/builders";
import { createDrafts, type Shelf } from "./drafts";
import { createEditor } from "./editor";
import { createSaver } from "./saver";

function memory(): Shelf & { items: Map<string, string> } {
	const items = new Map<string, string>();
	return {
		items,
		getItem: (key) => items.get(key) ?? null,
		setItem: (key, value) => void items.set(key, value),
		removeItem: (key) => void items.delete(key),
	};
}

function setUp(
	save: (spec: Spec, base: number) => Promise<Saved>,
	shelf = memory(),
	revision = 1,
) {
	const editor = createEditor(oneStep());
	const drafts = createDrafts(shelf, "support", "triage");
	const saver = createSaver({ editor, drafts, revision, save, now: () => 1000 });
	const draw = (name: string) => editor.getState().change((graph) => rename(graph, "n2", name));
	return { editor, drafts, saver, draw, shelf };
}

const accept = async (spec: Spec, base: number): Promise<Saved> => ({
	spec,
	revision: base + 1,
	problems: [],
});

const theirs = () => toSpec(rename(oneStep(), "n2", "theirs"));
const conflict = () =>
	new ApiError(409, "conflict", "Somebody has saved.", { revision: 7, spec: theirs() });

function nameOf(spec: Spec | undefined): string {
	return (spec?.nodes[1] as { name: string } | undefined)?.name ?? "";
}

describe("saving", () => {
	beforeEach(() => void vi.useFakeTimers());
	afterEach(() => void vi.useRealTimers());

	it("happens by itself a second after the last change, and once", async () => {
		const save = vi.fn(accept);
		const { saver, draw, shelf } = setUp(save);
		draw("a");
		await vi.advanceTimersByTimeAsync(900);
		draw("b");
		expect(saver.getState().phase).toBe("unsaved");
		expect(shelf.items.size).toBe(1);
		await vi.advanceTimersByTimeAsync(1_100);
		expect(save).toHaveBeenCalledTimes(1);
		expect(save.mock.calls[0]?.[1]).toBe(1);
		expect(saver.getState()).toMatchObject({ phase: "saved", revision: 2 });
		expect(shelf.items.size).toBe(0);
	});

	it("saves again what changed while it was saving", async () => {
		const save = vi.fn(async (spec: Spec, base: number) => {
			await new Promise((resolve) => setTimeout(resolve, 500));
			return accept(spec, base);
		});
		const { saver, draw } = setUp(save);
		draw("a");
		await vi.advanceTimersByTimeAsync(1_200);
		draw("b");
		await vi.advanceTimersByTimeAsync(3_000);
		expect(save.mock.calls.map(([spec, base]) => [nameOf(spec), base])).toEqual([
			["a", 1],
			["b", 2],
		]);
		expect(saver.getState().phase).toBe("saved");
	});

	it("tries again when the server is away, and not when it refuses", async () => {
		let error = new ApiError(0, "offline", "The server does not answer.");
		const save = vi.fn(async (): Promise<Saved> => {
			throw error;
		});
		const { saver, draw } = setUp(save);
		draw("a");
		await vi.advanceTimersByTimeAsync(6_500);
		expect(save).toHaveBeenCalledTimes(2);
		expect(saver.getState()).toMatchObject({ phase: "failed", message: error.message });
		error = new ApiError(403, "not-allowed", "You may not.");
		await vi.advanceTimersByTimeAsync(30_000);
		expect(save).toHaveBeenCalledTimes(3);
	});

	it("asks what to do when somebody else has saved, and does nothing until then", async () => {
		const save = vi.fn(async (): Promise<Saved> => {
			throw conflict();
		});
		const { saver, draw } = setUp(save);
		draw("mine");
		await vi.advanceTimersByTimeAsync(1_100);
		draw("mine_too");
		await vi.advanceTimersByTimeAsync(60_000);
		expect(save).toHaveBeenCalledTimes(1);
		expect(saver.getState()).toMatchObject({ phase: "conflict", conflict: { revision: 7 } });
		expect(await saver.getState().saveNow()).toBe(false);
	});

	it("loads theirs, keeps mine aside, and undo brings mine back", async () => {
		const save = vi
			.fn<(spec: Spec, base: number) => Promise<Saved>>()
			.mockRejectedValueOnce(conflict());
		save.mockImplementation(accept);
		const { saver, draw, drafts, editor } = setUp(save);
		draw("mine");
		await vi.advanceTimersByTimeAsync(1_100);
		saver.getState().loadTheirs();
		expect(editor.getState().history.present.nodes[1]?.name).toBe("theirs");
		expect(nameOf(drafts.kept()[0]?.spec)).toBe("mine");
		expect(saver.getState()).toMatchObject({
			phase: "saved",
			revision: 7,
			kept: { whose: "mine" },
		});
		await vi.advanceTimersByTimeAsync(5_000);
		expect(save).toHaveBeenCalledTimes(1);
		editor.getState().undo();
		await vi.advanceTimersByTimeAsync(1_100);
		expect(save.mock.calls[1]?.[1]).toBe(7);
		expect(nameOf(save.mock.calls[1]?.[0])).toBe("mine");
	});

	it("saves mine over theirs as a new revision, and keeps theirs aside", async () => {
		const save = vi
			.fn<(spec: Spec, base: number) => Promise<Saved>>()
			.mockRejectedValueOnce(conflict());
		save.mockImplementation(accept);
		const { saver, draw, drafts } = setUp(save);
		draw("mine");
		await vi.advanceTimersByTimeAsync(1_100);
		await saver.getState().keepMine();
		expect(save.mock.calls[1]?.[1]).toBe(7);
		expect(saver.getState()).toMatchObject({
			phase: "saved",
			revision: 8,
			kept: { whose: "theirs" },
		});
		expect(nameOf(drafts.kept()[0]?.spec)).toBe("theirs");
	});

	it("offers edits that an earlier visit could not save", async () => {
		const shelf = memory();
		const away = async (): Promise<Saved> => {
			throw new ApiError(0, "offline", "The server does not answer.");
		};
		setUp(away, shelf).draw("lost");
		const save = vi.fn(accept);
		const { saver, editor } = setUp(save, shelf);
		expect(nameOf(saver.getState().draft?.spec)).toBe("lost");
		saver.getState().restoreDraft();
		expect(editor.getState().history.present.nodes[1]?.name).toBe("lost");
		await vi.advanceTimersByTimeAsync(1_100);
		expect(save).toHaveBeenCalledTimes(1);
		expect(shelf.items.size).toBe(0);
	});

	it("names the revision that an old draft began with", async () => {
		const shelf = memory();
		setUp(accept, shelf, 1).draw("old");
		const save = vi.fn(accept);
		const { saver } = setUp(save, shelf, 5);
		saver.getState().restoreDraft();
		await vi.advanceTimersByTimeAsync(1_100);
		expect(save.mock.calls[0]?.[1]).toBe(1);
	});

	it("puts a draft aside when somebody draws on without it", () => {
		const shelf = memory();
		setUp(accept, shelf).draw("lost");
		const { draw, drafts, saver } = setUp(accept, shelf);
		draw("new");
		expect(saver.getState().draft).toBeNull();
		expect(nameOf(drafts.kept()[0]?.spec)).toBe("lost");
		expect(nameOf(drafts.read()?.spec)).toBe("new");
	});

	it("goes on when the browser keeps nothing", async () => {
		const full = {
			...memory(),
			setItem: () => {
				throw new Error("full");
			},
		};
		const { saver, draw } = setUp(accept, full);
		draw("a");
		await vi.advanceTimersByTimeAsync(1_100);
		expect(saver.getState().phase).toBe("saved");
	});

	it("has nothing to save after an undo back to what was saved", async () => {
		const save = vi.fn(accept);
		const { saver, draw, editor, shelf } = setUp(save);
		draw("a");
		editor.getState().undo();
		await vi.advanceTimersByTimeAsync(5_000);
		expect(save).not.toHaveBeenCalled();
		expect(saver.getState().phase).toBe("saved");
		expect(shelf.items.size).toBe(0);
	});
});
