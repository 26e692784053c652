// JSON Schemas of objects: read, checked and made as `studio/engine/fields/schema_rules.py` and
// `studio/engine/fields/schemas.py` do it.

import { byCodePoint, canonicalJson, isObject, type Json, type JsonObject } from "./canonical";
import { SignatureError, shorten } from "./text";
import type { FieldType } from "./types";

const LONGEST_SCHEMA = 20_000;
const DEEPEST_SCHEMA = 50;
const KINDS = ["array", "boolean", "integer", "null", "number", "object", "string"];
const REFUSED = new Set([
	"$anchor",
	"$dynamicAnchor",
	"$dynamicRef",
	"$id",
	"$recursiveAnchor",
	"$recursiveRef",
	"$vocabulary",
	"patternProperties",
]);

/** The canonical JSON of the schema in `text`; empty when it allows any object. */
export function readSchema(text: string): string {
	if ([...text].length > LONGEST_SCHEMA) {
		throw new SignatureError("A JSON Schema has at most 20,000 characters.");
	}
	let schema: unknown = null;
	try {
		schema = JSON.parse(text);
	} catch (error) {
		if (!(error instanceof SyntaxError)) throw error;
	}
	if (!isObject(schema)) {
		throw new SignatureError('An object has a JSON Schema: write object[{"properties": {…}}].');
	}
	checkSchema(schema);
	return Object.keys(schema).length ? canonicalJson(schema) : "";
}

/** Raises `SignatureError` unless `schema` is the schema of an object. */
export function checkSchema(schema: JsonObject): void {
	checkNumbers(schema, DEEPEST_SCHEMA);
	const text = canonicalJson(schema);
	if ([...text].length > LONGEST_SCHEMA) {
		throw new SignatureError("A JSON Schema has at most 20,000 characters.");
	}
	if (/\\ud[89a-f]/.test(text.replaceAll("\\\\", ""))) {
		throw new SignatureError("A JSON Schema is made of whole characters.");
	}
	if (Object.hasOwn(schema, "type") && schema.type !== "object") {
		throw new SignatureError("The JSON Schema of an object has the type object.");
	}
	const places = new Set<Json>();
	const refs: string[] = [];
	check(schema, places, refs);
	for (const ref of refs) {
		const target = resolve(schema, ref);
		if (typeof target !== "boolean" && (target === undefined || !places.has(target))) {
			throw new SignatureError(
				`A JSON Schema refers to its own parts only: “${shorten(ref)}” is none of them.`,
			);
		}
	}
}

/** The schema of the values of `type`, as it stands at the JSON Pointer `at`. */
export function jsonSchema(type: FieldType, at = "#"): JsonObject {
	switch (type.kind) {
		case "optional":
			return { anyOf: [jsonSchema(type.item, `${at}/anyOf/0`), { type: "null" }] };
		case "list":
			return { type: "array", items: jsonSchema(type.item, `${at}/items`) };
		case "dict": {
			const values = jsonSchema(type.item, `${at}/additionalProperties`);
			return { type: "object", additionalProperties: values };
		}
		case "object": {
			const schema = moved(type.schema ? (JSON.parse(type.schema) as JsonObject) : {}, at);
			return { type: "object", ...(schema as JsonObject) };
		}
		case "enum":
			return { type: "string", enum: type.labels };
		default:
			return PLAIN_SCHEMAS[type.kind];
	}
}

/** An object with these properties and no others. */
export function objectSchema(
	properties: JsonObject,
	required: readonly string[] = Object.keys(properties),
): JsonObject {
	return { type: "object", properties, required, additionalProperties: false };
}

const TEXT = { type: "string" };
const PLAIN_SCHEMAS: Record<
	Exclude<FieldType["kind"], "optional" | "list" | "dict" | "object" | "enum">,
	JsonObject
> = {
	str: TEXT,
	int: { type: "integer" },
	float: { type: "number" },
	bool: { type: "boolean" },
	date: { type: "string", format: "date" },
	code: TEXT,
	image: TEXT,
	history: {
		type: "array",
		items: objectSchema({ role: { type: "string", enum: ["user", "assistant"] }, content: TEXT }),
	},
	document: {
		anyOf: [
			objectSchema({ title: TEXT, text: TEXT }),
			objectSchema({
				title: TEXT,
				media_type: { type: "string", enum: ["application/pdf"] },
				data: { type: "string", description: "In base64." },
			}),
		],
	},
	tool: objectSchema({ name: TEXT, description: TEXT, parameters: { type: "object" } }),
};

/** `schema` with its references pointing below `at`. */
function moved(schema: Json, at: string): Json {
	if (Array.isArray(schema)) return schema.map((item) => moved(item, at));
	if (!isObject(schema)) return schema;
	return Object.fromEntries(
		Object.entries(schema).map(([key, value]) => [
			key,
			key === "$ref" && typeof value === "string" ? at + value.slice(1) : moved(value, at),
		]),
	);
}

