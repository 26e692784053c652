// Signatures: `message -> category: enum[a, b]` and its fields, two views of one thing.
// Mirrors `studio/engine/signature.py`.

import type { Json, JsonObject } from "./canonical";
import { SignatureError, shorten, splitOutside, strip } from "./text";
import { formatType, NAME, parseType } from "./types";

export type Role = "input" | "output";

/** A field as the spec writes it; `type` stays text, because it may be one we cannot read. */
export interface Field {
	readonly name: string;
	readonly type: string;
	readonly description: string;
	/** Bounds such as `{"min": 1}`, as `studio/engine/fields/constraints.py` reads them. */
	readonly constraints?: JsonObject;
	/** Taken when the value is absent. */
	readonly default?: Json;
}

export interface SignatureField extends Field {
	readonly role: Role;
}

export interface Signature {
	readonly fields: readonly SignatureField[];
	readonly instruction: string;
}

const LONGEST = 20_000;

/** The fields that `text` names, or `SignatureError`. */
export function parseSignature(text: string): SignatureField[] {
	if ([...text].length > LONGEST) {
		throw new SignatureError("The signature is longer than 20,000 characters.");
	}
	const sides = splitOutside(text, "->");
	if (sides.length !== 2) {
		throw new SignatureError(
			`A signature has exactly one “->”: write message -> category. Got “${shorten(text)}”.`,
		);
	}
	const roles: Role[] = ["input", "output"];
	const fields = sides.flatMap((side, index) =>
		splitOutside(side, ",").map((part) => parseField(part, roles[index] ?? "output")),
	);
	checkFields(fields);
	return fields;
}

/** The string form; `parseSignature` reads it back (descriptions, constraints and
 * defaults are not part of it). */
export function formatSignature(fields: readonly SignatureField[]): string {
	const side = (role: Role) =>
		fields
			.filter((field) => field.role === role)
			.map((field) => (field.type === "str" ? field.name : `${field.name}: ${field.type}`))
			.join(", ");
	return `${side("input")} -> ${side("output")}`;
}

/** Raises `SignatureError` unless every name is good and unique and both sides have a field. */
export function checkFields(fields: readonly SignatureField[]): void {
	const seen = new Set<string>();
	for (const { name } of fields) {
		if (!NAME.test(name)) {
			throw new SignatureError(
				`“${shorten(name)}” is not a field name: small letters, digits and _, beginning with a letter.`,
			);
		}
		if (seen.has(name)) throw new SignatureError(`The field “${name}” stands twice.`);
		seen.add(name);
	}
	const has = (role: Role) => fields.some((field) => field.role === role);
	if (!has("input") || !has("output")) {
		throw new SignatureError(
			"A signature needs an input and an output: write message -> category.",
		);
	}
}

/** `order_id` as people read it: `Order id`. */
export function fieldLabel(name: string): string {
	const words = name.replaceAll("_", " ");
	return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The first free name of `message`, `message_2`, `message_3` … */
export function freeName(wanted: string, taken: Iterable<string>): string {
	const names = new Set(taken);
	const base = NAME.test(wanted) ? wanted : "field";
	if (!names.has(base)) return base;
	const stem = base.replace(/_\d+$/, "");
	for (let number = 2; ; number += 1) {
		const name = `${stem.slice(0, 64 - `_${number}`.length)}_${number}`;
		if (!names.has(name)) return name;
	}
}

function parseField(text: string, role: Role): SignatureField {
	const colon = text.indexOf(":");
	const name = strip(colon < 0 ? text : text.slice(0, colon));
	if (!name) throw new SignatureError("A field's name is missing: write message -> category.");
	const type = colon < 0 ? "str" : formatType(parseType(text.slice(colon + 1)));
	return { name, role, type, description: "" };
}
