// What people write into the form of a try, as JSON values of the fields' types.

import type { FieldType } from "../graph";

/** The value of `text`, or a sentence why it is none. */
export function readInput(type: FieldType, text: string): { value: unknown; problem: string } {
	const good = (value: unknown) => ({ value, problem: "" });
	const bad = (problem: string) => ({ value: null, problem });
	switch (type.kind) {
		case "int":
			return /^\s*[+-]?\d{1,15}\s*$/.test(text)
				? good(Number(text))
				: bad("Write a whole number.");
		case "float": {
			const number = Number(text);
			return text.trim() && Number.isFinite(number) ? good(number) : bad("Write a number.");
		}
		case "bool":
			return text === "true" || text === "false"
				? good(text === "true")
				: bad("Choose yes or no.");
		case "enum":
			return type.labels.includes(text) ? good(text) : bad("Choose a label.");
		case "date":
			return /^\d{4}-\d{2}-\d{2}$/.test(text.trim())
				? good(text.trim())
				: bad("Write a day, such as 2026-11-22.");
		case "optional":
			return text.trim() ? readInput(type.item, text) : good(null);
		case "list":
			return readList(type.item, text);
		case "dict":
		case "object":
		case "history":
		case "tool":
			return readJson(text, JSON_HINTS[type.kind] ?? "");
		default:
			return text ? good(text) : bad("Write something.");
	}
}

/** Kinds of which a list is written one a line. */
const LINES = ["str", "int", "float", "bool", "enum", "date", "image"];
const JSON_HINTS: Readonly<Record<string, string>> = {
	dict: 'Write an object in JSON, such as {"name": 1}.',
	object: 'Write an object in JSON, such as {"name": 1}.',
	history: 'Write turns in JSON, such as [{"role": "user", "content": "Hello"}].',
	tool: 'Write JSON, such as {"name": "search", "description": "Looks things up."}.',
};

function readJson(text: string, problem: string): { value: unknown; problem: string } {
	try {
		return { value: JSON.parse(text) as unknown, problem: "" };
	} catch {
		return { value: null, problem };
	}
}

function readList(item: FieldType, text: string): { value: unknown; problem: string } {
	if (!LINES.includes(item.kind)) {
		return readJson(text, "Write a list in JSON, such as [[1, 2], [3]].");
	}
	const values: unknown[] = [];
	for (const line of text.split("\n").filter((part) => part.trim())) {
		const { value, problem } = readInput(item, item.kind === "str" ? line : line.trim());
		if (problem) return { value: null, problem: `“${line}”: ${problem}` };
		values.push(value);
	}
	return { value: values, problem: "" };
}

/** A value of a run as text; whatever it is, it is shown and never run. */
export function showValue(value: unknown): string {
	if (typeof value === "string") return value;
	if (Array.isArray(value) && value.every((item) => typeof item === "string")) {
		return value.map((item) => `• ${item}`).join("\n");
	}
	return JSON.stringify(value, null, 2) ?? "";
}

/** The text of which `readInput` reads the value again; of a value of another type, JSON. */
export function writeInput(type: FieldType, value: unknown): string {
	if (value === null || value === undefined) return "";
	if (type.kind === "optional") return writeInput(type.item, value);
	if (type.kind === "list" && Array.isArray(value) && LINES.includes(type.item.kind)) {
		return value.map((item) => writeInput(type.item, item)).join("\n");
	}
	return typeof value === "string" ? value : JSON.stringify(value);
}

/** `<0.1 s`, `0.4 s`, `12 s`, `2 min 5 s`. */
export function duration(seconds: number): string {
	if (seconds < 0.05) return "<0.1 s";
	if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
	const whole = Math.round(seconds);
	return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Time and money in one line; nothing for what took none. */
export function spent({
	seconds,
	cost,
}: {
	seconds?: number | null | undefined;
	cost?: number | undefined;
}): string {
	const time = seconds === null || seconds === undefined ? "" : duration(seconds);
	return [time, money(cost ?? 0)].filter(Boolean).join(" · ");
}

/** `$0.0012`; nothing for what was free. */
export function money(cost: number): string {
	if (cost === 0) return "";
	return `$${cost.toFixed(cost < 0.01 ? 4 : 2)}`;
}

/** The last lines of what is being written, without empty ones. */
export function lastLines(text: string, count: number): string {
	return text
		.split("\n")
		.filter((line) => line.trim())
		.slice(-count)
		.join("\n");
}

export function firstLine(text: string): string {
	return text.split("\n").find((line) => line.trim()) ?? "";
}