function checkNumbers(value: Json, depth: number): void {
	if (typeof value === "number" && !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) {
		throw new SignatureError(`A JSON Schema has no numbers beyond ${Number.MAX_SAFE_INTEGER}.`);
	}
	if (typeof value !== "object" || value === null) return;
	if (depth <= 0) throw new SignatureError("The JSON Schema is nested too deeply.");
	for (const item of Object.values(value)) checkNumbers(item as Json, depth - 1);
}

function check(schema: Json, places: Set<Json>, refs: string[]): void {
	if (typeof schema === "boolean") return;
	if (!isObject(schema)) {
		throw new SignatureError("In a JSON Schema, every schema is an object, or true or false.");
	}
	places.add(schema);
	for (const keyword of Object.keys(schema).sort(byCodePoint)) {
		if (REFUSED.has(keyword)) {
			throw new SignatureError(`A JSON Schema cannot have “${keyword}” here.`);
		}
		const kind = KEYWORDS.get(keyword);
		if (!kind) continue;
		const value = schema[keyword] ?? null;
		const [holds, words] = SHAPES[kind];
		if (!holds(value)) throw new SignatureError(`In a JSON Schema, “${keyword}” is ${words}.`);
		if (kind === "schema") check(value, places, refs);
		if (kind === "schemas") for (const inner of value as Json[]) check(inner, places, refs);
		if (kind === "named" && isObject(value)) {
			for (const name of Object.keys(value).sort(byCodePoint)) {
				check(value[name] ?? null, places, refs);
			}
		}
		if (kind === "ref") refs.push(value as string);
	}
}

/** What a JSON Pointer names (RFC 6901). */
function resolve(root: Json, ref: string): Json | undefined {
	if (ref === "#") return root;
	if (!ref.startsWith("#/") || ref.includes("%")) return undefined;
	let found: Json | undefined = root;
	for (const part of ref.slice(2).split("/")) {
		const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
		if (Array.isArray(found) && /^[0-9]+$/.test(key)) found = found[Number(key)];
		else if (isObject(found) && Object.hasOwn(found, key)) found = found[key];
		else return undefined;
	}
	return found;
}

const isNumber = (value: Json) => typeof value === "number";
const isText = (value: Json) => typeof value === "string";
const areTexts = (value: Json) =>
	Array.isArray(value) &&
	value.every((item) => typeof item === "string") &&
	new Set(value).size === value.length;
const areKinds = (value: Json) => {
	const kinds = Array.isArray(value) ? value : [value];
	return kinds.length > 0 && areTexts(kinds) && kinds.every((kind) => KINDS.includes(kind));
};

type Shape = [(value: Json) => boolean, string];
const SHAPES = {
	kinds: [areKinds, `one of ${KINDS.join(", ")}, or a list of them`],
	schema: [() => true, "a schema"],
	schemas: [(value) => Array.isArray(value) && value.length > 0, "a list of schemas"],
	named: [isObject, "an object whose values are schemas"],
	texts: [areTexts, "a list of different texts"],
	dependent: [
		(value) => isObject(value) && Object.values(value).every(areTexts),
		"an object whose values are lists of texts",
	],
	values: [(value) => Array.isArray(value) && value.length > 0, "a list of values"],
	number: [isNumber, "a number"],
	step: [(value) => typeof value === "number" && value > 0, "a number above 0"],
	count: [
		(value) => typeof value === "number" && Number.isInteger(value) && value >= 0,
		"a whole number, 0 or more",
	],
	pattern: [isText, "a regular expression"],
	text: [isText, "a text"],
	ref: [isText, "a text"],
	switch: [(value) => typeof value === "boolean", "true or false"],
} satisfies Record<string, Shape>;

const named: readonly [keyof typeof SHAPES, string][] = [
	["kinds", "type"],
	["values", "enum"],
	["ref", "$ref"],
	["pattern", "pattern"],
	["step", "multipleOf"],
	["texts", "required"],
	["dependent", "dependentRequired"],
	["switch", "uniqueItems"],
	["named", "$defs definitions dependentSchemas properties"],
	["schemas", "allOf anyOf oneOf prefixItems"],
	["schema", "additionalProperties contains else if items not propertyNames"],
	["schema", "then unevaluatedItems unevaluatedProperties"],
	["number", "exclusiveMaximum exclusiveMinimum maximum minimum"],
	["count", "maxContains maxItems maxLength maxProperties"],
	["count", "minContains minItems minLength minProperties"],
	["text", "$comment $schema description format title"],
];
const KEYWORDS = new Map(
	named.flatMap(([shape, names]) => names.split(" ").map((name) => [name, shape] as const)),
);
