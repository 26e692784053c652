import { describe, expect, it } from "vitest";
import { rename } from "../graph";
import { oneStep, wires } from "../graph/builders";
import { createEditor } from "./editor";

describe("the editor", () => {
	it("adds one input only, and says why not a second", () => {
		const editor = createEditor(oneStep());
		expect(editor.getState().add({ kind: "input", name: "input" }, { x: 0, y: 0 })).toBe("");
		expect(editor.getState().said).toMatchObject({ tone: "refusal" });
		expect(editor.getState().selection.nodes).toEqual(["n1"]);
	});

	it("refuses a wrong wire with the reason and draws nothing", () => {
		const editor = createEditor(oneStep());
		const wire = { source: "n1", source_field: "message", target: "n3", target_field: "category" };
		expect(editor.getState().wire(wire)).toBe(false);
		expect(editor.getState().said.text).toContain("str does not fit into enum");
		expect(wires(editor.getState().history.present)).toEqual(wires(oneStep()));
	});

	it("removes what is selected, and brings it back", () => {
		const { getState } = createEditor(oneStep());
		getState().select(["n2"]);
		getState().removeSelected();
		expect(getState().history.present.edges).toEqual([]);
		expect(getState().problems.length).toBeGreaterThan(0);
		getState().undo();
		expect(getState().problems).toEqual([]);
		getState().redo();
		expect(getState().history.present.nodes).toHaveLength(2);
	});

	it("keeps the future when somebody only selects", () => {
		const { getState } = createEditor(oneStep());
		getState().change((graph) => rename(graph, "n2", "other"));
		getState().undo();
		getState().selectAll();
		expect(getState().history.future).toHaveLength(1);
	});

	it("copies and duplicates with new names", () => {
		const { getState } = createEditor(oneStep());
		getState().select(["n1", "n2"]);
		getState().copy();
		getState().paste();
		expect(getState().history.present.nodes.map(({ name }) => name)).toContain("classify_2");
		getState().duplicate();
		expect(getState().history.present.nodes.map(({ name }) => name)).toContain("classify_3");
	});

	it("keeps what only the server sees until that node changes", () => {
		const { getState } = createEditor(oneStep());
		const found = { code: "bad-params", message: "No.", node: "n2", field: "", edge: "" };
		getState().judge(getState().history.present, [found]);
		expect(getState().problems).toEqual([found]);
		getState().change((graph) => rename(graph, "n1", "start"));
		expect(getState().problems).toEqual([found]);
		getState().change((graph) => rename(graph, "n2", "other"));
		expect(getState().problems).toEqual([]);
	});

	it("tells no problem twice that the page sees itself", () => {
		const { getState } = createEditor(oneStep());
		getState().select(["n2"]);
		getState().removeSelected();
		const seen = getState().problems;
		const said = seen.map((problem) => ({ ...problem, message: "As the server says it." }));
		getState().judge(getState().history.present, said);
		expect(getState().problems).toEqual(seen);
	});

	it("changes nothing for somebody who may only look", () => {
		const { getState } = createEditor(oneStep(), true);
		getState().select(["n2"]);
		getState().removeSelected();
		getState().duplicate();
		getState().add({ kind: "predict", name: "x" }, { x: 0, y: 0 });
		expect(getState().history.present).toEqual(oneStep());
	});
});
