// Two tabs, one server, and everything that goes wrong between them: no edit is ever lost.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { addNode, endIdsWith, nodeById, remove, setInstruction } from "../graph";
import { oneStep } from "../graph/builders";
import { type Chance, chanceOf } from "../graph/chance";
import { merge } from "../graph/merge";
import { createDrafts } from "./drafts";
import { createEditor } from "./editor";
import { FakeServer, fakeBrowser } from "./fakes";
import { remember } from "./memory";
import { createNeighbours } from "./neighbours";
import { createSaver } from "./saver";

const RUNS = 500;
const ACTIONS = 40;

type Browser = ReturnType<typeof fakeBrowser>;

/** A tab as the page sets it up. */
function openTab(server: FakeServer, browser: Browser) {
	const editor = createEditor(server.graph);
	const drafts = createDrafts(browser.shelf, "support", "triage", { attic: browser.attic });
	const channel = browser.channel();
	let isOpen = true;
	// A tab that was closed asks for nothing any more, and gets no answer.
	const guard =
		<A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
		async (...args: A): Promise<T> => {
			if (!isOpen) return new Promise<T>(() => {});
			try {
				return await call(...args);
			} finally {
				if (!isOpen) await new Promise(() => {});
			}
		};
	const saver = createSaver({
		editor,
		drafts,
		revision: server.revision,
		save: guard(server.save),
		look: guard(server.look),
		revisionAt: guard(server.revisionAt),
		neighbours: createNeighbours(channel, drafts.tab),
		now: Date.now,
	});
	remember(editor, browser.attic, "history");
	void saver.getState().findDrafts();
	return {
		editor,
		saver,
		close: () => {
			isOpen = false;
			channel.close();
		},
	};
}

type Tab = ReturnType<typeof openTab>;

class World {
	readonly server = new FakeServer(oneStep());
	readonly browser = fakeBrowser();
	tabs: [Tab, Tab];
	/** Names that were added and not taken back. */
	readonly owed = new Set<string>();
	private count = 0;

	constructor(readonly chance: Chance) {
		endIdsWith(() => chance.below(1_000_000).toString(36));
		this.tabs = [openTab(this.server, this.browser), openTab(this.server, this.browser)];
	}

	async act(): Promise<void> {
		const tab = this.tabs[this.chance.below(2)] as Tab;
		const action = this.chance.one(ACTS);
		await action?.(this, tab);
		await vi.advanceTimersByTimeAsync(this.chance.below(2_500));
	}

	add(tab: Tab): void {
		this.count += 1;
		const name = `step_${this.count}`;
		this.owed.add(name);
		const spot = { x: this.chance.below(9) * 20, y: 300 };
		tab.editor.getState().change((graph) => addNode(graph, { kind: "predict", name }, spot)[0]);
	}

	/** Take back what only this tab has added, and what the others do not change. */
	take(tab: Tab): void {
		const { present } = tab.editor.getState().history;
		const node = present.nodes.find(({ name }) => this.owed.has(name));
		if (!node) return;
		this.owed.delete(node.name);
		tab.editor.getState().change((graph) => remove(graph, [node.id], []));
	}

	reopen(tab: Tab): void {
		tab.close();
		this.tabs = this.tabs.map((one) =>
			one === tab ? openTab(this.server, this.browser) : one,
		) as [Tab, Tab];
	}

	async decide(tab: Tab): Promise<void> {
		const { conflict } = tab.saver.getState();
		if (!conflict) return;
		const { present } = tab.editor.getState().history;
		const { conflicts } = merge(conflict.base, present, conflict.theirs);
		const choices = Object.fromEntries(
			conflicts.map(({ key }) => [key, this.chance.below(2) ? "mine" : "theirs"] as const),
		);
		await Promise.race([tab.saver.getState().saveMerged(choices), flush()]);
	}

	async bringBack(tab: Tab): Promise<void> {
		await Promise.race([tab.saver.getState().restoreDraft(), flush()]);
	}

	/** All is well again: everybody saves, decides and brings back what is there. */
	async heal(): Promise<void> {
		this.server.mood = "well";
		for (let round = 0; round < 12; round += 1) {
			for (const tab of this.tabs) {
				await vi.advanceTimersByTimeAsync(300);
				await this.decide(tab);
				await this.bringBack(tab);
				void tab.saver.getState().saveNow();
				await vi.advanceTimersByTimeAsync(2_000);
				void tab.saver.getState().findDrafts();
			}
		}
	}
}

const flush = () => vi.advanceTimersByTimeAsync(50);

type Act = (world: World, tab: Tab) => void | Promise<void>;

const becomes =
	(mood: FakeServer["mood"]): Act =>
	(world) => {
		world.server.mood = mood;
	};

/** What happens, as often as it stands here. */
const ACTS: readonly Act[] = [
	(world, tab) => world.add(tab),
	(world, tab) => world.add(tab),
	(world, tab) => world.add(tab),
	(world, tab) => world.take(tab),
	(world, tab) => {
		const text = `Do ${world.chance.below(99)}.`;
		tab.editor.getState().change((graph) => setInstruction(graph, "n2", text));
	},
	(_, tab) => void tab.saver.getState().saveNow(),
	(_, tab) => void tab.saver.getState().saveNow(),
	(_, tab) => void tab.saver.getState().lookAgain(),
	becomes("gone"),
	becomes("mute"),
	becomes("signed-out"),
	becomes("well"),
	becomes("well"),
	(world, tab) => world.reopen(tab),
	(world, tab) => world.decide(tab),
	(world, tab) => world.decide(tab),
	(world, tab) => world.bringBack(tab),
];

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
	endIdsWith(() => "");
	vi.useRealTimers();
});

describe("two tabs and a server that comes and goes", () => {
	it(`lose nothing in ${RUNS} random interleavings`, { timeout: 300_000 }, async () => {
		let edits = 0;
		for (let seed = 1; seed <= RUNS; seed += 1) {
			const world = new World(chanceOf(seed));
			for (let count = 0; count < ACTIONS; count += 1) await world.act();
			await world.heal();
			const names = new Set(world.server.graph.nodes.map(({ name }) => name));
			const lost = [...world.owed].filter((name) => !names.has(name));
			expect(lost, `seed ${seed}`).toEqual([]);
			for (const { editor, saver } of world.tabs) {
				expect(saver.getState().phase, `seed ${seed}`).toBe("saved");
				expect(nodeById(editor.getState().history.present, "n1")).toBeDefined();
			}
			const ids = world.server.graph.nodes.map(({ id }) => id);
			expect(new Set(ids).size, `seed ${seed}`).toBe(ids.length);
			edits += world.owed.size;
			for (const tab of world.tabs) tab.close();
			vi.clearAllTimers();
		}
		expect(edits).toBeGreaterThan(RUNS);
	});
});
