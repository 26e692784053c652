// Canonical JSON, the same text as `studio/engine/codec.py` writes: keys sorted by code point, no
// spaces, no escapes but those that JSON needs, numbers as Python writes them.

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
	readonly [key: string]: Json;
}

export function canonicalJson(value: Json): string {
	if (typeof value === "number") return canonicalNumber(value);
	if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
	if (isObject(value)) {
		const pairs = Object.keys(value)
			.sort(byCodePoint)
			.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`);
		return `{${pairs.join(",")}}`;
	}
	return JSON.stringify(value);
}

export function isObject(value: unknown): value is JsonObject {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Python's order of texts; JavaScript's own compares halves of characters. */
export function byCodePoint(a: string, b: string): number {
	const [left, right] = [[...a], [...b]];
	for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
		const difference = (left[index]?.codePointAt(0) ?? 0) - (right[index]?.codePointAt(0) ?? 0);
		if (difference) return difference;
	}
	return left.length - right.length;
}

/** `1e-05` where JavaScript says `0.00001`; whole numbers have no point on either side. */
function canonicalNumber(value: number): string {
	if (value === 0 || Math.abs(value) >= 1e-4) return String(value === 0 ? 0 : value);
	return value.toExponential().replace(/e-(\d)$/, "e-0$1");
}
