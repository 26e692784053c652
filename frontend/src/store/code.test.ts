import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../api/client";
import type { ReadBack, Written } from "../api/code";
import { type Graph, readSpec, type Spec, setInstruction, toSpec } from "../graph";
import { oneStep } from "../graph/builders";
import { createCode, READ_MS, WRITE_MS } from "./code";
import { createEditor } from "./editor";

/** The code of a drawing is its JSON here; `fail` refuses it as the server does. */
function setUp(readOnly = false) {
	const editor = createEditor(oneStep(), readOnly);
	const write = vi.fn(async (spec: Spec): Promise<Written> => {
		const python = JSON.stringify(spec);
		return { python, python_problem: "", dspy: `dspy ${python}`, dspy_problem: "" };
	});
	const read = vi.fn(async (text: string, _spec: Spec): Promise<ReadBack> => {
		if (!text.startsWith("{")) {
			throw new ApiError(422, "invalid", "Line 2: no.", {
				problems: [{ line: 2, message: "“import os” draws nothing." }],
			});
		}
		return { spec: JSON.parse(text), problems: [] };
	});
	const code = createCode({ editor, write, read });
	const root = () => editor.getState().history.present;
	const instruct = (words: string) =>
		editor.getState().change((graph) => setInstruction(graph, "n2", words));
	return { editor, code, write, read, root, instruct };
}

/** The code of a drawing in which the step has this instruction. */
function saying(graph: Graph, words: string): string {
	return JSON.stringify(toSpec(setInstruction(graph, "n2", words)));
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the code follows the drawing", () => {
	it("is asked for when the panel opens, and not before", async () => {
		const { code, write, root } = setUp();
		await vi.advanceTimersByTimeAsync(5_000);
		expect(write).not.toHaveBeenCalled();
		code.getState().open();
		await vi.advanceTimersByTimeAsync(0);
		expect(code.getState().text).toBe(JSON.stringify(toSpec(root())));
		expect(code.getState().dspy).toContain("dspy");
	});

	it("is asked for once after a number of quick changes, and the old text stays until then", async () => {
		const { code, write, root, instruct } = setUp();
		code.getState().open();
		await vi.advanceTimersByTimeAsync(0);
		const before = code.getState().text;
		instruct("One");
		instruct("Two");
		await vi.advanceTimersByTimeAsync(WRITE_MS - 10);
		expect(code.getState().text).toBe(before);
		await vi.advanceTimersByTimeAsync(20);
		expect(write).toHaveBeenCalledTimes(2);
		expect(code.getState().text).toBe(JSON.stringify(toSpec(root())));
	});

	it("drops an answer that comes after a newer question", async () => {
		const { code, write, root, instruct } = setUp();
		code.getState().open();
		await vi.advanceTimersByTimeAsync(0);
		let late: (answer: Written) => void = () => {};
		write.mockImplementationOnce(() => new Promise((resolve) => (late = resolve)));
		instruct("One");
		await vi.advanceTimersByTimeAsync(WRITE_MS);
		instruct("Two");
		await vi.advanceTimersByTimeAsync(WRITE_MS);
		late({ python: "old", python_problem: "", dspy: "", dspy_problem: "" });
		await vi.advanceTimersByTimeAsync(0);
		expect(code.getState().text).toBe(JSON.stringify(toSpec(root())));
	});

	it("says why there is none, and keeps the text when the server is away", async () => {
		const { code, write, instruct } = setUp();
		code.getState().open();
		await vi.advanceTimersByTimeAsync(0);
		const before = code.getState().text;
		write.mockRejectedValueOnce(new ApiError(0, "offline", "The server does not answer."));
		instruct("One");
		await vi.advanceTimersByTimeAsync(WRITE_MS);
		expect(code.getState()).toMatchObject({
			text: before,
			message: "The server does not answer.",
		});
	});
});

