import { describe, expect, it } from "vitest";
import {
	check,
	type Graph,
	graphAt,
	group,
	isStep,
	newcomers,
	nodeById,
	portsOf,
	type StepNode,
	tidy,
	ungroup,
} from ".";
import { end, field, graphOf, oneStep, step } from "./builders";

/** input → draft → critique → improve → output; the critique reads the question too. */
function chain(): Graph {
	return graphOf(
		[
			end("n1", "input", [field("question")]),
			step("n2", "draft", ["question"], [field("answer", "str", "output")]),
			step("n3", "critique", ["question", "answer"], [field("flaws", "list[str]", "output")]),
			{
				...step("n4", "improve", ["answer"], [field("answer", "str", "output")]),
				signature: {
					fields: [
						field("draft", "str", "input"),
						field("flaws", "list[str]", "input"),
						field("better", "str", "output"),
					],
					instruction: "",
				},
			},
			end("n5", "output", [field("better")]),
		],
		[
			"n1.question > n2.question",
			"n1.question > n3.question",
			"n2.answer > n3.answer",
			"n2.answer > n4.draft",
			"n3.flaws > n4.flaws",
			"n4.better > n5.better",
		],
	);
}

function grouped(graph: Graph, ids: string[], name?: string) {
	const found = group(graph, ids, name);
	if (!found.graph) throw new Error(found.refused);
	return { graph: found.graph, node: nodeById(found.graph, found.id) as StepNode };
}

describe("grouping", () => {
	it("makes one step of several, whose fields are the values that cross its border", () => {
		const { graph, node } = grouped(chain(), ["n3", "n4"], "revise");
		expect(node).toMatchObject({ kind: "subpipeline", name: "revise" });
		expect(portsOf(node).map(({ role, name, text }) => `${role} ${name}: ${text}`)).toEqual([
			"input question: str",
			"input answer: str",
			"output better: str",
		]);
		expect(graph.nodes.map(({ name }) => name)).toEqual(["input", "draft", "output", "revise"]);
		expect(check(graph)).toEqual([]);
		const inside = graphAt(graph, [{ node: node.id, part: "body" }]);
		expect(inside?.nodes.map(({ name }) => name)).toEqual([
			"input",
			"critique",
			"improve",
			"output",
		]);
	});

	it("leaves the ends outside", () => {
		const all = chain().nodes.map(({ id }) => id);
		const { graph, node } = grouped(chain(), all);
		expect(graph.nodes.map(({ name }) => name)).toEqual(["input", "output", "group"]);
		expect(Object.values(node.parts)[0]?.nodes).toHaveLength(5);
	});

	it("carries a value once that several steps inside read", () => {
		const { node } = grouped(chain(), ["n2", "n3", "n4"]);
		expect(portsOf(node).filter(({ role }) => role === "input")).toHaveLength(1);
	});

	it("names values of one name apart", () => {
		const graph = graphOf(
			[
				end("n1", "input", [field("one"), field("two")]),
				step("n2", "first", ["text"], [field("answer", "str", "output")]),
				step("n3", "second", ["text"], [field("answer", "str", "output")]),
				end("n4", "output", [field("one"), field("two")]),
			],
			["n1.one > n2.text", "n1.two > n3.text", "n2.answer > n4.one", "n3.answer > n4.two"],
		);
		const { graph: after, node } = grouped(graph, ["n2", "n3"]);
		expect(portsOf(node).map(({ name }) => name)).toEqual([
			"text",
			"text_2",
			"answer",
			"answer_2",
		]);
		expect(check(after)).toEqual([]);
	});

	it("takes notes along, and gives them back", () => {
		const noted = { ...chain(), notes: [{ id: "t1", text: "Here", position: { x: 0, y: 0 } }] };
		const { graph, node } = grouped(noted, ["n3", "n4", "t1"]);
		expect(graph.notes).toEqual([]);
		expect(node.parts.body?.notes).toHaveLength(1);
		expect(ungroup(graph, node.id).graph?.notes.map(({ text }) => text)).toEqual(["Here"]);
	});

	it.each([
		[["n2", "n4"], "That would run in a circle: these steps need what “critique” answers"],
		[["n1", "n5"], "Select the steps that should become one"],
		[[], "Select the steps that should become one"],
	])("refuses %j", (ids, sentence) => {
		const { graph, refused } = group(chain(), ids);
		expect(graph).toBeNull();
		expect(refused).toContain(sentence);
	});

	it("refuses steps that nothing leads into or that nobody uses", () => {
		const loose = graphOf([step("n1", "one", ["a"], [field("b", "str", "output")])]);
		expect(group(loose, ["n1"]).refused).toContain("No wire leads into");
		const unused = { ...oneStep(), edges: oneStep().edges.slice(0, 1) };
		expect(group(unused, ["n2"]).refused).toContain("Nothing uses these steps");
	});
});

