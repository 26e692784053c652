import { describe, expect, it, test } from "vitest";
import { parseType } from "../graph";
import { duration, firstLine, lastLines, readInput, showValue, spent } from "./values";

describe("what people write into the form", () => {
	test.each([
		["str", "hello", "hello"],
		["int", " 12 ", 12],
		["float", "1.5", 1.5],
		["bool", "false", false],
		["enum[a, b]", "b", "b"],
		["list[str]", "one\n\ntwo", ["one", "two"]],
		["list[int]", "1\n2", [1, 2]],
		["list[list[int]]", "[[1], [2]]", [[1], [2]]],
		["list[object]", '[{"a": 1}]', [{ a: 1 }]],
		["date", " 2026-11-22 ", "2026-11-22"],
		["optional[int]", "", null],
		["optional[int]", "3", 3],
		["optional[enum[a, b]]", "b", "b"],
		["dict[str, int]", '{"a": 1}', { a: 1 }],
		["history", "[]", []],
		["document", "A text.", "A text."],
		["code[python]", "x = 1", "x = 1"],
	])("%s %j is %j", (type, text, value) => {
		expect(readInput(parseType(type), text)).toEqual({ value, problem: "" });
	});

	test.each([
		["str", ""],
		["int", "1.5"],
		["int", "9".repeat(40)],
		["float", ""],
		["float", "Infinity"],
		["bool", "maybe"],
		["enum[a, b]", "c"],
		["list[int]", "1\nx"],
		["list[list[int]]", "[[1]"],
		["date", "tomorrow"],
		["optional[int]", "x"],
		["object", "name: 1"],
		["history", ""],
	])("%s %j gets a sentence", (type, text) => {
		expect(readInput(parseType(type), text).problem).not.toBe("");
	});

	it("shows any value as text", () => {
		expect(showValue("<b>x</b>")).toBe("<b>x</b>");
		expect(showValue(["a", "b"])).toBe("• a\n• b");
		expect(showValue(undefined)).toBe("");
		expect(showValue({ a: 1 })).toContain('"a": 1');
	});
});

describe("what a run took", () => {
	test.each([
		[0.04, "<0.1 s"],
		[9.94, "9.9 s"],
		[9.96, "10 s"],
		[59.7, "1 min 0 s"],
		[125, "2 min 5 s"],
	])("%d seconds are %s", (seconds, text) => {
		expect(duration(seconds)).toBe(text);
	});

	it("is time and money, as far as there is any", () => {
		expect(spent({ seconds: 1.25, cost: 0.0012 })).toBe("1.3 s · $0.0012");
		expect(spent({ seconds: null, cost: 0 })).toBe("");
	});
});

describe("what is being written", () => {
	it("is shown by its last lines", () => {
		expect(lastLines("one\n\ntwo\nthree\n", 2)).toBe("two\nthree");
		expect(firstLine("\n one\ntwo")).toBe(" one");
	});
});
