import { describe, expect, it, vi } from "vitest";
import { ApiError } from "../api/client";
import type { NodeRun, Nodes, RunAnswer, RunRequest } from "../api/runs";
import { moveNodes, setInstruction } from "../graph";
import { CATEGORY, end, field, graphOf, oneStep, step } from "../graph/builders";
import { createEditor } from "./editor";
import { createTrying, type TryOptions } from "./trying";

const call = { inputs: {}, prompt: "p", answer: "a", scores: {} };
const BILLING = { category: "billing" };

function done(outputs: Record<string, unknown>): NodeRun {
	return { state: "done", seconds: 1, cost: 0.1, calls: 1, outputs };
}

function succeeded(nodes: Nodes, outputs: Record<string, unknown> = {}): RunAnswer {
	return { state: "succeeded", error: "", report: { outputs, steps: [], nodes } };
}

function running(nodes: Nodes): RunAnswer {
	return { state: "running", error: "", live: { nodes }, report: {} };
}

/** input → sum_up → sort → output; what `sort` reads from the input, too. */
function twoSteps() {
	return graphOf(
		[
			end("n1", "input", [field("message")]),
			step("n2", "sum_up", ["message"], [field("summary", "str", "output")]),
			step("n3", "sort", ["message", "summary"], [field("category", CATEGORY, "output")]),
			end("n4", "output", [field("category", CATEGORY)]),
		],
		[
			"n1.message > n2.message",
			"n1.message > n3.message",
			"n2.summary > n3.summary",
			"n3.category > n4.category",
		],
	);
}

/** A store whose server gives these answers one after the other, and what it was asked. */
function make(graph = twoSteps(), answers: RunAnswer[] = [], more: Partial<TryOptions> = {}) {
	const editor = createEditor(graph);
	const asked: RunRequest[] = [];
	const trying = createTrying({
		editor,
		connection: "embedded",
		save: async () => true,
		start: async (request) => {
			asked.push(request);
			return { run: `r${asked.length}`, url: "" };
		},
		read: async () => answers.shift() as RunAnswer,
		cancel: async () => ({}),
		wait: async () => {},
		...more,
	});
	trying.getState().setInput("message", "hello");
	return { editor, asked, trying, answers, now: () => trying.getState() };
}

const ALL = { sum_up: done({ summary: "s" }), sort: done(BILLING) };

