import { describe, expect, it } from "vitest";
import {
	type Blank,
	graphAt,
	MOST_DEEP,
	MOST_NOTES,
	nodeById,
	type StepNode,
	setNote,
	toSpec,
} from "../graph";
import { oneStep } from "../graph/builders";
import { createEditor, type Editor } from "./editor";
import {
	beginPart,
	bridgeLevel,
	dropPart,
	fillWith,
	groupSelected,
	leaveLevel,
	openFirstPart,
	openLevel,
	openPart,
	putNote,
	takeOver,
	ungroupSelected,
} from "./levels";

const HERE = { x: 0, y: 400 };
const BRANCH: Blank = { kind: "branch", name: "sort" };

function withBranch(): [Editor, string] {
	const editor = createEditor(oneStep());
	return [editor, editor.getState().add(BRANCH, HERE)];
}

const partsOf = (editor: Editor, id: string) =>
	Object.keys((nodeById(editor.getState().graph, id) as StepNode).parts);

describe("levels", () => {
	it("open and close, and the node that was stood in is selected", () => {
		const [editor, id] = withBranch();
		expect(openFirstPart(editor, id)).toBe(true);
		expect(editor.getState().path).toEqual([{ node: id, part: "yes" }]);
		bridgeLevel(editor);
		expect(editor.getState().here).toEqual([]);
		expect(leaveLevel(editor)).toBe(true);
		expect(editor.getState().selection.nodes).toEqual([id]);
		expect(leaveLevel(editor)).toBe(false);
		expect(openPart(editor, { node: id, part: "maybe" })).toBe(false);
		openLevel(editor, [{ node: id, part: "no" }]);
		openLevel(editor, []);
		expect(editor.getState().selection.nodes).toEqual([id]);
	});

	it("are begun and removed, and both can be undone", () => {
		const [editor, id] = withBranch();
		expect(beginPart(editor, id, "otherwise")).toBe(true);
		expect(editor.getState().path).toHaveLength(1);
		leaveLevel(editor);
		dropPart(editor, id, "yes");
		expect(partsOf(editor, id)).toEqual(["no", "otherwise"]);
		editor.getState().undo();
		editor.getState().undo();
		expect(partsOf(editor, id)).toEqual(["yes", "no"]);
	});

	it("take over the fields of their step from any level", () => {
		const [editor, id] = withBranch();
		const way = [{ node: id, part: "yes" }] as const;
		openPart(editor, way[0]);
		editor.getState().change((level) => ({ ...level, nodes: [], edges: [] }));
		takeOver(editor, [], way[0]);
		expect(editor.getState().path).toEqual(way);
		expect(editor.getState().graph.nodes.map(({ kind }) => kind)).toEqual(["input", "output"]);
	});

	it("are filled with a copy of a saved pipeline, and a foreign one is refused", () => {
		const [editor, id] = withBranch();
		const into = { node: id, part: "yes" };
		expect(fillWith(editor, into, "triage", toSpec(oneStep()))).toBe(true);
		expect(fillWith(editor, into, "odd", { version: 99, nodes: [], edges: [] })).toBe(false);
		expect(editor.getState().said.text).toContain("“odd” was not put here");
		openPart(editor, into);
		expect(editor.getState().graph).toEqual(oneStep());
	});

	it("lie no deeper in each other than the server takes", () => {
		const editor = createEditor(oneStep());
		for (let depth = 0; depth < MOST_DEEP; depth += 1) {
			const id = editor.getState().add({ kind: "map", name: "each" }, HERE);
			expect(beginPart(editor, id, "body")).toBe(true);
		}
		const id = editor.getState().add({ kind: "map", name: "each" }, HERE);
		expect(beginPart(editor, id, "body")).toBe(false);
		expect(editor.getState().said).toMatchObject({ tone: "refusal" });
		expect(editor.getState().said.text).toContain(`${MOST_DEEP} deep`);
		const before = editor.getState().graph;
		editor.getState().add({ kind: "subpipeline", name: "part" }, HERE);
		expect(editor.getState().graph).toBe(before);
		expect(editor.getState().said.text).toContain(`${MOST_DEEP} deep`);
	});
});

describe("groups", () => {
	it("are made of what is selected, and are taken apart", () => {
		const editor = createEditor(oneStep());
		editor.getState().selectAll();
		expect(groupSelected(editor)).toBe(true);
		expect(editor.getState().graph.nodes.map(({ name }) => name)).toEqual([
			"input",
			"output",
			"group",
		]);
		expect(editor.getState().said.text).toBe("group holds 1 step now.");
		expect(ungroupSelected(editor)).toBe(true);
		expect(editor.getState().selection.nodes).toEqual(["n2"]);
		expect(editor.getState().problems).toEqual([]);
		editor.getState().select(["n1"]);
		expect(groupSelected(editor)).toBe(false);
		expect(ungroupSelected(editor)).toBe(false);
		expect(editor.getState().said).toMatchObject({ tone: "refusal" });
	});
});

describe("notes", () => {
	it("are put, selected, undone, and not more than the server takes", () => {
		const editor = createEditor(oneStep());
		const id = putNote(editor, HERE);
		expect(editor.getState().selection.nodes).toEqual([id]);
		expect(editor.getState().problems).toEqual([]);
		editor.getState().selectAll();
		expect(editor.getState().selection.nodes).toContain(id);
		editor.getState().undo();
		expect(editor.getState().graph.notes).toEqual([]);
		const notes = Array.from({ length: MOST_NOTES }, (_, at) => ({
			id: `t${at}`,
			text: "",
			position: HERE,
		}));
		const full = createEditor({ ...oneStep(), notes });
		expect(putNote(full, HERE)).toBe("");
		expect(full.getState().said.text).toContain("500 notes");
	});
});

it("whoever may only look changes nothing", () => {
	const [editor, id] = withBranch();
	const looked = createEditor(editor.getState().graph, true);
	looked.getState().select([id, "n2"]);
	expect(beginPart(looked, id, "otherwise")).toBe(false);
	expect(groupSelected(looked)).toBe(false);
	expect(ungroupSelected(looked)).toBe(false);
	expect(putNote(looked, HERE)).toBe("");
	dropPart(looked, id, "yes");
	takeOver(looked, [], { node: id, part: "yes" });
	expect(looked.getState().history.past).toEqual([]);
	expect(openFirstPart(looked, id)).toBe(true);
});

it("what is typed into alike nodes of two levels is undone apart", () => {
	const [editor, id] = withBranch();
	openFirstPart(editor, id);
	const write = (text: string) => {
		const note = editor.getState().graph.notes[0]?.id ?? putNote(editor, HERE);
		editor.getState().change((graph) => setNote(graph, note, text), `note:${note}`);
		return note;
	};
	const inner = write("inside");
	openLevel(editor, [{ node: id, part: "no" }]);
	// The same id, and the same mark.
	expect(putNote(editor, HERE)).toBe(inner);
	editor.getState().undo();
	editor.getState().redo();
	write("beside");
	openLevel(editor, [{ node: id, part: "yes" }]);
	write("inside, again");
	editor.getState().undo();
	const { history } = editor.getState();
	const beside = graphAt(history.present, [{ node: id, part: "no" }]);
	expect(beside?.notes.map(({ text }) => text)).toEqual(["beside"]);
	expect(editor.getState().graph.notes.map(({ text }) => text)).toEqual(["inside"]);
});
