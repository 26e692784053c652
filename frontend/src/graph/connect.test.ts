import { describe, expect, it } from "vitest";
import rules from "../../../tests/fixtures/type_rules.json";
import { end, field, graphOf, oneStep, step, wires } from "./builders";
import { check } from "./check";
import { connect, convertBetween, convertersFor, refusal } from "./connect";
import { isStep } from "./spec";
import { accepts, parseType } from "./types";

const WIRE = { source: "n1", source_field: "value", target: "n2", target_field: "value" };
/** Every type that the rules name, and every pair of them. */
const TYPES = [
	...new Set([
		...(rules.accepts as string[][]).flatMap(([from = "", to = ""]) => [from, to]),
		...(rules.converters as unknown as string[][]).flatMap(([from = "", to = ""]) => [from, to]),
		...(rules.types as string[][]).map(([, canonical = ""]) => canonical),
	]),
];

function pair(from: string, to: string) {
	return graphOf([
		end("n1", "input", [field("value", from)]),
		end("n2", "output", [field("value", to)]),
	]);
}

describe("every pair of types", () => {
	it.each(TYPES)("%s is refused with a reason, or wired without a problem", (from) => {
		for (const to of TYPES) {
			const graph = pair(from, to);
			const reason = accepts(parseType(from), parseType(to));
			const said = refusal(graph, WIRE);
			expect(said === "", `${from} → ${to}`).toBe(reason === "");
			if (reason) expect(said).toBe(`input.value → output.value: ${reason}.`);
			else expect(check(connect(graph, WIRE)), `${from} → ${to}`).toEqual([]);
		}
	});

	it.each(TYPES)("%s is converted to whatever a conversion leads to", (from) => {
		for (const to of TYPES) {
			const graph = pair(from, to);
			const found = convertersFor(graph, WIRE);
			if (!refusal(graph, WIRE)) expect(found).toEqual([]);
			for (const converter of found) {
				const [changed, id] = convertBetween(graph, WIRE, converter);
				expect(check(changed), `${from} → ${to} by ${converter.name}`).toEqual([]);
				const node = changed.nodes.find((one) => one.id === id);
				expect(node && isStep(node) && node.params).toEqual({ rule: converter.name });
			}
		}
	});
});

it("puts the conversion into the place of the wire that was there", () => {
	const graph = graphOf(
		[
			end("n1", "input", [field("lines", "list[str]"), field("text")]),
			step("n2", "classify", ["message"], [field("category", "str", "output")]),
		],
		["n1.text > n2.message"],
	);
	const wire = { source: "n1", source_field: "lines", target: "n2", target_field: "message" };
	const [join] = convertersFor(graph, wire);
	expect(join?.name).toBe("join_lines");
	if (!join) return;
	const [changed] = convertBetween(graph, wire, join);
	expect(wires(changed)).toEqual(["n1.lines > n3.lines", "n3.message > n2.message"]);
	expect(changed.nodes.at(-1)?.name).toBe("join_lines");
});

it("offers no conversion where the wire would run in a circle", () => {
	const graph = graphOf(
		[
			step("n1", "one", ["text"], [field("lines", "list[str]", "output")]),
			step("n2", "two", ["lines"], [field("text", "str", "output")]),
		],
		["n2.text > n1.text"],
	);
	const wire = { source: "n1", source_field: "lines", target: "n2", target_field: "lines" };
	expect(refusal(graph, wire)).not.toBe("");
	expect(convertersFor(graph, wire)).toEqual([]);
});

it("changes nothing where an end of the wire is gone", () => {
	const graph = oneStep();
	const wire = { source: "n9", source_field: "a", target: "n2", target_field: "message" };
	expect(convertersFor(graph, wire)).toEqual([]);
	const [converter] = convertersFor(pair("list[str]", "str"), WIRE);
	if (converter) expect(convertBetween(graph, wire, converter)).toEqual([graph, ""]);
});