describe("a try", () => {
	it("is followed node by node until it is done", async () => {
		const { trying, now } = make(oneStep(), [
			{ state: "queued", error: "", report: {} },
			running({ classify: { state: "waiting" } }),
			running({ classify: { state: "running", text: "bil" } }),
			succeeded({ classify: done(BILLING) }, BILLING),
		]);
		const seen: unknown[] = [];
		trying.subscribe(({ nodes }) => seen.push(nodes.classify?.state));
		await now().start();
		expect(now()).toMatchObject({ phase: "succeeded", outputs: BILLING });
		expect([...new Set(seen)]).toEqual([undefined, "waiting", "running", "done"]);
		expect(now().known.n2).toMatchObject({ outputs: BILLING, fed: { message: "hello" } });
	});

	it("keeps what was done before a step failed", async () => {
		const { now } = make(twoSteps(), [
			{
				state: "failed",
				error: "The LM refused.",
				report: {
					nodes: { sum_up: ALL.sum_up, sort: { state: "failed", error: "The LM refused." } },
					steps: [{ path: "sum_up", outputs: {}, ...call }],
				},
			},
		]);
		await now().start();
		expect(now()).toMatchObject({ phase: "failed", message: "The LM refused." });
		expect(now().nodes.sort?.state).toBe("failed");
		expect(now().known.n2?.outputs).toEqual({ summary: "s" });
		expect(now().known.n3).toBeUndefined();
		expect(now().steps).toHaveLength(1);
	});

	it("leaves nothing on its way when it was cancelled", async () => {
		const { now } = make(twoSteps(), [
			running({ sum_up: { state: "running" }, sort: { state: "waiting" } }),
			{ state: "cancelled", error: "", report: {} },
		]);
		await now().start();
		expect(now().message).toBe("It was cancelled.");
		expect(Object.values(now().nodes).map(({ state }) => state)).toEqual(["skipped", "skipped"]);
	});

	it("does not start when the last edits could not be saved", async () => {
		const { asked, now } = make(oneStep(), [], { save: async () => false });
		await now().start();
		expect(asked).toEqual([]);
		expect(now().message).toContain("could not be saved");
	});

	it("shows what the server says when it does not start", async () => {
		const start = async () => {
			throw new ApiError(422, "invalid", "classify.message gets nothing.");
		};
		const { now } = make(oneStep(), [], { start });
		await now().start();
		expect(now()).toMatchObject({ phase: "failed", message: "classify.message gets nothing." });
	});

	it("looks again when a look finds nobody, and gives up after many", async () => {
		const away = new ApiError(0, "offline", "away");
		const read = vi
			.fn<() => Promise<RunAnswer>>()
			.mockRejectedValueOnce(away)
			.mockRejectedValueOnce(new ApiError(502, "error", "restarting"))
			.mockResolvedValueOnce(succeeded({ classify: done(BILLING) }))
			.mockRejectedValue(away);
		const { now } = make(oneStep(), [], { read });
		await now().start();
		expect(now().phase).toBe("succeeded");
		await now().start();
		expect(now()).toMatchObject({ phase: "failed", message: "away" });
	});

	it("ends at once when the server refuses to tell", async () => {
		const read = vi.fn().mockRejectedValue(new ApiError(404, "not-found", "No such run."));
		const { now } = make(oneStep(), [], { read });
		await now().start();
		expect(read).toHaveBeenCalledTimes(1);
		expect(now().message).toBe("No such run.");
	});

	it("asks for inputs that are missing, and starts nothing", async () => {
		const ask = vi.fn();
		const { asked, now } = make(oneStep(), [], { ask });
		now().setInput("message", "");
		await now().start();
		expect(ask).toHaveBeenCalled();
		expect(now().told).toEqual({ message: "Write something." });
		expect(asked).toEqual([]);
		now().setInput("message", "x");
		expect(now().told).toEqual({});
	});

	it("is not started by those who may only look", async () => {
		const { asked, trying } = make(oneStep(), [], { editor: createEditor(oneStep(), true) });
		await trying.getState().start();
		expect(asked).toEqual([]);
	});

	it("leaves nodes of which nothing is new as the same objects", async () => {
		const { trying, now } = make(twoSteps(), [
			running({ sum_up: ALL.sum_up, sort: { state: "running", text: "b" } }),
			running({ sum_up: { ...ALL.sum_up }, sort: { state: "running", text: "bi" } }),
			succeeded({ sum_up: { ...ALL.sum_up }, sort: ALL.sort }),
		]);
		const seen = new Set<unknown>();
		trying.subscribe(({ nodes }) => nodes.sum_up && seen.add(nodes.sum_up));
		await now().start();
		expect(seen.size).toBe(1);
	});
});

