import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, type Saved } from "../api/client";
import { nodeById, rename, type Spec, setInstruction, setParams, toSpec } from "../graph";
import { oneStep } from "../graph/builders";
import { merge } from "../graph/merge";
import { createDrafts, type Shelf } from "./drafts";
import { createEditor } from "./editor";
import { FakeServer, fakeBrowser } from "./fakes";
import { createNeighbours } from "./neighbours";
import { createSaver } from "./saver";

type Browser = ReturnType<typeof fakeBrowser>;

function open(server: FakeServer, browser: Browser = fakeBrowser()) {
	const editor = createEditor(server.graph);
	const drafts = createDrafts(browser.shelf, "support", "triage", { attic: browser.attic });
	const channel = browser.channel();
	const neighbours = createNeighbours(channel, drafts.tab);
	const { save, look, revisionAt, revision } = server;
	const saver = createSaver({
		editor,
		drafts,
		revision,
		save,
		look,
		revisionAt,
		neighbours,
		now: () => 1000,
	});
	const draw = (name: string) => editor.getState().change((graph) => rename(graph, "n2", name));
	const write = (text: string) =>
		editor.getState().change((graph) => setInstruction(graph, "n2", text));
	const step = () => nodeById(editor.getState().history.present, "n2");
	return { editor, drafts, saver, draw, write, step, close: () => channel.close() };
}

function simple(save: (spec: Spec, base: number) => Promise<Saved>, shelf?: Shelf) {
	const editor = createEditor(oneStep());
	const drafts = createDrafts(shelf ?? fakeBrowser().shelf, "support", "triage");
	const saver = createSaver({ editor, drafts, revision: 1, save, now: () => 1000 });
	const draw = (name: string) => editor.getState().change((graph) => rename(graph, "n2", name));
	return { editor, drafts, saver, draw };
}

const accept = async (spec: Spec, base: number): Promise<Saved> => ({
	spec,
	revision: base + 1,
	problems: [],
});

const nameOn = (server: FakeServer) => nodeById(server.graph, "n2")?.name;

function nameOf(spec: Spec | undefined): string {
	return (spec?.nodes[1] as { name: string } | undefined)?.name ?? "";
}

