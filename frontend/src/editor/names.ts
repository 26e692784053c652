// What the code of a metric may name, and what is offered where: pure, without the editor.

/** The fields that the two arguments have, as the server knows them. */
export type Names = { example: string[]; prediction: string[] };

export type Offer = {
	label: string;
	/** What kind of thing it is, for the sign before it. */
	type: "property" | "function" | "variable" | "keyword" | "namespace" | "class";
	/** Beside the label, short. */
	detail?: string;
	/** A sentence about it. */
	info?: string;
	/** What is put in; the label without it. */
	apply?: string;
};

export type Offers = {
	/** Where the offers begin to replace what is written. */
	from: number;
	options: Offer[];
};

export const NO_NAMES: Names = { example: [], prediction: [] };

export const HELPERS: Offer[] = [
	{
		label: "normalise",
		type: "function",
		detail: "(text)",
		info: "The words in small letters, without punctuation and articles.",
	},
	{
		label: "exact_match",
		type: "function",
		detail: "(expected, answered)",
		info: "Whether both are the same text once normalised; of a list, whether one of them is.",
	},
	{
		label: "token_f1",
		type: "function",
		detail: "(expected, answered)",
		info: "From 0 to 1: how many words they share.",
	},
];

const ARGUMENTS: Offer[] = [
	{ label: "example", type: "variable", detail: "dict", info: "The row: field name to value." },
	{
		label: "prediction",
		type: "variable",
		detail: "dict",
		info: "What the program answered: field name to value.",
	},
];

const WORDS = [
	"and as break continue def elif else except False finally for from if import in is lambda None not",
	"or pass raise return True try while",
]
	.join(" ")
	.split(" ");

const BUILTINS = [
	"abs all any bool dict enumerate float int isinstance len list map max min range reversed round set",
	"sorted str sum tuple zip",
]
	.join(" ")
	.split(" ");

export const MODULES = [
	"base64 bisect collections copy csv dataclasses datetime decimal functools hashlib itertools json",
	"math random re time typing unicodedata",
]
	.join(" ")
	.split(" ");

const SUBSCRIPT = /\b(example|prediction)\s*(?:\[|\.get\()\s*(["']?)([^"'\][()]*)$/;
const IMPORT = /^\s*(?:from|import)\s+(\w*)$/;
const WORD = /[A-Za-z_]\w*$/;

/** What fits after `before`, the text of the line up to the cursor; null where nothing does. */
export function offersAt(
	before: string,
	after: string,
	names: Names,
	isAsked: boolean,
): Offers | null {
	const inside = SUBSCRIPT.exec(before);
	if (inside) {
		const [, argument = "", quote = "", written = ""] = inside;
		// Quotes close themselves as one types: what stands there is not written twice.
		const open = quote ? "" : '"';
		const close = quote && after.startsWith(quote) ? "" : quote || '"';
		return {
			from: before.length - written.length,
			options: names[argument as keyof Names].map((name) => ({
				label: name,
				type: "property",
				detail: argument,
				apply: `${open}${escaped(name, quote || '"')}${close}`,
			})),
		};
	}
	const module = IMPORT.exec(before);
	if (module) {
		const written = module[1] ?? "";
		return {
			from: before.length - written.length,
			options: MODULES.map((label) => ({ label, type: "namespace" })),
		};
	}
	if (isQuiet(before)) return null;
	const word = WORD.exec(before)?.[0] ?? "";
	if (!word && !isAsked) return null;
	if (/\.\w*$/.test(before)) return null;
	return {
		from: before.length - word.length,
		options: [
			...ARGUMENTS,
			...HELPERS,
			...BUILTINS.map((label): Offer => ({ label, type: "function" })),
			...WORDS.map((label): Offer => ({ label, type: "keyword" })),
		],
	};
}

/** Whether the cursor is in a text or a comment of its line. */
function isQuiet(before: string): boolean {
	let open = "";
	for (let at = 0; at < before.length; at++) {
		const sign = before[at];
		if (open) {
			if (sign === "\\") at++;
			else if (sign === open) open = "";
		} else if (sign === "#") return true;
		else if (sign === '"' || sign === "'") open = sign;
	}
	return open !== "";
}

function escaped(name: string, mark: string): string {
	return name.replaceAll("\\", "\\\\").replaceAll(mark, `\\${mark}`);
}

export type Trouble = { line: number; message: string };

/** What the server wrote into an attribute, as it was meant; anything else is nothing. */
export function readNames(text: string | undefined): Names {
	const found = parse(text);
	if (typeof found !== "object" || found === null) return NO_NAMES;
	const { example, prediction } = found as Record<string, unknown>;
	return { example: texts(example), prediction: texts(prediction) };
}

export function readTroubles(text: string | undefined): Trouble[] {
	const found = parse(text);
	if (!Array.isArray(found)) return [];
	return found.filter(
		(one): one is Trouble =>
			typeof one === "object" &&
			one !== null &&
			typeof (one as Trouble).line === "number" &&
			typeof (one as Trouble).message === "string",
	);
}

function texts(value: unknown): string[] {
	return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

function parse(text: string | undefined): unknown {
	try {
		return JSON.parse(text ?? "");
	} catch {
		return null;
	}
}
