import { describe, expect, it, vi } from "vitest";
import { ApiError, type RunAnswer } from "../api/client";
import { oneStep } from "../graph/builders";
import { createTrying, nodeStates } from "./trying";

describe("a try", () => {
	const step = {
		path: "classify",
		inputs: {},
		outputs: { category: "billing" },
		prompt: "p",
		answer: "a",
		scores: {},
	};
	const answers: RunAnswer[] = [
		{ state: "queued", error: "", report: {} },
		{ state: "running", error: "", report: {} },
		{ state: "succeeded", error: "", report: { outputs: { category: "billing" }, steps: [step] } },
	];
	const options = {
		connection: "embedded",
		save: async () => true,
		start: async () => ({ run: "r1", url: "" }),
		cancel: async () => ({}),
		wait: async () => {},
	};

	it("is followed until it is done", async () => {
		const seen: unknown[] = [];
		const left = [...answers];
		const trying = createTrying({ ...options, read: async () => left.shift() as RunAnswer });
		trying.subscribe((state) => seen.push(nodeStates(state).get("n2")));
		await trying.getState().start(oneStep(), { message: "hello" });
		expect(trying.getState()).toMatchObject({
			phase: "succeeded",
			outputs: { category: "billing" },
		});
		expect([...new Set(seen)]).toEqual(["waiting", "running", "done"]);
	});

	it("tells why it failed, and at which step", async () => {
		const read = async (): Promise<RunAnswer> => ({
			state: "failed",
			error: "The LM refused.",
			report: {},
		});
		const trying = createTrying({ ...options, read });
		await trying.getState().start(oneStep(), {});
		expect(trying.getState()).toMatchObject({ phase: "failed", message: "The LM refused." });
		expect(nodeStates(trying.getState()).get("n2")).toBe("failed");
	});

	it("does not start when the last edits could not be saved", async () => {
		const start = vi.fn();
		const trying = createTrying({ ...options, save: async () => false, start, read: vi.fn() });
		await trying.getState().start(oneStep(), {});
		expect(start).not.toHaveBeenCalled();
		expect(trying.getState().message).toContain("could not be saved");
	});

	it("shows what the server says when it does not start", async () => {
		const start = async () => {
			throw new ApiError(422, "invalid", "classify.message gets nothing.");
		};
		const trying = createTrying({ ...options, start, read: vi.fn() });
		await trying.getState().start(oneStep(), {});
		expect(trying.getState()).toMatchObject({
			phase: "failed",
			message: "classify.message gets nothing.",
		});
	});

	it("looks again when one look finds nobody", async () => {
		const read = vi
			.fn<() => Promise<RunAnswer>>()
			.mockRejectedValueOnce(new ApiError(0, "offline", "away"))
			.mockResolvedValue(answers[2] as RunAnswer);
		const trying = createTrying({ ...options, read });
		await trying.getState().start(oneStep(), {});
		expect(trying.getState().phase).toBe("succeeded");
	});
});
