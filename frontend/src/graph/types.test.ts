import { describe, expect, it, test } from "vitest";
import rules from "../../../tests/fixtures/type_rules.json";
import { keepDescriptions } from "./actions";
import { canonicalJson } from "./canonical";
import { CONVERTERS, converters } from "./converters";
import { formatSignature, parseSignature } from "./signature";
import { accepts, formatType, parseType, SignatureError, splitOutside } from "./types";

type Row = [string, string];

describe("the rules that the engine keeps too", () => {
	test.each(rules.types as Row[])("%j reads as %j", (text, canonical) => {
		expect(formatType(parseType(text))).toBe(canonical);
		expect(formatType(parseType(canonical))).toBe(canonical);
	});

	test.each(rules.refused_types as Row[])("%j is refused: %s", (text, message) => {
		expect(() => parseType(text)).toThrow(new SignatureError(message));
	});

	test.each(rules.accepts as [string, string, string][])("%s → %s: %j", (from, to, reason) => {
		expect(accepts(parseType(from), parseType(to))).toBe(reason);
	});

	test.each(rules.converters as [string, string, string[]][])(
		"%s → %s by %j",
		(from, to, names) => {
			const found = converters(parseType(from), parseType(to));
			expect(found.map(({ name }) => name)).toEqual(names);
		},
	);

	test.each(rules.signatures as [string, string, string[][]][])(
		"%j reads",
		(text, whole, fields) => {
			const read = parseSignature(text);
			expect(read.map(({ name, role, type }) => [name, role, type])).toEqual(fields);
			expect(formatSignature(read)).toBe(whole);
		},
	);

	test.each(rules.refused_signatures as Row[])("%j is refused: %s", (text, message) => {
		expect(() => parseSignature(text)).toThrow(new SignatureError(message));
	});
});

it("splits outside of brackets and quotes only", () => {
	expect(splitOutside(`a, enum[b, c], "d, e"`, ",")).toEqual(["a", " enum[b, c]", ` "d, e"`]);
});

it("takes a mark of two characters, and no bracket that was not opened", () => {
	expect(splitOutside(`a: enum["x -> y", z] -> b`, "->")).toEqual([`a: enum["x -> y", z] `, " b"]);
	expect(() => splitOutside("a], [b", ",")).toThrow("not closed");
	expect(splitOutside("don't, 'x, y', z", ",")).toEqual(["don't", " 'x, y'", " z"]);
});

it("writes JSON as the engine does", () => {
	const value = { "😀": 1, "\ue000": [1.5, -0, 1e-5, 2.5e-7, 1e15], a: "é\n\u0000", b: null };
	expect(canonicalJson(value)).toBe(
		'{"a":"é\\n\\u0000","b":null,"\ue000":[1.5,0,1e-05,2.5e-07,1000000000000000],"😀":1}',
	);
});

it("names every conversion once", () => {
	const names = CONVERTERS.map(({ name }) => name);
	expect(new Set(names).size).toBe(names.length);
});

it("keeps what the string form does not say", () => {
	const before = parseSignature("a -> b: int").map((field) =>
		field.name === "b" ? { ...field, constraints: { min: 1 }, default: 3, note: "x" } : field,
	);
	const after = keepDescriptions(before, parseSignature("a, c -> b: int"));
	expect(after[2]).toEqual({
		name: "b",
		role: "output",
		type: "int",
		description: "",
		constraints: { min: 1 },
		default: 3,
		note: "x",
	});
	const renamed = keepDescriptions(before, parseSignature("a -> size: int"));
	expect(renamed[1]).toMatchObject({ name: "size", constraints: { min: 1 }, default: 3 });
	const swapped = keepDescriptions(before, parseSignature("b -> c: int"));
	expect(swapped[1]).not.toHaveProperty("constraints");
});

it("refuses types and schemas without end", () => {
	expect(() => parseType(`enum[${"a".repeat(50_000)}]`)).toThrow("40,000");
	expect(() => parseType(`object[{"title": "${"a".repeat(20_000)}"}]`)).toThrow("20,000");
	expect(() => parseType(`object[{"a": ${"[".repeat(5_000)}${"]".repeat(5_000)}}]`)).toThrow(
		"nested too deeply",
	);
});

it("refuses lists that are nested without end", () => {
	expect(() => parseType("list[".repeat(5000) + "]".repeat(5000))).toThrow(SignatureError);
});

it("refuses a signature of a megabyte", () => {
	expect(() => parseSignature("a".repeat(1_000_000))).toThrow("20,000");
});
