import { describe, expect, it } from "vitest";
import { addNode, remove, rename, setInstruction, setParams, setSignature } from "./actions";
import { aspectsOf, sameGraph, stable } from "./aspects";
import { oneStep, wires } from "./builders";
import { chanceOf, drawing, edits } from "./chance";
import type { Choices, Side } from "./conflicts";
import { connect } from "./connect";
import { diff, type Entry, told } from "./diff";
import { changeAt } from "./levels";
import { merge } from "./merge";
import { type Graph, isStep, nodeById } from "./spec";

const ROUNDS = 400;

function forAll(check: (base: Graph, mine: Graph, theirs: Graph) => void): void {
	for (let seed = 1; seed <= ROUNDS; seed += 1) {
		const chance = chanceOf(seed);
		const base = drawing(chance);
		const [mine, theirs] = [edits(base, chance, 8), edits(base, chance, 8)];
		try {
			check(base, mine, theirs);
		} catch (error) {
			throw new Error(`Seed ${seed}: ${String(error)}`, { cause: error });
		}
	}
}

/** By what it says: the ids of wires are nobody's work. */
function meaning(graph: Graph): string {
	const nodes = graph.nodes.map((node) =>
		isStep(node)
			? {
					...node,
					parts: Object.fromEntries(
						Object.entries(node.parts).map(([name, part]) => [name, meaning(part)]),
					),
				}
			: node,
	);
	return stable({ nodes, wires: wires(graph).sort(), notes: graph.notes });
}

function all(side: Side, base: Graph, mine: Graph, theirs: Graph): Graph {
	const { conflicts } = merge(base, mine, theirs);
	const choices: Choices = Object.fromEntries(conflicts.map(({ key }) => [key, side]));
	return merge(base, mine, theirs, choices).graph;
}

/** The result has what the entry tells of: places aside, which nobody is asked about. */
function expectDone({ how, id, after, aspects }: Entry, result: Graph): void {
	const node = nodeById(result, id);
	if (how === "removed") expect(node).toBeUndefined();
	if (how === "changed") {
		expect(node).toBeDefined();
		if (!node) return;
		const has = aspectsOf(node);
		for (const { key, after: wanted } of aspects) {
			if (/^(position|name|order|part:)/.test(key)) continue;
			expect(has.get(key), key).toEqual(wanted);
		}
	}
	if (how === "added") {
		const core = (one: unknown) =>
			stable({ ...(one as Graph), id: "", name: "", position: "", parts: "" });
		expect(result.nodes.map(core)).toContain(core(after));
	}
}

describe("merging", () => {
	it("takes the other side where one has done nothing", () => {
		forAll((base, mine, theirs) => {
			expect(meaning(merge(base, mine, base).graph)).toBe(meaning(mine));
			expect(meaning(merge(base, base, theirs).graph)).toBe(meaning(theirs));
			expect(meaning(merge(base, mine, mine).graph)).toBe(meaning(mine));
			expect(merge(base, mine, base).conflicts).toEqual([]);
			expect(merge(base, mine, mine).conflicts).toEqual([]);
		});
	});

	it("gives every node, wire and note an id of its own, and every input one wire", () => {
		forAll((base, mine, theirs) => {
			const { graph } = merge(base, mine, theirs);
			for (const items of [graph.nodes, graph.edges, graph.notes]) {
				expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
			}
			const inputs = graph.edges.map((edge) => `${edge.target}.${edge.target_field}`);
			expect(new Set(inputs).size).toBe(inputs.length);
			const ids = new Set(graph.nodes.map(({ id }) => id));
			expect(graph.edges.every(({ source, target }) => ids.has(source) && ids.has(target))).toBe(
				true,
			);
		});
	});

	it("loses no change of either side: what is not disputed is in the result", () => {
		forAll((base, mine, theirs) => {
			for (const side of ["mine", "theirs"] as const) {
				const result = all(side, base, mine, theirs);
				const chosen = side === "mine" ? mine : theirs;
				for (const entry of told(diff(base, chosen))) {
					if (entry.what === "node" && entry.path.length === 0) expectDone(entry, result);
				}
			}
		});
	});

	it("changes nothing when it is done again with its own result", () => {
		forAll((base, mine, theirs) => {
			const { graph, conflicts } = merge(base, mine, theirs);
			if (conflicts.length > 0) return;
			expect(sameGraph(merge(base, graph, theirs).graph, graph)).toBe(true);
			expect(sameGraph(merge(theirs, graph, theirs).graph, graph)).toBe(true);
		});
	});

	it("decides all conflicts when all are chosen", () => {
		forAll((base, mine, theirs) => {
			const { conflicts } = merge(base, mine, theirs);
			expect(new Set(conflicts.map(({ key }) => key)).size).toBe(conflicts.length);
			const choices = Object.fromEntries(conflicts.map(({ key }) => [key, "mine" as const]));
			expect(merge(base, mine, theirs, choices).conflicts.map(({ key }) => key)).toEqual(
				conflicts.map(({ key }) => key),
			);
		});
	});
});

