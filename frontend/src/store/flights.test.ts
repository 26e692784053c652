// What happens to edits while something is on its way: a save, an answer, a draft of another tab.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, type Saved } from "../api/client";
import { nodeById, rename, type Spec, setInstruction, toSpec } from "../graph";
import { oneStep } from "../graph/builders";
import { createDrafts } from "./drafts";
import { createEditor } from "./editor";
import { FakeServer, fakeBrowser } from "./fakes";
import { createNeighbours } from "./neighbours";
import { createSaver } from "./saver";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Save = (spec: Spec, base: number) => Promise<Saved>;

function open(server: FakeServer, browser = fakeBrowser(), save: Save = server.save) {
	const editor = createEditor(server.graph);
	const drafts = createDrafts(browser.shelf, "support", "triage", { attic: browser.attic });
	const channel = browser.channel();
	const { look, revisionAt, revision } = server;
	const saver = createSaver({
		...{ editor, drafts, revision, save, look, revisionAt },
		neighbours: createNeighbours(channel, drafts.tab),
		now: () => 1000,
	});
	const draw = (name: string) => editor.getState().change((graph) => rename(graph, "n2", name));
	const name = () => nodeById(editor.getState().history.present, "n2")?.name;
	return { editor, drafts, saver, draw, name, close: () => channel.close() };
}

async function findDrafts({ saver }: Pick<ReturnType<typeof open>, "saver">): Promise<void> {
	const found = saver.getState().findDrafts();
	await vi.advanceTimersByTimeAsync(300);
	await found;
}

const nameOn = (server: FakeServer) => nodeById(server.graph, "n2")?.name;

describe("while a save is on its way", () => {
	it("an undo of it is kept in the browser, in case the page goes first", async () => {
		const [server, browser] = [new FakeServer(oneStep()), fakeBrowser()];
		const arrives: Save = async (spec, base) => {
			await server.save(spec, base);
			return new Promise(() => {});
		};
		const page = open(server, browser, arrives);
		page.draw("sent");
		await vi.advanceTimersByTimeAsync(1_100);
		page.editor.getState().undo();
		page.close();
		vi.clearAllTimers();
		expect(nameOn(server)).toBe("sent");
		const again = open(server, browser);
		await findDrafts(again);
		await again.saver.getState().restoreDraft();
		expect(again.name()).toBe("classify");
		await vi.advanceTimersByTimeAsync(1_100);
		expect(nameOn(server)).toBe("classify");
	});

	it("an undo of what is refused leaves nothing to save", async () => {
		const refuse = async (): Promise<Saved> => {
			throw new ApiError(422, "bad", "No.");
		};
		const page = open(new FakeServer(oneStep()), fakeBrowser(), refuse);
		page.draw("refused");
		vi.advanceTimersByTime(1_000);
		page.editor.getState().undo();
		await vi.advanceTimersByTimeAsync(2_500);
		expect(page.saver.getState()).toMatchObject({ phase: "saved", message: "" });
	});

	it("an error of ours is told, and the next save goes through", async () => {
		const server = new FakeServer(oneStep());
		let isBroken = true;
		const save: Save = async (spec, base) => {
			if (isBroken) throw new TypeError("a bug");
			return server.save(spec, base);
		};
		const page = open(server, fakeBrowser(), save);
		page.draw("mine");
		await expect(page.saver.getState().saveNow()).rejects.toThrow("a bug");
		expect(page.saver.getState().phase).toBe("failed");
		isBroken = false;
		expect(await page.saver.getState().saveNow()).toBe(true);
		expect(nameOn(server)).toBe("mine");
	});
});

describe("a draft that contradicts what others have saved", () => {
	async function disputed() {
		const [server, browser] = [new FakeServer(oneStep()), fakeBrowser()];
		const lost = open(server, browser);
		server.mood = "gone";
		lost.draw("lost");
		await vi.advanceTimersByTimeAsync(1_100);
		lost.close();
		vi.clearAllTimers();
		server.mood = "well";
		await server.save(toSpec(rename(server.graph, "n2", "theirs")), 1);
		const page = open(server, browser);
		await findDrafts(page);
		return { server, browser, page };
	}

	it("contradicts it still when the page is closed before anybody decided", async () => {
		const { server, browser, page } = await disputed();
		await page.saver.getState().restoreDraft();
		expect(page.saver.getState().phase).toBe("conflict");
		page.close();
		vi.clearAllTimers();
		const again = open(server, browser);
		await findDrafts(again);
		await again.saver.getState().restoreDraft();
		// Not taken for edits of what they have saved: theirs would be gone without a word.
		expect(again.saver.getState().phase).toBe("conflict");
		expect(nameOn(server)).toBe("theirs");
	});

	it("is brought back once, however often that is pressed", async () => {
		const { page } = await disputed();
		const presses = [page.saver.getState().restoreDraft(), page.saver.getState().restoreDraft()];
		await Promise.all(presses);
		expect(page.name()).toBe("lost");
		page.editor.getState().undo();
		expect(page.name()).toBe("theirs");
	});
});

it("a conflict that nobody decided is one when the page is opened again", async () => {
	const [server, browser] = [new FakeServer(oneStep()), fakeBrowser()];
	const page = open(server, browser);
	await server.save(toSpec(rename(server.graph, "n2", "theirs")), 1);
	page.draw("mine");
	await vi.advanceTimersByTimeAsync(1_100);
	expect(page.saver.getState().phase).toBe("conflict");
	page.editor.getState().change((graph) => setInstruction(graph, "n2", "Mine, too."));
	page.close();
	vi.clearAllTimers();
	const again = open(server, browser);
	await findDrafts(again);
	await again.saver.getState().restoreDraft();
	expect(again.saver.getState().phase).toBe("conflict");
	expect(nodeById(again.editor.getState().graph, "n2")).toMatchObject({
		name: "mine",
		signature: { instruction: "Mine, too." },
	});
});