describe("parts of a pipeline", () => {
	it("runs until a step", async () => {
		const { asked, now } = make(twoSteps(), [
			succeeded({ sum_up: ALL.sum_up, sort: { state: "skipped" } }),
		]);
		await now().runUntil("n2");
		expect(asked).toEqual([{ connection: "embedded", inputs: { message: "hello" }, until: "n2" }]);
		expect(now().goal).toEqual({ kind: "until", node: "n2" });
	});

	it("runs one step with the last values of those before it", async () => {
		const { asked, now } = make(twoSteps(), [succeeded(ALL), succeeded(ALL)]);
		await now().runOnly("n3");
		expect(asked).toEqual([]);
		await now().start();
		await now().runOnly("n3");
		expect(asked[1]).toEqual({
			connection: "embedded",
			inputs: { message: "hello" },
			until: "n3",
			given: { sum_up: { summary: "s" } },
		});
	});

	it("needs no inputs that nobody reads", async () => {
		const { asked, now } = make(twoSteps(), [succeeded(ALL), succeeded(ALL)]);
		await now().start();
		now().setInput("message", "");
		now().edit("n3", "category", "shipping");
		await now().runRest("n3");
		expect(asked[1]).toMatchObject({ inputs: {}, given: { sort: { category: "shipping" } } });
	});

	it("runs the rest with a value that was written by hand", async () => {
		const again = { sum_up: { state: "given", outputs: { summary: "mine" } }, sort: ALL.sort };
		const { asked, now } = make(twoSteps(), [succeeded(ALL), succeeded(again as Nodes)]);
		await now().start();
		now().edit("n2", "summary", "mine");
		expect([...now().stale.keys()]).toEqual(["n3"]);
		await now().runRest("n2");
		expect(asked[1]).toMatchObject({ given: { sum_up: { summary: "mine" } } });
		expect(asked[1]).not.toHaveProperty("until");
		expect(now().stale.size).toBe(0);
		expect(now().known.n3?.fed).toEqual({ message: "hello", summary: "mine" });
		// What the model said is still there to go back to.
		expect(now().edits.n2).toEqual({ summary: "mine" });
		now().reset("n2");
		expect(now().known.n2?.outputs).toEqual({ summary: "s" });
		expect([...now().stale.keys()]).toEqual(["n3"]);
	});

	it("does not run the rest of a value that was taken away", async () => {
		const { asked, now, editor } = make(twoSteps(), [succeeded(ALL)]);
		await now().start();
		now().edit("n2", "summary", undefined);
		await now().runRest("n2");
		expect(asked).toHaveLength(1);
		expect(editor.getState().said.text).toBe("Write a value for summary first.");
	});

	it("forgets what was written over a value when the step says another one", async () => {
		const { now } = make(twoSteps(), [succeeded(ALL), succeeded(ALL)]);
		await now().start();
		now().edit("n2", "summary", "mine");
		await now().start();
		expect(now().edits).toEqual({});
	});
});

describe("the last values", () => {
	it("stay while nodes are moved, and are out of date when a step or one before it changes", async () => {
		const { now, editor } = make(twoSteps(), [succeeded(ALL)]);
		await now().start();
		editor.getState().change((graph) => moveNodes(graph, new Map([["n2", { x: 9, y: 9 }]])));
		expect(now().stale.size).toBe(0);
		editor.getState().change((graph) => setInstruction(graph, "n2", "Be brief."));
		expect(Object.fromEntries(now().stale)).toEqual({
			n2: "The step was changed since it ran.",
			n3: "A step before it was changed since.",
		});
		editor.getState().undo();
		expect(now().stale.size).toBe(0);
	});

	it("are out of date when the inputs are others", async () => {
		const { now } = make(twoSteps(), [succeeded(ALL)]);
		await now().start();
		now().setInput("message", "bye");
		expect([...now().stale.keys()].sort()).toEqual(["n2", "n3"]);
		now().setInput("message", "hello");
		expect(now().stale.size).toBe(0);
	});

	it("come back from an earlier visit", () => {
		const { now } = make(twoSteps());
		const fresh = make(twoSteps());
		const last = { run: "r0", connection: "other", inputs: { message: "hello" } };
		now().remember(last, succeeded(ALL, BILLING), twoSteps());
		expect(now().known).toEqual({}); // somebody has begun to write already
		fresh.trying.setState({ inputs: {} });
		fresh.now().remember(last, succeeded(ALL, BILLING), twoSteps());
		expect(fresh.now()).toMatchObject({
			phase: "idle",
			connection: "other",
			inputs: { message: "hello" },
			outputs: BILLING,
		});
		expect(fresh.now().known.n2).toMatchObject({ outputs: { summary: "s" }, isEarlier: true });
		expect(fresh.now().stale.size).toBe(0);
	});
});

describe("a row of a dataset", () => {
	it("fills the inputs, until somebody writes others", async () => {
		const row = {
			dataset: "mails",
			number: 3,
			values: { message: "A bill." },
			expected: BILLING,
		};
		const { now } = make(oneStep(), [succeeded({ classify: done(BILLING) }, BILLING)]);
		now().pick(row);
		expect(now().inputs).toEqual({ message: "A bill." });
		await now().start();
		expect(now().ran?.row).toEqual(row);
		now().setInput("message", "Another.");
		expect(now().row).toBeNull();
	});
});
