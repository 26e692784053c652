import { describe, expect, it } from "vitest";
import { actionFor, CLIPBOARD_KEYS, KEYS, keyOf } from "./keys";

const NONE = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, code: "" };

describe("what was pressed is written as the table writes it", () => {
	it.each([
		["z", { ctrlKey: true }, "Ctrl+Z"],
		["z", { metaKey: true }, "Ctrl+Z"],
		["Z", { ctrlKey: true, shiftKey: true }, "Ctrl+Shift+Z"],
		["f", {}, "F"],
		["F", { shiftKey: true }, "Shift+F"],
		["?", { shiftKey: true }, "?"],
		["/", { shiftKey: true }, "/"],
		["=", {}, "+"],
		["+", { shiftKey: true }, "+"],
		["å", { altKey: true, code: "KeyA" }, "Alt+A"],
		["я", { ctrlKey: true, code: "KeyZ" }, "Ctrl+Z"],
		["Ω", { shiftKey: true, ctrlKey: true, code: "KeyZ" }, "Ctrl+Shift+Z"],
		["ArrowDown", { shiftKey: true }, "Shift+ArrowDown"],
		["Delete", {}, "Delete"],
	])("%s with %j is %s", (key, held, written) => {
		expect(keyOf({ ...NONE, ...held, key })).toBe(written);
		expect(actionFor(written)).toBeDefined();
	});
});

it("has every key once, and words for each", () => {
	const all = [...KEYS, ...CLIPBOARD_KEYS].flatMap(({ keys }) => keys);
	expect(new Set(all).size).toBe(all.length);
	for (const { words } of KEYS) expect(words).toMatch(/^[A-Z]/);
});
