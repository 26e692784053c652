import { expect, test } from "vitest";
import { type Names, offersAt, readNames, readTroubles } from "./names";

const NAMES: Names = { example: ["message", 'the "big" one'], prediction: ["category"] };
const labels = (before: string, after = "", isAsked = false) =>
	offersAt(before, after, NAMES, isAsked)?.options.map(({ label }) => label);

test("a subscript of an argument offers its fields", () => {
	expect(labels("    return example[")).toEqual(["message", 'the "big" one']);
	expect(labels('    x = prediction["ca')).toEqual(["category"]);
	expect(labels("    x = prediction.get('")).toEqual(["category"]);
});

test("a field is put in with quotes, and not with a second one", () => {
	const applied = (before: string, after = "") => {
		const found = offersAt(before, after, NAMES, false);
		return found && before.slice(0, found.from) + found.options[0]?.apply + after;
	};
	expect(applied("example[", "]")).toBe('example["message"]');
	expect(applied('example["', '"]')).toBe('example["message"]');
	expect(applied('example["me')).toBe('example["message"');
	expect(applied("example['me", "']")).toBe("example['message']");
});

test("quotes inside of a name are escaped", () => {
	const found = offersAt("example[", "", NAMES, false);
	expect(found?.options[1]?.apply).toBe('"the \\"big\\" one"');
});

test("a word offers arguments, helpers and Python's own", () => {
	expect(labels("    return to")).toContain("token_f1");
	expect(labels("    return to")).toContain("example");
	expect(labels("    ")).toBeUndefined();
	expect(labels("    ", "", true)).toContain("normalise");
});

test("an import offers only what the sandbox has", () => {
	expect(labels("import r")).toContain("re");
	expect(labels("import r")).not.toContain("os");
	expect(labels("from ")).toContain("math");
});

test.each(["# exa", 'return "exa', "x = 'it\\'s exa", "text.exa"])("nothing in %s", (before) => {
	expect(labels(before)).toBeUndefined();
});

test("a text that has ended is none", () => {
	expect(labels('x = "a" + exa')).toContain("example");
});

test("what the server says is read, and nothing else", () => {
	expect(readNames('{"example": ["a", 1], "prediction": 2}')).toEqual({
		example: ["a"],
		prediction: [],
	});
	expect(readNames("[")).toEqual({ example: [], prediction: [] });
	expect(readNames(undefined)).toEqual({ example: [], prediction: [] });
	expect(readTroubles('[{"line": 3, "message": "no"}, {"line": "3"}, null]')).toEqual([
		{ line: 3, message: "no" },
	]);
	expect(readTroubles("{}")).toEqual([]);
});
