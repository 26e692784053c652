import { describe, expect, it, vi } from "vitest";
import { rename, toSpec } from "../graph";
import { oneStep } from "../graph/builders";
import { createAttic } from "./attic";
import { createDrafts } from "./drafts";
import { fakeBrowser } from "./fakes";
import { createNeighbours } from "./neighbours";

const [first, second] = [toSpec(oneStep()), toSpec(rename(oneStep(), "n2", "second"))];
const third = toSpec(rename(oneStep(), "n2", "third"));

describe("where there is no more room", () => {
	it("no draft is left beside the base of another one", async () => {
		const { shelf, items } = fakeBrowser();
		let isFull = false;
		const tight = {
			...shelf,
			setItem: (key: string, value: string) => {
				if (isFull && key.includes(":draft:")) throw new Error("QuotaExceededError");
				shelf.setItem(key, value);
			},
		};
		const attic = createAttic(undefined);
		const drafts = createDrafts(tight, "support", "triage", { attic, tab: "one" });
		drafts.write({ spec: second, base: first, base_revision: 1, at: 1 });
		isFull = true;
		expect(drafts.write({ spec: third, base: second, base_revision: 2, at: 2 })).toBe(false);
		expect([...items.keys()].filter((key) => key.includes(":draft:"))).toEqual([]);
	});
});

describe("a database", () => {
	it("that never answers holds up nobody", async () => {
		vi.useFakeTimers();
		const silent = { open: () => ({}) } as unknown as IDBFactory;
		const keys = createAttic(silent).keys("");
		await vi.advanceTimersByTimeAsync(6_000);
		expect(await keys).toEqual([]);
		vi.useRealTimers();
	});

	it("that did not open is asked again", async () => {
		const open = vi.fn(() => {
			throw new Error("SecurityError");
		});
		const attic = createAttic({ open } as unknown as IDBFactory);
		expect(await attic.put("key", 1)).toBe(false);
		expect(await attic.get("key")).toBeUndefined();
		expect(open).toHaveBeenCalledTimes(2);
	});
});

it("a tab that has answered is there for everybody who asked", async () => {
	vi.useFakeTimers();
	const browser = fakeBrowser();
	createNeighbours(browser.channel(), "other");
	const own = createNeighbours(browser.channel(), "own");
	const early = own.alive();
	await vi.advanceTimersByTimeAsync(100);
	browser.channel().postMessage({ kind: "here", tab: "slow" });
	const late = own.alive();
	await vi.advanceTimersByTimeAsync(300);
	expect([...(await early)].sort()).toEqual(["other", "slow"]);
	expect([...(await late)]).toEqual(["other"]);
	vi.useRealTimers();
});