describe("the drawing follows the code", () => {
	async function opened(readOnly = false) {
		const all = setUp(readOnly);
		all.code.getState().open();
		await vi.advanceTimersByTimeAsync(0);
		return all;
	}

	it("changes after a pause, in one step of undo, and keeps what is selected", async () => {
		const { code, editor, read, root } = await opened();
		editor.getState().select(["n2"]);
		const before = root();
		code.getState().edit(saying(before, "O"));
		await vi.advanceTimersByTimeAsync(READ_MS - 10);
		code.getState().edit(saying(before, "Other"));
		await vi.advanceTimersByTimeAsync(READ_MS);
		expect(read).toHaveBeenCalledTimes(1);
		expect(JSON.stringify(toSpec(root()))).toBe(saying(before, "Other"));
		expect(code.getState().phase).toBe("fresh");
		expect(editor.getState().selection.nodes).toEqual(["n2"]);
		expect(editor.getState().history.past).toHaveLength(1);
		editor.getState().undo();
		expect(root()).toBe(before);
		await vi.advanceTimersByTimeAsync(WRITE_MS);
		expect(code.getState().text).toBe(JSON.stringify(toSpec(before)));
	});

	it("leaves the text as it was typed until nobody is in the box", async () => {
		const { code, root } = await opened();
		const typed = `${saying(root(), "Other")}   `;
		code.getState().edit(typed);
		await vi.advanceTimersByTimeAsync(READ_MS + WRITE_MS);
		expect(code.getState().text).toBe(typed);
		code.getState().settle();
		expect(code.getState().text).toBe(typed.trim());
	});

	it("makes no step of undo when the text says the same in other words", async () => {
		const { code, editor, root } = await opened();
		const before = root();
		code.getState().edit(` ${JSON.stringify(toSpec(before))}`.replace(" {", "{ "));
		await vi.advanceTimersByTimeAsync(READ_MS);
		expect(code.getState().phase).toBe("fresh");
		expect(root()).toBe(before);
		expect(editor.getState().history.past).toHaveLength(0);
	});

	it("stays when the text does not read; the problems have lines", async () => {
		const { code, root } = await opened();
		const before = root();
		code.getState().edit("import os");
		await vi.advanceTimersByTimeAsync(READ_MS);
		expect(code.getState()).toMatchObject({ phase: "broken", text: "import os", message: "" });
		expect(code.getState().problems).toEqual([{ line: 2, message: "“import os” draws nothing." }]);
		expect(root()).toBe(before);
		code.getState().edit(saying(before, "Mended"));
		await vi.advanceTimersByTimeAsync(READ_MS);
		expect(code.getState()).toMatchObject({ phase: "fresh", problems: [] });
		expect(root()).not.toBe(before);
	});

	it("is not touched when the answer is no drawing that the page can show", async () => {
		const { code, read, root } = await opened();
		const before = root();
		read.mockResolvedValueOnce({ spec: { version: 9 }, problems: [] });
		code.getState().edit("{}");
		await vi.advanceTimersByTimeAsync(READ_MS);
		expect(code.getState().phase).toBe("broken");
		expect(code.getState().problems[0]?.message).toContain("version");
		expect(root()).toBe(before);
	});

	it("asks people when both have changed, and loses neither", async () => {
		const { code, read, root, instruct } = await opened();
		const typed = saying(root(), "From the code");
		code.getState().edit(typed);
		instruct("From the board");
		const board = root();
		await vi.advanceTimersByTimeAsync(READ_MS + WRITE_MS);
		expect(read).not.toHaveBeenCalled();
		expect(code.getState()).toMatchObject({ phase: "clash", text: typed });
		expect(root()).toBe(board);
		await code.getState().takeText();
		expect(JSON.stringify(toSpec(root()))).toBe(typed);
	});

	it("asks also when the text is typed before it could show a change of the board", async () => {
		const { code, root, instruct } = await opened();
		const typed = saying(root(), "From the code");
		instruct("From the board");
		code.getState().edit(typed);
		expect(code.getState().phase).toBe("clash");
		code.getState().takeDrawing();
		await vi.advanceTimersByTimeAsync(WRITE_MS);
		expect(code.getState()).toMatchObject({
			phase: "fresh",
			text: JSON.stringify(toSpec(root())),
		});
	});

	it("asks when the drawing changes while the text is being read", async () => {
		const { code, read, root, instruct } = await opened();
		let answer: (found: ReadBack) => void = () => {};
		read.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
		const typed = saying(root(), "From the code");
		code.getState().edit(typed);
		await vi.advanceTimersByTimeAsync(READ_MS);
		instruct("From the board");
		const board = root();
		answer({ spec: JSON.parse(typed), problems: [] });
		await vi.advanceTimersByTimeAsync(0);
		expect(code.getState().phase).toBe("clash");
		expect(root()).toBe(board);
	});

	it("gives the drawing's code back when people want it", async () => {
		const { code, root } = await opened();
		const own = code.getState().text;
		code.getState().edit("nonsense");
		await vi.advanceTimersByTimeAsync(READ_MS);
		code.getState().takeDrawing();
		await vi.advanceTimersByTimeAsync(WRITE_MS);
		expect(code.getState()).toMatchObject({ phase: "fresh", text: own, problems: [] });
		expect(readSpec(JSON.parse(own)).graph).toEqual(root());
	});

	it("keeps what was typed while the panel is closed", async () => {
		const { code } = await opened();
		code.getState().edit("nonsense");
		await vi.advanceTimersByTimeAsync(READ_MS);
		code.getState().close();
		code.getState().open();
		await vi.advanceTimersByTimeAsync(WRITE_MS);
		expect(code.getState()).toMatchObject({ phase: "broken", text: "nonsense" });
	});

	it("is not changed by those who may only look", async () => {
		const { code, read } = await opened(true);
		code.getState().edit("{}");
		await vi.advanceTimersByTimeAsync(READ_MS);
		expect(read).not.toHaveBeenCalled();
	});
});
