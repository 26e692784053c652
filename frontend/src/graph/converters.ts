// What makes a wire legal that is not: the table of `studio/engine/fields/converters.py`, for the
// canvas to offer. The engine alone converts.

import { accepts, type FieldType, OBJECTS, TEXTS } from "./types";

export interface Converter {
	/** The value of the parameter `rule` of a node of the kind `convert`. */
	readonly name: string;
	readonly title: string;
	fits(source: FieldType, target: FieldType): boolean;
}

type Fits = Converter["fits"];

const JSON_KINDS = ["list", "dict", "object", "document", "history", "tool"];

const bare = (type: FieldType) => (type.kind === "optional" ? type.item : type);
const itemOf = (type: FieldType) => ("item" in type ? type.item : null);
const legal = (source: FieldType | null, target: FieldType | null) =>
	source !== null && target !== null && accepts(source, target) === "";
const oneToOne =
	(source: string, ...targets: string[]): Fits =>
	(s, t) =>
		s.kind === source && targets.includes(t.kind);
const bothHold = (s: FieldType, t: FieldType) =>
	s.kind === t.kind && (s.kind === "list" || s.kind === "dict");
const holdsTexts = (type: FieldType) => type.kind === "list" && TEXTS.includes(type.item.kind);

const row = (name: string, title: string, fits: Fits): Converter => ({ name, title, fits });

/** In the order in which they are offered. */
export const CONVERTERS: readonly Converter[] = [
	row("require", "Must be there", (s, t) => s.kind === "optional" && legal(s.item, t)),
	row("drop_absent", "Drop the absent", (s, t) => {
		const item = itemOf(s);
		return bothHold(s, t) && item?.kind === "optional" && legal(item.item, itemOf(t));
	}),
	row("read_number", "Read a number", oneToOne("str", "int", "float")),
	row("read_date", "Read a date", oneToOne("str", "date")),
	row("read_yes_no", "Read yes or no", oneToOne("str", "bool")),
	row(
		"read_label",
		"Read a label",
		(s, t) => t.kind === "enum" && (s.kind === "str" || s.kind === "enum"),
	),
	row("round", "Round", oneToOne("float", "int")),
	row("join_lines", "Join lines", (s, t) => holdsTexts(s) && t.kind === "str"),
	row("split_lines", "Split lines", (s, t) => s.kind === "str" && holdsTexts(t)),
	row("read_items", "Read each item", (s, t) => {
		const item = itemOf(t);
		return (
			bothHold(s, t) && itemOf(s)?.kind === "str" && item !== null && TEXTS.includes(item.kind)
		);
	}),
	row("wrap", "Wrap in a list", (s, t) => t.kind === "list" && legal(s, t.item)),
	row("first_item", "First item", (s, t) => s.kind === "list" && legal(s.item, t)),
	row(
		"dict_values",
		"The values",
		(s, t) => s.kind === "dict" && t.kind === "list" && legal(s.item, t.item),
	),
	row(
		"text_to_code",
		"Take as code",
		(s, t) => t.kind === "code" && (s.kind === "str" || s.kind === "code"),
	),
	row("text_to_document", "Text to document", oneToOne("str", "document")),
	row("document_to_text", "Document to text", oneToOne("document", "str")),
	row("text_to_turn", "Text to conversation", oneToOne("str", "history")),
	row("history_to_text", "Conversation to text", oneToOne("history", "str")),
	row("read_image", "Read an address", oneToOne("str", "image")),
	row("image_address", "Address of the image", oneToOne("image", "str")),
	row(
		"check_object",
		"Check the object",
		(s, t) => OBJECTS.includes(s.kind) && OBJECTS.includes(t.kind),
	),
	row(
		"read_json",
		"Read JSON",
		(s, t) => (s.kind === "str" || s.kind === "code") && JSON_KINDS.includes(t.kind),
	),
	row("to_json", "Write JSON", (s, t) => JSON_KINDS.includes(bare(s).kind) && t.kind === "str"),
];

/** The conversions that would make a wire legal, the likeliest first; none when it is. */
export function converters(source: FieldType, target: FieldType): Converter[] {
	if (!accepts(source, target)) return [];
	return CONVERTERS.filter(
		(converter) => converter.fits(source, bare(target)) || converter.fits(source, target),
	);
}
