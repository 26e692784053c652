import { describe, expect, it } from "vitest";
import { moveNodes } from "./actions";
import { align, distribute, guidesFor, type Side } from "./align";
import { field, graphOf, step } from "./builders";
import { sizeOf, tidy } from "./layout";

const PLACES = { n1: { x: 0, y: 0 }, n2: { x: 100, y: 200 }, n3: { x: 500, y: 700 } };
const SIZES = new Map([
	["n1", { width: 240, height: 100 }],
	["n2", { width: 240, height: 200 }],
	["n3", { width: 200, height: 100 }],
]);
const ALL = ["n1", "n2", "n3"];

function three(links: string[] = []) {
	const out = [field("out", "str", "output")];
	const nodes = ALL.map((id) => step(id, id, ["text"], out));
	return moveNodes(graphOf(nodes, links), new Map(Object.entries(PLACES)));
}

describe("aligned", () => {
	it.each([
		["left", "x", [0, 0, 0]],
		["centre", "x", [230, 230, 250]],
		["right", "x", [460, 460, 500]],
		["top", "y", [0, 0, 0]],
		["middle", "y", [350, 300, 350]],
		["bottom", "y", [700, 600, 700]],
	] as [Side, "x" | "y", number[]][])("%s", (side, along, expected) => {
		const { nodes } = align(three(), ALL, side, SIZES);
		expect(nodes.map(({ position }) => position[along])).toEqual(expected);
	});

	it("leaves one node alone", () => {
		const graph = three();
		expect(align(graph, ["n1"], "left", SIZES)).toBe(graph);
		expect(distribute(graph, ["n1", "n2"], "y", SIZES)).toBe(graph);
	});

	it("spreads nodes evenly between the outermost", () => {
		const { nodes } = distribute(three(), ALL, "y", SIZES);
		expect(nodes.map(({ position }) => position.y)).toEqual([0, 300, 700]);
	});
});

it("draws a dragged node to the line of another, and shows the line", () => {
	const other = { x: 300, y: 40, width: 240, height: 100 };
	const near = guidesFor({ x: 0, y: 47, width: 240, height: 80 }, [other], 8);
	expect(near).toEqual({ position: { x: 0, y: 50 }, x: null, y: 90 });
	const far = guidesFor({ x: 0, y: 400, width: 240, height: 80 }, [other], 8);
	expect(far).toEqual({ position: { x: 0, y: 400 }, x: null, y: null });
});

describe("tidied up", () => {
	const links = ["n1.out > n2.text", "n2.out > n3.text"];

	it("lies in columns, and nothing covers anything", () => {
		const { nodes } = tidy(three(links), SIZES);
		expect(nodes.map(({ position }) => position.x)).toEqual([0, 300, 600]);
	});

	it("moves the chosen nodes only, and leaves them where they are", () => {
		const before = three(links);
		const { nodes } = tidy(before, SIZES, ["n1", "n2"]);
		expect(nodes[2]).toBe(before.nodes[2]);
		expect(nodes[0]?.position.x).toBe(0);
		expect(nodes[1]?.position.x).toBe(300);
	});

	it("copes with a circle, and with two thousand nodes", () => {
		const circle = three([...links, "n3.out > n1.text"]);
		expect(tidy(circle).nodes).toHaveLength(3);
		const out = [field("out", "str", "output")];
		const many = Array.from({ length: 2_000 }, (_, i) => step(`n${i}`, `s${i}`, ["text"], out));
		const chain = many.slice(7).map((_, i) => `n${i}.out > n${i + 7}.text`);
		const { nodes } = tidy(graphOf(many, chain));
		const boxes = nodes.map((node) => ({ ...node.position, ...sizeOf(node) }));
		const column = boxes.filter(({ x }) => x === 0).sort((a, b) => a.y - b.y);
		for (const [index, box] of column.slice(1).entries()) {
			expect(box.y).toBeGreaterThanOrEqual((column[index]?.y ?? 0) + box.height);
		}
	}, 60_000);
});