describe("taking apart", () => {
	it("gives its LM to the steps that have none", () => {
		const { graph, node } = grouped(chain(), ["n3", "n4"]);
		const nodes = graph.nodes.map((one) => (one.id === node.id ? { ...one, lm: "small" } : one));
		const after = ungroup({ ...graph, nodes } as Graph, node.id).graph;
		const lms = after?.nodes.filter(isStep).map(({ name, lm }) => `${name} ${lm}`);
		expect(lms).toEqual(["draft ", "critique small", "improve small"]);
	});

	it("names the steps apart from those outside", () => {
		const { graph, node } = grouped(chain(), ["n3", "n4"]);
		const nodes = graph.nodes.map((one) => (one.id === "n2" ? { ...one, name: "critique" } : one));
		const after = ungroup({ ...graph, nodes }, node.id).graph;
		expect(after?.nodes.map(({ name }) => name)).toContain("critique_2");
		expect(newcomers(graph, after as Graph)).toHaveLength(2);
	});

	it("wires on what the pipeline inside hands through", () => {
		const { graph, node } = grouped(oneStep(), ["n2"]);
		const body = node.parts.body as Graph;
		const [input, output] = [body.nodes[0]?.id ?? "", body.nodes.at(-1)?.id ?? ""];
		const through = {
			...body,
			edges: [
				{
					id: "e1",
					source: input,
					source_field: "message",
					target: output,
					target_field: "category",
				},
			],
		};
		const changed = { ...node, parts: { body: through } };
		const nodes = graph.nodes.map((one) => (one.id === node.id ? changed : one));
		const after = ungroup({ ...graph, nodes }, node.id).graph as Graph;
		expect(wiresByName(after)).toEqual(["input.message > output.category"]);
	});

	it("refuses what is no subpipeline", () => {
		expect(ungroup(chain(), "n2").refused).toContain("Only a subpipeline");
		expect(ungroup(chain(), "gone").refused).toContain("Only a subpipeline");
	});
});

describe("grouping and taking apart", () => {
	it("is nothing at all, for a hundred drawings", () => {
		let done = 0;
		for (let seed = 1; seed <= 100; seed += 1) {
			const random = dice(seed);
			const graph = randomGraph(random);
			const ids = graph.nodes.filter(() => random() < 0.4).map(({ id }) => id);
			const found = group(graph, ids);
			if (!found.graph) continue;
			done += 1;
			const before = new Set(check(graph).map(({ code }) => code));
			// Of steps that nobody uses is told only where nothing else is wrong.
			const after = check(found.graph).map(({ code }) => code);
			const added = after.filter((code) => !before.has(code));
			expect(added.filter((code) => before.size === 0 || code !== "unreachable")).toEqual([]);
			const back = ungroup(found.graph, found.id).graph as Graph;
			expect(essence(back)).toEqual(essence(graph));
			expect(new Set(back.edges.map(({ id }) => id)).size).toBe(back.edges.length);
			expect(
				check(back)
					.map(({ message }) => message)
					.sort(),
			).toEqual(
				check(graph)
					.map(({ message }) => message)
					.sort(),
			);
			expect(tidy(found.graph).nodes).toHaveLength(found.graph.nodes.length);
		}
		expect(done).toBeGreaterThan(30);
	});
});

function wiresByName(graph: Graph): string[] {
	const name = (id: string) => nodeById(graph, id)?.name;
	return graph.edges
		.map((e) => `${name(e.source)}.${e.source_field} > ${name(e.target)}.${e.target_field}`)
		.sort();
}

/** What of a graph is not its ids, places and order. */
function essence(graph: Graph) {
	const nodes = graph.nodes.map(({ id: _, position: __, ...node }) => JSON.stringify(node)).sort();
	return { nodes, wires: wiresByName(graph) };
}

/** The same numbers for the same seed. */
function dice(seed: number): () => number {
	let state = seed * 2654435761;
	return () => {
		state = (Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9) >>> 0;
		return state / 2 ** 32;
	};
}

const TYPES = ["str", "int", "list[str]", "optional[int]", "enum[a, b]"];

/** A drawing without circles; some inputs get nothing, some steps nobody uses. */
function randomGraph(random: () => number): Graph {
	const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
	const count = 2 + Math.floor(random() * 8);
	const sources: { node: string; name: string; type: string }[] = [];
	const wires: string[] = [];
	const nodes = [];
	const given = TYPES.map((type, index) => field(`given_${index}`, type));
	nodes.push(end("n1", "input", given));
	sources.push(
		...given.map(({ name, type }) => ({ node: "n1", name: String(name), type: String(type) })),
	);
	for (let index = 2; index < count + 2; index += 1) {
		const id = `n${index}`;
		const inputs = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, at) => {
			const from = pick(sources);
			const name = `in_${at}`;
			if (random() < 0.9) wires.push(`${from.node}.${from.name} > ${id}.${name}`);
			return field(name, from.type, "input");
		});
		const outputs = Array.from({ length: 1 + Math.floor(random() * 2) }, (_, at) => {
			const type = pick(TYPES);
			sources.push({ node: id, name: `out_${at}`, type });
			return field(`out_${at}`, type, "output");
		});
		const json = step(id, `step_${index}`, [], []);
		nodes.push({ ...json, signature: { fields: [...inputs, ...outputs], instruction: "Do." } });
	}
	const answers = Array.from({ length: 3 }, (_, at) => {
		const from = pick(sources);
		wires.push(`${from.node}.${from.name} > out.answer_${at}`);
		return field(`answer_${at}`, from.type);
	});
	nodes.push(end("out", "output", answers));
	return graphOf(nodes, wires);
}
