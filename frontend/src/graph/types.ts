// Field types: read, written and compared exactly as `studio/engine/fields/` does it.
// Both sides are checked against `tests/fixtures/type_rules.json`.

import { canonicalJson, type Json } from "./canonical";
import { checkSchema, jsonSchema, objectSchema, readSchema } from "./schemas";
import { SignatureError, shorten, splitOutside, strip } from "./text";

export { SignatureError, splitOutside, strip } from "./text";

export type Scalar = "str" | "int" | "float" | "bool";
export type Plain = "date" | "image" | "document" | "history" | "tool";
export type FieldType =
	| { readonly kind: Scalar | Plain }
	| { readonly kind: "enum"; readonly labels: readonly string[] }
	| { readonly kind: "list" | "dict" | "optional"; readonly item: FieldType }
	| { readonly kind: "object"; readonly schema: string }
	| { readonly kind: "code"; readonly language: string };

export const SCALARS: readonly Scalar[] = ["str", "int", "float", "bool"];
export const PLAIN: readonly Plain[] = ["date", "image", "document", "history", "tool"];
const STR: FieldType = { kind: "str" };
export const NAME = /^[a-z][a-z0-9_]{0,63}$/;

const KNOWN =
	"str, int, float, bool, date, enum[a, b], list[str], dict[str, int], optional[str], object, " +
	"image, document, history, tool, code[python]";
