// The code beside the drawing: written when the drawing changes, read when people change the code.

import { createStore } from "zustand/vanilla";
import { ApiError } from "../api/client";
import { type CodeProblem, codeProblems, type ReadBack, type Written } from "../api/code";
import { type Graph, readSpec, type Spec, toSpec } from "../graph";
import { canonicalJson, type Json } from "../graph/canonical";
import type { Editor } from "./editor";

export type Tongue = "python" | "dspy";

export interface CodeState {
	tongue: Tongue;
	/** What stands in the box for Python: the drawing's code, or what somebody makes of it. */
	text: string;
	dspy: string;
	/** Why there is no code, each for itself. */
	pythonProblem: string;
	dspyProblem: string;
	/**
	 * `fresh`: the text is the drawing's. `edited`: it is to be read after a pause. `reading`: it is
	 * being read. `broken`: it does not read, and the drawing stays. `clash`: the drawing has changed
	 * elsewhere while the text was not read yet.
	 */
	phase: "fresh" | "edited" | "reading" | "broken" | "clash";
	/** The server is asked for the drawing's code. */
	isWriting: boolean;
	problems: readonly CodeProblem[];
	/** Why the last question had no answer. */
	message: string;

	/** Follow the drawing from now on. */
	open(): void;
	close(): void;
	choose(tongue: Tongue): void;
	edit(text: string): void;
	/** Put the drawing's own code in the place of the text. */
	takeDrawing(): void;
	/** Read the text over the drawing as it is now. */
	takeText(): Promise<void>;
	/** Nobody types any more: lay the text out as the drawing's code is. */
	settle(): void;
}

export interface CodeOptions {
	editor: Editor;
	write(spec: Spec): Promise<Written>;
	read(text: string, spec: Spec): Promise<ReadBack>;
}

export type Code = ReturnType<typeof createCode>;

export const WRITE_MS = 400;
export const READ_MS = 600;

export function createCode({ editor, write, read }: CodeOptions) {
	let isOpen = false;
	/** The drawing to which the text belongs. */
	let known: Graph | null = null;
	/** The drawing's code as it was written last, and of which drawing. */
	let written: { graph: Graph; python: string } | null = null;
	let writeTimer: ReturnType<typeof setTimeout> | undefined;
	let readTimer: ReturnType<typeof setTimeout> | undefined;
	/** Answers to older questions are dropped. */
	let asked = 0;
	let readings = 0;

	const present = () => editor.getState().history.present;

	return createStore<CodeState>()((set, get) => {
		const isMine = () => get().phase !== "fresh";
		const writeLater = (delay: number) => {
			clearTimeout(writeTimer);
			writeTimer = setTimeout(() => void writeNow(), delay);
		};
		const writeNow = async () => {
			const graph = present();
			asked += 1;
			const ticket = asked;
			set({ isWriting: true });
			try {
				const answer = await write(toSpec(graph));
				if (ticket !== asked) return;
				written = { graph, python: answer.python };
				set({
					isWriting: false,
					message: "",
					dspy: answer.dspy,
					dspyProblem: answer.dspy_problem,
					pythonProblem: answer.python_problem,
				});
				// What was just typed stays as it was typed, until nobody is in the box.
				if (!isMine() && graph !== known) {
					known = graph;
					set({ text: answer.python });
				}
			} catch (error) {
				if (!(error instanceof ApiError)) throw error;
				if (ticket === asked) set({ isWriting: false, message: error.message });
			}
		};
		const readLater = () => {
			clearTimeout(readTimer);
			readTimer = setTimeout(() => void readNow(), READ_MS);
		};
		const readNow = async () => {
			clearTimeout(readTimer);
			const base = present();
			readings += 1;
			const ticket = readings;
			set({ phase: "reading" });
			try {
				const answer = await read(get().text, toSpec(base));
				if (ticket !== readings) return;
				land(base, answer);
			} catch (error) {
				if (!(error instanceof ApiError)) throw error;
				if (ticket !== readings) return;
				const problems = codeProblems(error.body);
				set({ phase: "broken", problems, message: problems.length > 0 ? "" : error.message });
			}
		};
		const land = (base: Graph, answer: ReadBack) => {
			if (present() !== base) {
				set({ phase: "clash" });
				return;
			}
			const { graph, refused } = readSpec(answer.spec);
			if (!graph) {
				set({ phase: "broken", problems: [{ line: 0, message: refused }] });
				return;
			}
			const isSame = wordsOf(graph) === wordsOf(base);
			const next = isSame ? base : graph;
			known = next;
			set({ phase: "fresh", problems: [], message: "" });
			if (isSame) return;
			editor.getState().replace(next);
			editor.getState().judge(next, answer.problems);
			if (isOpen) writeLater(0);
		};
		/** The drawing has changed, and not by the text. */
		const follow = () => {
			if (isMine()) {
				clearTimeout(readTimer);
				readings += 1;
				set({ phase: "clash" });
			}
			if (isOpen) writeLater(WRITE_MS);
		};
		editor.subscribe((state, before) => {
			const now = state.history.present;
			if (now !== before.history.present && now !== known) follow();
		});
		return {
			tongue: "python",
			text: "",
			dspy: "",
			pythonProblem: "",
			dspyProblem: "",
			phase: "fresh",
			isWriting: false,
			problems: [],
			message: "",

			open: () => {
				isOpen = true;
				if (written?.graph !== present()) writeLater(0);
			},
			close: () => {
				isOpen = false;
				clearTimeout(writeTimer);
				get().settle();
			},
			choose: (tongue) => set({ tongue }),
			edit: (text) => {
				if (editor.getState().readOnly || !known || text === get().text) return;
				readings += 1;
				// The drawing may have changed so lately that the text does not show it yet.
				if (get().phase === "clash" || known !== present()) {
					set({ text, phase: "clash" });
					return;
				}
				set({ text, phase: "edited" });
				readLater();
			},
			takeDrawing: () => {
				clearTimeout(readTimer);
				readings += 1;
				known = null;
				set({ phase: "fresh", problems: [], message: "" });
				if (written?.graph === present()) get().settle();
				else writeLater(0);
			},
			takeText: async () => {
				known = present();
				await readNow();
			},
			settle: () => {
				if (isMine() || written?.graph !== present()) return;
				known = written.graph;
				if (!get().pythonProblem) set({ text: written.python });
			},
		};
	});
}

/** A drawing as one text, however the keys of its JSON are ordered. */
function wordsOf(graph: Graph): string {
	return canonicalJson(toSpec(graph) as unknown as Json);
}
