// The outline of the same place: a level as its address writes it, and the step that is opened.
// Mirrors `studio/engine/graph/edits/levels.py` and `studio/pipelines/outline.py`.

import type { Path } from "./levels";

const PLAIN = /^[A-Za-z0-9_-]{1,80}$/;

/** What follows the outline's address. */
export function outlineOf(path: Path, node = ""): string {
	const at = path.flatMap((into) => [into.node, into.part]).map(word);
	const query = new URLSearchParams();
	if (at.length > 0) query.set("at", at.join("."));
	if (node) query.set("open", node);
	const text = query.toString();
	return `${text ? `?${text}` : ""}${PLAIN.test(node) ? `#node-${node}` : ""}`;
}

/** The node at the end of a canvas' address such as `#/n2/body/n5`, behind the way to its level. */
export function nodeIn(address: string): string[] {
	const words = address.startsWith("#/") ? address.slice(2).split("/") : [];
	const last = words.length % 2 === 1 ? words.at(-1) : "";
	try {
		return last ? [decodeURIComponent(last)] : [];
	} catch {
		return []; // Somebody has typed a stray % into it.
	}
}

function word(text: string): string {
	return text.replaceAll("%", "%25").replaceAll(".", "%2E");
}
