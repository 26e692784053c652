// The editor's colours: those of the page, so that both themes come by themselves.

import { HighlightStyle } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

export const look = EditorView.theme({
	"&": {
		border: "1px solid color-mix(in oklab, var(--color-base-content) 58%, var(--color-base-100))",
		borderRadius: "var(--radius-field)",
		backgroundColor: "var(--color-base-100)",
		color: "var(--color-base-content)",
		fontSize: "0.9rem",
	},
	"&.cm-focused": { outline: "2px solid var(--color-primary)", outlineOffset: "1px" },
	".cm-scroller": {
		fontFamily: "var(--font-mono)",
		lineHeight: "1.55",
		minHeight: "14rem",
		maxHeight: "32rem",
		overflow: "auto",
	},
	".cm-content": { caretColor: "var(--color-base-content)", padding: "0.5rem 0" },
	".cm-cursor": { borderLeftColor: "var(--color-base-content)", borderLeftWidth: "2px" },
	"&.cm-focused .cm-selectionBackground, .cm-selectionBackground": {
		background: "color-mix(in oklab, var(--color-primary) 26%, transparent) !important",
	},
	".cm-gutters": {
		backgroundColor: "var(--color-base-200)",
		color: "var(--quiet)",
		borderRight: "1px solid var(--line)",
	},
	".cm-activeLine": {
		backgroundColor: "color-mix(in oklab, var(--color-base-content) 5%, transparent)",
	},
	".cm-activeLineGutter": { backgroundColor: "var(--color-base-300)" },
	".cm-tooltip": {
		border: "1px solid var(--line)",
		borderRadius: "var(--radius-field)",
		backgroundColor: "var(--color-base-100)",
		color: "var(--color-base-content)",
		maxWidth: "32rem",
	},
	".cm-tooltip-autocomplete > ul > li": { padding: "2px 8px", lineHeight: "1.6" },
	".cm-tooltip-autocomplete > ul > li[aria-selected]": {
		backgroundColor: "var(--color-primary)",
		color: "var(--color-primary-content)",
	},
	".cm-completionDetail": { fontStyle: "normal", opacity: "0.8" },
	".cm-completionInfo": { padding: "4px 8px" },
	".cm-diagnostic": { padding: "4px 8px" },
	".cm-diagnostic-error": { borderLeft: "4px solid var(--color-error)" },
	".cm-lintRange-error": {
		backgroundImage: "none",
		textDecoration: "underline wavy var(--color-error)",
		textUnderlineOffset: "3px",
	},
	".cm-lint-marker-error": { content: "none" },
	".cm-matchingBracket": {
		backgroundColor: "color-mix(in oklab, var(--color-success) 30%, transparent) !important",
	},
});

/** Each colour keeps 4.5:1 on the editor's ground in both themes. */
export const highlight = HighlightStyle.define([
	{ tag: tags.keyword, color: "var(--color-primary)", fontWeight: "600" },
	{ tag: [tags.string, tags.special(tags.string)], color: "var(--color-success)" },
	{ tag: [tags.number, tags.bool, tags.null], color: "var(--color-info)" },
	{ tag: tags.comment, color: "var(--quiet)", fontStyle: "italic" },
	{ tag: tags.function(tags.definition(tags.variableName)), fontWeight: "600" },
	{ tag: tags.invalid, color: "var(--color-error)" },
]);
