// Cutting text where brackets and quotes allow it, as `studio/engine/fields/brackets.py` does.

/** What a signature or a type cannot be read as; the message is for people. */
export class SignatureError extends Error {}

const SPACES =
	"[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const SPACE = new RegExp(`^${SPACES}$`);
const LEADING = new RegExp(`^${SPACES}+`);
const TRAILING = new RegExp(`${SPACES}+$`);

/** Python's `str.strip()`, which knows a few more spaces than `trim` and one less. */
export function strip(text: string): string {
	return text.replace(LEADING, "").replace(TRAILING, "");
}

/** `text`, cut to `longest` characters with an ellipsis for a message. */
export function shorten(text: string, longest = 80): string {
	const chars = [...text];
	return chars.length <= longest ? text : `${chars.slice(0, longest - 1).join("")}…`;
}

/** Split at `mark` where it stands outside of square brackets and quotes. */
export function splitOutside(text: string, mark: string): string[] {
	const parts: string[] = [];
	let [depth, start, quote, before] = [0, 0, "", ""];
	let escaped = false;
	for (let index = 0; index < text.length && depth >= 0; index += 1) {
		const char = text.charAt(index);
		if (quote) {
			if (char === quote && !escaped) quote = "";
			escaped = char === "\\" && quote === '"' && !escaped;
		} else if (char === '"' || (char === "'" && ["", "[", ",", ":"].includes(before)))
			quote = char;
		else if (char === "[") depth += 1;
		else if (char === "]") depth -= 1;
		else if (depth === 0 && text.startsWith(mark, index)) {
			parts.push(text.slice(start, index));
			start = index + mark.length;
			index = start - 1;
			before = "";
			continue;
		}
		if (!SPACE.test(char)) before = char;
	}
	if (quote || depth) {
		throw new SignatureError(`A bracket or a quote is not closed in “${shorten(strip(text))}”.`);
	}
	return [...parts, text.slice(start)];
}