describe("two people at one step", () => {
	const base = oneStep();
	const fieldsOf = (graph: Graph) => {
		const node = nodeById(graph, "n2");
		return node && isStep(node) ? node.signature.fields : [];
	};

	it("have both their changes where they touched different things", () => {
		const mine = setInstruction(base, "n2", "Sort it.");
		const theirs = setParams(rename(base, "n2", "sort"), "n2", { n: 3 });
		const { graph, conflicts } = merge(base, mine, theirs);
		expect(conflicts).toEqual([]);
		expect(nodeById(graph, "n2")).toMatchObject({
			name: "sort",
			params: { n: 3 },
			signature: { instruction: "Sort it." },
		});
	});

	it("are asked where they changed the same thing differently", () => {
		const mine = setInstruction(base, "n2", "Mine.");
		const theirs = setInstruction(base, "n2", "Theirs.");
		const { graph, conflicts } = merge(base, mine, theirs);
		expect(conflicts).toMatchObject([
			{ title: "classify: the instruction", base: "empty", mine: "Mine.", theirs: "Theirs." },
		]);
		expect(nodeById(graph, "n2")).toMatchObject({ signature: { instruction: "Theirs." } });
		const [found] = conflicts;
		const chosen = merge(base, mine, theirs, { [found?.key ?? ""]: "mine" });
		expect(nodeById(chosen.graph, "n2")).toMatchObject({ signature: { instruction: "Mine." } });
	});

	it("are asked again when one of them has gone on since they chose", () => {
		const theirs = setInstruction(base, "n2", "Theirs.");
		const [one] = merge(base, setInstruction(base, "n2", "Mine."), theirs).conflicts;
		const [other] = merge(base, setInstruction(base, "n2", "Mine, too."), theirs).conflicts;
		expect(one?.key).not.toBe(other?.key);
	});

	it("are asked when one removed what the other worked on", () => {
		const mine = remove(base, ["n2"], []);
		const theirs = setInstruction(base, "n2", "Keep me.");
		const { graph, conflicts } = merge(base, mine, theirs);
		expect(conflicts).toMatchObject([{ title: "classify: the step", mine: "removed" }]);
		expect(wires(graph)).toEqual(wires(base));
		const key = conflicts[0]?.key ?? "";
		expect(merge(base, mine, theirs, { [key]: "mine" }).graph.nodes).toHaveLength(2);
	});

	it("are not asked when it was only moved", () => {
		const mine = remove(base, ["n2"], []);
		const theirs: Graph = {
			...base,
			nodes: base.nodes.map((node) => ({ ...node, position: { x: 7, y: 7 } })),
		};
		expect(merge(base, mine, theirs)).toMatchObject({ conflicts: [] });
	});

	it("may both add fields, each where it stood", () => {
		const field = (name: string) => ({
			name,
			type: "str",
			description: "",
			role: "input" as const,
		});
		const [first, ...rest] = fieldsOf(base);
		if (!first) throw new Error("no field");
		const mine = setSignature(base, "n2", [first, field("mine"), ...rest]);
		const theirs = setSignature(base, "n2", [field("theirs"), first, ...rest]);
		const { graph, conflicts } = merge(base, mine, theirs);
		expect(conflicts).toEqual([]);
		expect(fieldsOf(graph).map(({ name }) => name)).toEqual([
			"theirs",
			"message",
			"mine",
			"category",
		]);
	});
});

describe("two people who add", () => {
	const base = oneStep();
	const add = (name: string): Graph =>
		addNode(base, { kind: "predict", name }, { x: 0, y: 300 })[0];

	it("have both their steps under ids, names and places of their own; wires follow", () => {
		const wired = (graph: Graph) =>
			connect(graph, {
				source: "n1",
				source_field: "message",
				target: "n4",
				target_field: "text",
			});
		const mine = setInstruction(wired(add("extra")), "n4", "Mine.");
		const theirs = wired(add("extra"));
		const { graph, conflicts } = merge(base, mine, theirs);
		expect(conflicts).toEqual([]);
		expect(graph.nodes.map(({ id, name }) => [id, name])).toEqual(
			[
				["n1", "input"],
				["n2", "classify"],
				["n3", "output"],
				["n4", "extra"],
				["n5", "extra_2"],
			].sort() as unknown[],
		);
		expect(wires(graph)).toEqual(
			expect.arrayContaining(["n1.message > n4.text", "n1.message > n5.text"]),
		);
		const [one, other] = [nodeById(graph, "n4"), nodeById(graph, "n5")];
		expect(one?.position).not.toEqual(other?.position);
		expect(other).toMatchObject({ signature: { instruction: "Mine." } });
	});

	it("are asked which wire an input takes", () => {
		const wide = add("extra");
		const wire = (source: string, source_field: string) =>
			connect(wide, { source, source_field, target: "n3", target_field: "category" });
		const { conflicts } = merge(wide, wire("n1", "message"), wire("n4", "answer"));
		expect(conflicts).toMatchObject([
			{
				title: "output: the wire into category",
				base: "from classify.category",
				mine: "from input.message",
				theirs: "from extra.answer",
			},
		]);
	});

	it("meet inside of one step, too", () => {
		const holder = nodeById(base, "n2");
		if (!holder || !isStep(holder)) throw new Error("no step");
		const nested: Graph = {
			...base,
			nodes: base.nodes.map((node) =>
				node === holder ? { ...holder, parts: { body: oneStep() } } : node,
			),
		};
		const into = [{ node: "n2", part: "body" }];
		const write = (text: string) =>
			changeAt(nested, into, (level) => setInstruction(level, "n2", text));
		const { conflicts } = merge(nested, write("Mine."), write("Theirs."));
		expect(conflicts).toMatchObject([
			{ path: into, title: "classify › body › classify: the instruction" },
		]);
		const mine = changeAt(nested, into, (level) => rename(level, "n2", "inner"));
		expect(merge(nested, mine, write("Theirs.")).conflicts).toEqual([]);
	});
});