const PROPERTY = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const LANGUAGE = /^[a-z][a-z0-9+#._-]{0,30}$/;
const BARE_LABEL = /^[\p{L}\p{N}_](?:[\p{L}\p{N}_ .&/+-]*[\p{L}\p{N}_.&/+-])?$/u;
const MOST_NESTED = 20;
const LONGEST_TYPE = 40_000;

/** The type that `text` names, or `SignatureError` with the part that is wrong. */
export function parseType(text: string): FieldType {
	if ([...text].length > LONGEST_TYPE) {
		throw new SignatureError("The type is longer than 40,000 characters.");
	}
	return parse(text, 0);
}

function parse(text: string, depth: number): FieldType {
	const type = strip(text);
	const plain = [...SCALARS, ...PLAIN].find((kind) => kind === type);
	if (plain) return { kind: plain };
	if (type === "object") return { kind: "object", schema: "" };
	if (type === "code") return { kind: "code", language: "" };
	if (depth > MOST_NESTED) throw new SignatureError("Types are nested too deeply.");
	const bar = type.lastIndexOf("|");
	if (bar >= 0 && strip(type.slice(bar + 1)) === "None") {
		return optional(parse(type.slice(0, bar), depth + 1));
	}
	const bracket = type.indexOf("[");
	if (bracket >= 0 && type.endsWith("]")) {
		const inner = type.slice(bracket + 1, -1);
		switch (strip(type.slice(0, bracket))) {
			case "list":
				return { kind: "list", item: parse(inner || "str", depth + 1) };
			case "enum":
			case "Literal":
				return { kind: "enum", labels: parseLabels(inner) };
			case "optional":
			case "Optional":
				return optional(parse(inner || "str", depth + 1));
			case "dict":
				return { kind: "dict", item: parseDict(inner, depth) };
			case "object":
				return { kind: "object", schema: parseObject(strip(inner), depth) };
			case "code":
				return { kind: "code", language: parseLanguage(strip(inner)) };
		}
	}
	if (type === "list" || type === "dict") return { kind: type, item: STR };
	throw new SignatureError(`“${shorten(type)}” is not a type. Known types are ${KNOWN}.`);
}

/** The text that `parseType` reads back. */
export function formatType(type: FieldType): string {
	switch (type.kind) {
		case "enum":
			return `enum[${type.labels.map(labelText).join(", ")}]`;
		case "list":
		case "optional":
			return `${type.kind}[${formatType(type.item)}]`;
		case "dict":
			return `dict[str, ${formatType(type.item)}]`;
		case "object":
			return type.schema ? `object[${type.schema}]` : "object";
		case "code":
			return type.language ? `code[${type.language}]` : "code";
		default:
			return type.kind;
	}
}

export const TEXTS: readonly string[] = ["str", "int", "float", "bool", "enum", "date", "code"];
export const OBJECTS: readonly string[] = ["object", "dict", "document", "tool"];

/** Why a wire from `source` to `target` is refused; empty when it is legal. */
export function accepts(source: FieldType, target: FieldType): string {
	if (formatType(source) === formatType(target)) return "";
	if (target.kind === "optional") {
		return accepts(source.kind === "optional" ? source.item : source, target.item);
	}
	if (source.kind === "optional") {
		return `${shown(source)} may be absent and ${shown(target)} may not: make the target optional, or convert the value`;
	}
	if (target.kind === "enum" && source.kind === "enum") {
		const extra = source.labels.find((label) => !target.labels.includes(label));
		return extra === undefined ? "" : `the target does not know the label “${extra}”`;
	}
	if (target.kind === "list" && source.kind === "list") return accepts(source.item, target.item);
	if (target.kind === "dict" && source.kind === "dict") return accepts(source.item, target.item);
	const legal =
		(target.kind === "str" && TEXTS.includes(source.kind)) ||
		(target.kind === "float" && source.kind === "int") ||
		(target.kind === "object" && !target.schema && OBJECTS.includes(source.kind)) ||
		(target.kind === "code" && !target.language && source.kind === "code");
	return legal ? "" : `${shown(source)} does not fit into ${shown(target)}`;
}

function shown(type: FieldType): string {
	return shorten(formatType(type));
}

/** What may be absent once is not absent twice. */
function optional(item: FieldType): FieldType {
	return item.kind === "optional" ? item : { kind: "optional", item };
}

function parseDict(text: string, depth: number): FieldType {
	const [key = "", value, ...more] = splitOutside(text, ",");
	if (strip(key) !== "str" || value === undefined || more.length) {
		throw new SignatureError(
			`A dict has texts as keys: write dict[str, int], not dict[${shorten(text)}].`,
		);
	}
	return parse(value, depth + 1);
}

/** The schema in JSON, or one property after the other: `name: str, tags: list[str]`. */
function parseObject(text: string, depth: number): string {
	if (!text) return "";
	if (text.startsWith("{")) return readSchema(text);
	const properties = new Map<string, Json>();
	const required: string[] = [];
	for (const part of splitOutside(text, ",")) {
		const colon = part.indexOf(":");
		const name = strip(colon < 0 ? part : part.slice(0, colon));
		if (!PROPERTY.test(name)) {
			throw new SignatureError(
				`“${shorten(name)}” is not a property’s name: write object[name: str, tags: list[str]].`,
			);
		}
		if (properties.has(name)) {
			throw new SignatureError(`The property “${name}” stands twice in an object.`);
		}
		const type = colon < 0 ? STR : parse(part.slice(colon + 1), depth + 1);
		properties.set(name, jsonSchema(type, `#/properties/${name}`));
		if (type.kind !== "optional") required.push(name);
	}
	const schema = objectSchema(Object.fromEntries(properties), required.sort());
	checkSchema(schema);
	return canonicalJson(schema);
}

function parseLanguage(text: string): string {
	const language = text.toLowerCase();
	if (language && !LANGUAGE.test(language)) {
		throw new SignatureError(`“${shorten(text)}” is not a language: write code[python].`);
	}
	return language;
}

function labelText(label: string): string {
	return BARE_LABEL.test(label) ? label : JSON.stringify(label);
}

function parseLabels(text: string): string[] {
	const labels: string[] = [];
	for (const raw of splitOutside(text, ",")) {
		const label = readLabel(strip(raw));
		if (!strip(label)) {
			throw new SignatureError("An enum has an empty label: write enum[billing, shipping].");
		}
		if (labels.includes(label)) {
			throw new SignatureError(`The label “${shorten(label)}” stands twice in an enum.`);
		}
		labels.push(label);
	}
	if (labels.length < 2) {
		throw new SignatureError("An enum needs two labels or more: write enum[billing, shipping].");
	}
	return labels;
}

function readLabel(text: string): string {
	if (text.startsWith("'") && text.indexOf("'", 1) === text.length - 1) return text.slice(1, -1);
	if (!text.startsWith("'") && !text.startsWith('"')) return text;
	try {
		return JSON.parse(text) as string;
	} catch {
		throw new SignatureError(`The label ${shorten(text)} has no closing quote.`);
	}
}
