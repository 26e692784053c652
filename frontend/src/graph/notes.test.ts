import { describe, expect, it } from "vitest";
import {
	addNode,
	addNote,
	cut,
	type Graph,
	LONGEST_NOTE,
	MOST_NOTES,
	moveNodes,
	noteById,
	noteTitle,
	paste,
	readSpec,
	remove,
	setNote,
	toSpec,
} from ".";
import { oneStep } from "./builders";

const HERE = { x: 20, y: 40 };

function noted(text = "Why two steps?"): [Graph, string] {
	const [graph, id] = addNote(oneStep(), HERE);
	return [setNote(graph, id, text), id];
}

describe("a note", () => {
	it("is added, written, moved and removed", () => {
		const [graph, id] = noted();
		expect(noteById(graph, id)).toEqual({ id, text: "Why two steps?", position: HERE });
		expect(setNote(graph, id, "Why two steps?")).toBe(graph);
		const moved = moveNodes(
			graph,
			new Map([
				[id, { x: 60, y: 40 }],
				["n2", { x: 0, y: 0 }],
			]),
		);
		expect(noteById(moved, id)?.position.x).toBe(60);
		expect(moved.nodes[1]?.position.x).toBe(0);
		expect(moveNodes(graph, new Map([[id, HERE]]))).toBe(graph);
		expect(remove(graph, [id], []).notes).toEqual([]);
		expect(remove(graph, ["n2"], []).notes).toBe(graph.notes);
	});

	it("is no program: HTML in it is text", () => {
		const [graph, id] = noted("<b>bold</b>");
		expect(noteById(graph, id)?.text).toBe("<b>bold</b>");
	});

	it("is copied with the nodes", () => {
		const [graph, id] = noted();
		const [pasted, fresh] = paste(graph, cut(graph, ["n2", id]), { x: 40, y: 40 });
		const copy = noteById(pasted, fresh.get(id) ?? "");
		expect(copy).toMatchObject({ text: "Why two steps?", position: { x: 60, y: 80 } });
		expect(pasted.notes).toHaveLength(2);
	});

	it("has an id that no node has, and the other way round", () => {
		const [graph, id] = noted();
		const swapped = { ...graph, notes: [{ id: "n4", text: "", position: HERE }] };
		const [, node] = addNode(swapped, { kind: "predict", name: "one" }, HERE);
		expect(node).not.toBe("n4");
		const nodes = graph.nodes.map((one) => (one.id === "n2" ? { ...one, id } : one));
		const read = readSpec(toSpec({ ...graph, nodes, edges: [] })).graph;
		expect(read?.notes[0]?.id).not.toBe(id);
	});

	it("reads back as it was saved", () => {
		const [graph] = noted();
		expect(readSpec(toSpec(graph)).graph).toEqual(graph);
	});

	it("is as long as the server takes, and there are as many", () => {
		const [graph, id] = noted("a".repeat(LONGEST_NOTE + 1));
		expect(noteById(graph, id)?.text).toHaveLength(LONGEST_NOTE);
		const long = { ...graph, notes: [{ id, text: "b".repeat(LONGEST_NOTE + 9), position: HERE }] };
		const { graph: read, repairs } = readSpec(toSpec(long));
		expect(read?.notes[0]?.text).toHaveLength(LONGEST_NOTE);
		expect(repairs).toHaveLength(1);
		const notes = Array.from({ length: MOST_NOTES }, (_, at) => ({
			id: `t${at}`,
			text: "",
			position: HERE,
		}));
		const full = { ...graph, notes };
		expect(addNote(full, HERE)).toEqual([full, ""]);
	});

	it("is named by its first line", () => {
		const title = (text: string) => noteTitle({ id: "t1", text, position: HERE });
		expect(title("  One\ntwo")).toBe("One");
		expect(title("")).toBe("empty note");
		expect(title("x".repeat(80))).toHaveLength(40);
	});
});
