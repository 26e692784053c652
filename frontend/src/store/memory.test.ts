import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Graph, readSpec, rename, toSpec } from "../graph";
import { oneStep } from "../graph/builders";
import { chanceOf, edit } from "../graph/chance";
import { type Attic, createMemoryAttic } from "./attic";
import { createEditor } from "./editor";
import { remember } from "./memory";

const KEY = "history";
const again = (graph: Graph): Graph => readSpec(structuredClone(toSpec(graph))).graph as Graph;

async function visit(graph: Graph, attic: Attic) {
	const editor = createEditor(again(graph));
	const memory = remember(editor, attic, KEY);
	await memory.ready;
	const draw = (name: string) => editor.getState().change((root) => rename(root, "n2", name));
	const name = () => editor.getState().history.present.nodes[1]?.name;
	return { editor, memory, draw, name, graph: () => editor.getState().history.present };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("undo after a reload", () => {
	it("reaches what was done before it, and redo what was undone", async () => {
		const attic = createMemoryAttic();
		const before = await visit(oneStep(), attic);
		for (const name of ["a", "b", "c"]) before.draw(name);
		before.editor.getState().undo();
		await before.memory.flush();
		const { editor, name } = await visit(before.graph(), attic);
		expect(name()).toBe("b");
		editor.getState().redo();
		expect(name()).toBe("c");
		for (let count = 0; count < 9; count += 1) editor.getState().undo();
		expect(editor.getState().history.present).toEqual(oneStep());
	});

	it("is written by itself a moment after a change", async () => {
		const attic = createMemoryAttic();
		const { draw, graph } = await visit(oneStep(), attic);
		draw("a");
		await vi.advanceTimersByTimeAsync(600);
		expect((await visit(graph(), attic)).editor.getState().history.past).toHaveLength(1);
	});

	it("brings back any drawing as it was", async () => {
		for (let seed = 1; seed <= 30; seed += 1) {
			const [attic, chance] = [createMemoryAttic(), chanceOf(seed)];
			const before = await visit(oneStep(), attic);
			for (let count = 0; count < 40; count += 1) {
				before.editor.getState().change((graph) => edit(graph, chance));
			}
			await before.memory.flush();
			const after = await visit(before.graph(), attic);
			const { past } = before.editor.getState().history;
			expect(after.editor.getState().history.past, `seed ${seed}`).toEqual(past);
		}
	});

	it("reaches back over what was changed elsewhere", async () => {
		const attic = createMemoryAttic();
		const before = await visit(oneStep(), attic);
		before.draw("mine");
		await before.memory.flush();
		const { editor, name } = await visit(rename(oneStep(), "n2", "theirs"), attic);
		expect(name()).toBe("theirs");
		editor.getState().undo();
		expect(name()).toBe("mine");
		editor.getState().undo();
		expect(name()).toBe("classify");
	});

	it("keeps the newest thousand steps", async () => {
		const attic = createMemoryAttic();
		const before = await visit(oneStep(), attic);
		for (let count = 0; count < 1_200; count += 1) before.draw(`s${count}`);
		await before.memory.flush();
		const { editor } = await visit(before.graph(), attic);
		expect(editor.getState().history.past).toHaveLength(1_000);
		expect(editor.getState().history.past.at(-1)?.nodes[1]?.name).toBe("s1198");
	});

	it("begins anew where nothing can be read or kept", async () => {
		const broken = createMemoryAttic(
			new Map([[KEY, { format: 1, present: toSpec(oneStep()), past: ["{", "[]"], future: 7 }]]),
		);
		const { editor, draw } = await visit(oneStep(), broken);
		expect(editor.getState().history.past).toEqual([]);
		draw("a");
		const none: Attic = {
			get: async () => undefined,
			put: async () => false,
			remove: async () => {},
			keys: async () => [],
		};
		const other = await visit(oneStep(), none);
		other.draw("a");
		await other.memory.flush();
		expect(other.name()).toBe("a");
	});

	it("lets what is drawn before it is back stand on top of it", async () => {
		const attic = createMemoryAttic();
		const before = await visit(oneStep(), attic);
		before.draw("a");
		await before.memory.flush();
		const editor = createEditor(again(before.graph()));
		const { ready } = remember(editor, attic, KEY);
		editor.getState().change((graph) => rename(graph, "n2", "b"));
		await ready;
		editor.getState().undo();
		expect(editor.getState().history.present.nodes[1]?.name).toBe("a");
		editor.getState().undo();
		expect(editor.getState().history.present.nodes[1]?.name).toBe("classify");
	});
});