/** Another person's save. */
async function bobSaves(server: FakeServer, name: string): Promise<void> {
	await server.save(toSpec(rename(server.graph, "n2", name)), server.revision);
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("saving", () => {
	it("happens by itself a second after the last change, and once", async () => {
		const [server, browser] = [new FakeServer(oneStep()), fakeBrowser()];
		const { saver, draw } = open(server, browser);
		draw("a");
		await vi.advanceTimersByTimeAsync(900);
		draw("b");
		expect(saver.getState().phase).toBe("unsaved");
		expect(browser.items.size).toBeGreaterThan(0);
		await vi.advanceTimersByTimeAsync(1_100);
		expect(server.saves).toBe(1);
		expect(saver.getState()).toMatchObject({ phase: "saved", revision: 2 });
		expect(browser.items.size).toBe(0);
	});

	it("saves again what changed while it was saving", async () => {
		const save = vi.fn(async (spec: Spec, base: number) => {
			await new Promise((resolve) => setTimeout(resolve, 500));
			return accept(spec, base);
		});
		const { saver, draw } = simple(save);
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

	it("tries again with growing pauses while the server is away, and says when", async () => {
		const server = new FakeServer(oneStep());
		const save = vi.spyOn(server, "save");
		const { saver, draw } = open(server);
		server.mood = "gone";
		draw("a");
		await vi.advanceTimersByTimeAsync(1_500);
		expect(saver.getState()).toMatchObject({ phase: "failed", nextTry: 2_000 });
		draw("b"); // does not hurry it
		await vi.advanceTimersByTimeAsync(6_000);
		expect(save).toHaveBeenCalledTimes(3);
		await vi.advanceTimersByTimeAsync(60_000);
		expect(save.mock.calls.length).toBeLessThan(9);
		server.mood = "well";
		await vi.advanceTimersByTimeAsync(15_000);
		expect(saver.getState()).toMatchObject({ phase: "saved", nextTry: null });
		expect(nameOn(server)).toBe("b");
	});

	it("does not try again by itself what the server refuses", async () => {
		const save = vi.fn(async (): Promise<Saved> => {
			throw new ApiError(403, "not-allowed", "You may not.");
		});
		const { saver, draw } = simple(save);
		draw("a");
		await vi.advanceTimersByTimeAsync(60_000);
		expect(save).toHaveBeenCalledTimes(1);
		expect(saver.getState()).toMatchObject({ phase: "failed", message: "You may not." });
		draw("b");
		await vi.advanceTimersByTimeAsync(1_100);
		expect(save).toHaveBeenCalledTimes(2);
	});

	it("goes on by itself when somebody has signed in again", async () => {
		const server = new FakeServer(oneStep());
		const { saver, draw } = open(server);
		server.mood = "signed-out";
		draw("a");
		await vi.advanceTimersByTimeAsync(1_100);
		expect(saver.getState().phase).toBe("signed-out");
		server.mood = "well";
		expect(await saver.getState().saveNow()).toBe(true);
		expect(nameOn(server)).toBe("a");
	});

	it("knows its own save again when only the answer was lost", async () => {
		const server = new FakeServer(oneStep());
		const { saver, draw } = open(server);
		server.mood = "mute";
		draw("a");
		await vi.advanceTimersByTimeAsync(1_100);
		draw("b");
		server.mood = "well";
		await saver.getState().saveNow();
		expect(saver.getState().conflict).toBeNull();
		await vi.advanceTimersByTimeAsync(1_100);
		expect(nameOn(server)).toBe("b");
		expect(saver.getState().phase).toBe("saved");
	});

	it("knows it even when somebody else has saved over it", async () => {
		const server = new FakeServer(oneStep());
		const { saver, write } = open(server);
		server.mood = "mute";
		write("Mine.");
		await vi.advanceTimersByTimeAsync(1_100);
		server.mood = "well";
		await bobSaves(server, "bobs");
		write("Mine, too.");
		await saver.getState().saveNow();
		const { conflict } = saver.getState();
		expect(conflict && nodeById(conflict.base, "n2")).toMatchObject({
			signature: { instruction: "Mine." },
		});
	});

	it("saves an undo of what may have arrived", async () => {
		const server = new FakeServer(oneStep());
		const { draw, editor } = open(server);
		server.mood = "mute";
		draw("a");
		await vi.advanceTimersByTimeAsync(1_100);
		server.mood = "well";
		editor.getState().undo();
		await vi.advanceTimersByTimeAsync(20_000);
		expect(nameOn(server)).toBe("classify");
	});

	it("has nothing to save after an undo back to what was saved", async () => {
		const [server, browser] = [new FakeServer(oneStep()), fakeBrowser()];
		const { saver, draw, editor } = open(server, browser);
		draw("a");
		editor.getState().undo();
		await vi.advanceTimersByTimeAsync(5_000);
		expect(server.saves).toBe(0);
		expect(saver.getState().phase).toBe("saved");
		expect(browser.items.size).toBe(0);
	});

	it("goes on when the browser keeps nothing", async () => {
		const full = {
			...fakeBrowser().shelf,
			setItem: () => {
				throw new Error("full");
			},
		};
		const { saver, draw } = simple(accept, full);
		draw("a");
		await vi.advanceTimersByTimeAsync(1_100);
		expect(saver.getState().phase).toBe("saved");
	});
});

describe("two who save", () => {
	async function clash(mine = (page: ReturnType<typeof open>) => page.draw("mine")) {
		const server = new FakeServer(oneStep());
		const page = open(server);
		await bobSaves(server, "theirs");
		mine(page);
		await vi.advanceTimersByTimeAsync(1_100);
		return { server, ...page };
	}

	it("are asked, and nothing is saved until then; drawing goes on", async () => {
		const { saver, draw, server, drafts } = await clash();
		draw("mine_too");
		await vi.advanceTimersByTimeAsync(60_000);
		expect(server.saves).toBe(1);
		expect(saver.getState()).toMatchObject({
			phase: "conflict",
			conflict: { revision: 2, by: "bob" },
		});
		expect(await saver.getState().saveNow()).toBe(false);
		expect(await saver.getState().saveMerged({})).toBe(false);
		expect(nameOn(server)).toBe("theirs");
		expect(await drafts.others()).toEqual([]);
	});

	it("save both at once where nothing is disputed; undo takes back one's own only", async () => {
		const { saver, server, editor, step } = await clash((page) => page.write("Mine."));
		expect(await saver.getState().saveMerged({})).toBe(true);
		const both = { name: "theirs", signature: { instruction: "Mine." } };
		expect(nodeById(server.graph, "n2")).toMatchObject(both);
		expect(saver.getState()).toMatchObject({ phase: "saved", revision: 3 });
		expect(saver.getState().kept.map(({ whose }) => whose)).toEqual(["mine", "theirs"]);
		editor.getState().undo();
		expect(step()).toMatchObject({ name: "theirs", signature: { instruction: "" } });
	});

	it("save what was chosen where both did the same differently", async () => {
		const { saver, server, editor } = await clash();
		const { conflict } = saver.getState();
		if (!conflict) throw new Error("no conflict");
		const found = merge(conflict.base, editor.getState().history.present, conflict.theirs);
		const choices = Object.fromEntries(found.conflicts.map(({ key }) => [key, "mine" as const]));
		expect(await saver.getState().saveMerged(choices)).toBe(true);
		expect(nameOn(server)).toBe("mine");
	});

	it("keep what was chosen when something else is undone", async () => {
		const { saver, server, editor, write, step } = await clash();
		write("Mine.");
		const { conflict } = saver.getState();
		if (!conflict) throw new Error("no conflict");
		const found = merge(conflict.base, editor.getState().history.present, conflict.theirs);
		const choices = Object.fromEntries(found.conflicts.map(({ key }) => [key, "theirs" as const]));
		expect(await saver.getState().saveMerged(choices)).toBe(true);
		expect(nameOn(server)).toBe("theirs");
		editor.getState().undo();
		expect(step()).toMatchObject({ name: "theirs", signature: { instruction: "" } });
	});

	it("merge again when a third save comes in between", async () => {
		const { saver, server, write } = await clash((page) => page.write("Mine."));
		await bobSaves(server, "theirs_again");
		expect(await saver.getState().saveMerged({})).toBe(false);
		expect(saver.getState()).toMatchObject({ phase: "conflict", conflict: { revision: 3 } });
		write("Mine again.");
		expect(await saver.getState().saveMerged({})).toBe(true);
		expect(nodeById(server.graph, "n2")).toMatchObject({
			name: "theirs_again",
			signature: { instruction: "Mine again." },
		});
	});

	it("load theirs, keep mine aside, and undo brings mine back", async () => {
		const { saver, server, editor, drafts, step } = await clash();
		saver.getState().loadTheirs();
		expect(step()?.name).toBe("theirs");
		expect(nameOf(drafts.kept()[0]?.spec)).toBe("mine");
		expect(saver.getState()).toMatchObject({ phase: "saved", revision: 2 });
		editor.getState().undo();
		await vi.advanceTimersByTimeAsync(1_100);
		expect(nameOn(server)).toBe("mine");
	});

	it("are not asked when both did the same", async () => {
		const { saver, server } = await clash((page) => {
			page.draw("theirs");
			page.write("Mine.");
		});
		await vi.advanceTimersByTimeAsync(1_100);
		expect(saver.getState()).toMatchObject({ phase: "saved" });
		expect(nodeById(server.graph, "n2")).toMatchObject({ signature: { instruction: "Mine." } });
	});

	it("see each other's work at once where nothing is unsaved", async () => {
		const [server, browser] = [new FakeServer(oneStep()), fakeBrowser()];
		const [one, other] = [open(server, browser), open(server, browser)];
		other.write("Other's.");
		await vi.advanceTimersByTimeAsync(1_100);
		one.draw("ones");
		await vi.advanceTimersByTimeAsync(1_100);
		const both = { name: "ones", signature: { instruction: "Other's." } };
		expect(other.step()).toMatchObject(both);
		expect(other.saver.getState()).toMatchObject({ phase: "saved", news: { by: "bob" } });
		other.editor.getState().undo();
		expect(other.step()).toMatchObject({ name: "ones", signature: { instruction: "" } });
	});
});

describe("edits that were never saved", () => {
	async function left(server: FakeServer, browser: Browser, draw = "lost"): Promise<void> {
		const page = open(server, browser);
		server.mood = "gone";
		page.draw(draw);
		await vi.advanceTimersByTimeAsync(1_100);
		page.close();
		vi.clearAllTimers();
		server.mood = "well";
	}
	async function reopen(server: FakeServer, browser: Browser) {
		const page = open(server, browser);
		const found = page.saver.getState().findDrafts();
		await vi.advanceTimersByTimeAsync(300);
		await found;
		return page;
	}

	it("are offered, brought back and saved", async () => {
		const [server, browser] = [new FakeServer(oneStep()), fakeBrowser()];
		await left(server, browser);
		const { saver, step } = await reopen(server, browser);
		expect(nameOf(saver.getState().draft?.spec)).toBe("lost");
		await saver.getState().restoreDraft();
		expect(step()?.name).toBe("lost");
		await vi.advanceTimersByTimeAsync(1_500);
		expect(nameOn(server)).toBe("lost");
		expect(browser.items.size).toBe(0);
	});

	it("are merged with what others have saved since", async () => {
		const [server, browser] = [new FakeServer(oneStep()), fakeBrowser()];
		await left(server, browser);
		await server.save(toSpec(setParams(server.graph, "n2", { n: 3 })), 1);
		const { saver } = await reopen(server, browser);
		await saver.getState().restoreDraft();
		await vi.advanceTimersByTimeAsync(1_500);
		expect(nodeById(server.graph, "n2")).toMatchObject({ name: "lost", params: { n: 3 } });
	});

	it("are disputed when others did the same differently", async () => {
		const [server, browser] = [new FakeServer(oneStep()), fakeBrowser()];
		await left(server, browser);
		await bobSaves(server, "theirs");
		const { saver, step } = await reopen(server, browser);
		await saver.getState().restoreDraft();
		expect(saver.getState()).toMatchObject({ phase: "conflict" });
		expect(step()?.name).toBe("lost");
		await vi.advanceTimersByTimeAsync(60_000);
		expect(nameOn(server)).toBe("theirs");
	});

	it("of several tabs are all kept", async () => {
		const [server, browser] = [new FakeServer(oneStep()), fakeBrowser()];
		const [one, other] = [open(server, browser), open(server, browser)];
		server.mood = "gone";
		one.draw("one");
		other.write("other");
		one.close();
		other.close();
		vi.clearAllTimers();
		server.mood = "well";
		const { saver } = await reopen(server, browser);
		await saver.getState().restoreDraft();
		await vi.advanceTimersByTimeAsync(1_500);
		await saver.getState().restoreDraft();
		await vi.advanceTimersByTimeAsync(1_500);
		expect(nodeById(server.graph, "n2")).toMatchObject({
			name: "one",
			signature: { instruction: "other" },
		});
	});

	it("of a tab that is still open are its own affair", async () => {
		const [server, browser] = [new FakeServer(oneStep()), fakeBrowser()];
		server.mood = "gone";
		open(server, browser).draw("busy");
		server.mood = "well";
		const { saver } = await reopen(server, browser);
		expect(saver.getState().draft).toBeNull();
	});

	it("are not offered when the server has them already", async () => {
		const [server, browser] = [new FakeServer(oneStep()), fakeBrowser()];
		const page = open(server, browser);
		server.mood = "mute";
		page.draw("arrived");
		await vi.advanceTimersByTimeAsync(1_100);
		page.close();
		vi.clearAllTimers();
		server.mood = "well";
		await bobSaves(server, "and_changed_again");
		const { saver } = await reopen(server, browser);
		expect(saver.getState().draft).toBeNull();
		expect(browser.items.size).toBe(0);
	});

	it("find room elsewhere when they are too large", async () => {
		const browser = fakeBrowser();
		const full = {
			...browser,
			shelf: {
				...browser.shelf,
				setItem: () => {
					throw new Error("full");
				},
			},
		};
		const server = new FakeServer(oneStep());
		await left(server, full);
		const { saver } = await reopen(server, full);
		expect(nameOf(saver.getState().draft?.spec)).toBe("lost");
		await saver.getState().restoreDraft();
		await vi.advanceTimersByTimeAsync(1_500);
		expect(nameOn(server)).toBe("lost");
		expect(await browser.attic.keys("")).toEqual([]);
	});

	it("are kept aside when people leave them", async () => {
		const [server, browser] = [new FakeServer(oneStep()), fakeBrowser()];
		await left(server, browser);
		const { saver, drafts } = await reopen(server, browser);
		saver.getState().dropDraft();
		expect(saver.getState().draft).toBeNull();
		expect(nameOf(drafts.kept()[0]?.spec)).toBe("lost");
	});
});
