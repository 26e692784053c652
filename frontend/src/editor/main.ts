// Puts a code editor in the place of each textarea that asks for one. The textarea stays in the
// form and always holds the same text, so that everything else of the page knows nothing of this.

import {
	autocompletion,
	type CompletionContext,
	type CompletionResult,
	closeBrackets,
	closeBracketsKeymap,
	completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { pythonLanguage } from "@codemirror/lang-python";
import {
	bracketMatching,
	indentOnInput,
	indentUnit,
	LanguageSupport,
	syntaxHighlighting,
} from "@codemirror/language";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState, type Text } from "@codemirror/state";
import {
	drawSelection,
	EditorView,
	highlightActiveLine,
	highlightActiveLineGutter,
	highlightSpecialChars,
	keymap,
	lineNumbers,
} from "@codemirror/view";
import { highlight, look } from "./look";
import { type Names, NO_NAMES, offersAt, readNames, readTroubles, type Trouble } from "./names";

const RESULTS = "rows-result";
const editors = new Map<HTMLTextAreaElement, EditorView>();
let names: Names = NO_NAMES;

function complete(context: CompletionContext): CompletionResult | null {
	const line = context.state.doc.lineAt(context.pos);
	const at = context.pos - line.from;
	const found = offersAt(line.text.slice(0, at), line.text.slice(at), names, context.explicit);
	if (!found || found.options.length === 0) return null;
	return { from: line.from + found.from, options: found.options };
}

function open(box: HTMLTextAreaElement): void {
	if (editors.has(box)) return;
	const label = box.labels?.[0]?.textContent?.trim() || "Code";
	const hint = tellKeys(box);
	const described = [box.getAttribute("aria-describedby"), hint.id].filter(Boolean).join(" ");
	const view = new EditorView({
		state: EditorState.create({
			doc: box.value,
			extensions: [
				lineNumbers(),
				highlightSpecialChars(),
				history(),
				drawSelection(),
				highlightActiveLine(),
				highlightActiveLineGutter(),
				indentOnInput(),
				indentUnit.of("    "),
				bracketMatching(),
				closeBrackets(),
				lintGutter(),
				new LanguageSupport(pythonLanguage),
				syntaxHighlighting(highlight),
				autocompletion({ override: [complete] }),
				// Escape, then Tab leaves: the editor lets the next Tab go by itself.
				keymap.of([
					...closeBracketsKeymap,
					...completionKeymap,
					...historyKeymap,
					...defaultKeymap,
					indentWithTab,
				]),
				look,
				EditorView.contentAttributes.of({
					"aria-label": label,
					"aria-describedby": described,
					tabindex: "0",
				}),
				EditorState.readOnly.of(box.readOnly || box.disabled),
				EditorView.updateListener.of((update) => {
					if (!update.docChanged) return;
					box.value = update.state.doc.toString();
					box.dispatchEvent(new Event("input", { bubbles: true }));
				}),
			],
		}),
	});
	box.before(view.dom);
	box.hidden = true;
	box.tabIndex = -1;
	for (const one of box.labels ?? []) one.addEventListener("click", () => view.focus());
	editors.set(box, view);
}

/** Tab indents: how one leaves has to be said. */
function tellKeys(box: HTMLTextAreaElement): HTMLElement {
	const hint = document.createElement("p");
	hint.id = `${box.id}_keys`;
	hint.className = "field-help";
	hint.textContent = "Tab indents. To leave the editor by keyboard: Escape, then Tab.";
	box.after(hint);
	return hint;
}

/** The server's troubles as marks; a line that is not there any more is the last one. */
function marks(doc: Text, troubles: Trouble[]): Diagnostic[] {
	return troubles.map(({ line: number, message }) => {
		const line = doc.line(Math.min(Math.max(1, number), doc.lines));
		const indent = line.text.length - line.text.trimStart().length;
		const from = Math.min(line.from + indent, line.to);
		return { from, to: line.to, severity: "error", message };
	});
}

function hear(): void {
	const results = document.getElementById(RESULTS);
	if (!results) return;
	names = readNames(results.dataset.names);
	const troubles = readTroubles(results.dataset.lines);
	for (const [box, view] of editors) {
		// Lines are those of a Python metric's own code, not of a composite's part.
		if (box.name === "code")
			view.dispatch(setDiagnostics(view.state, marks(view.state.doc, troubles)));
	}
}

function openAll(): void {
	for (const [box, view] of editors) {
		if (box.isConnected) continue;
		view.destroy();
		editors.delete(box);
	}
	for (const box of document.querySelectorAll<HTMLTextAreaElement>("textarea[data-editor=python]"))
		open(box);
}

function goToLine(event: MouseEvent): void {
	const target = event.target instanceof Element ? event.target : null;
	const link = target?.closest<HTMLElement>("[data-go-to-line]");
	const view = [...editors].find(([box]) => box.name === "code")?.[1];
	if (!link || !view) return;
	event.preventDefault();
	const { doc } = view.state;
	const number = Math.min(Math.max(1, Number(link.dataset.goToLine)), doc.lines);
	view.dispatch({ selection: { anchor: doc.line(number).from }, scrollIntoView: true });
	view.focus();
}

openAll();
document.addEventListener("htmx:afterSettle", () => {
	openAll();
	hear();
});
document.addEventListener("click", goToLine);
