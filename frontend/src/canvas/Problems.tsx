// What is wrong, of all levels: a count in the toolbar, a list with the way to each, and F8.

import { type ReactNode, useEffect, useRef, useState } from "react";
import { addressOf, crumbsOf, type Graph, misfit, type Problem, placeOf } from "../graph";
import { Icon } from "../nodes/Icon";
import { useEditor, useStores } from "../store/hooks";
import { beginPart, dropPart, openLevel, takeOver } from "../store/levels";
import { useMending } from "./mending";

const MOST_SHOWN = 100;

/** `onOpen` brings the inspector in sight where there is little room. */
export function Problems({ onOpen }: { onOpen(): void }) {
	const problems = useEditor((state) => state.problems);
	const menu = useRef<HTMLDetailsElement>(null);
	const mend = useMending(onOpen);
	const go = (problem: Problem) => {
		if (menu.current) menu.current.open = false;
		mend(problem);
	};
	useWalk(problems, go);
	return (
		<>
			<Change count={problems.length} />
			{problems.length === 0 ? (
				<p className="no-problems">
					<Icon name="check" />
					<span>No problems</span>
				</p>
			) : (
				<details className="problems" data-menu ref={menu}>
					<summary className="btn btn-sm problems-button" title="F8 leads from one to the next">
						<Icon name="warning" />
						<span>
							{problems.length} problem{problems.length === 1 ? "" : "s"}
						</span>
					</summary>
					<List problems={problems} go={go} />
				</details>
			)}
		</>
	);
}

interface ListProps {
	problems: readonly Problem[];
	go(problem: Problem): void;
}

function List({ problems, go }: ListProps) {
	const root = useEditor((state) => state.history.present);
	return (
		<ul className="problems-list">
			{problems.slice(0, MOST_SHOWN).map((problem, index) => {
				const { where, message } = inWords(problem, root);
				return (
					// One node may have the same problem twice, at two wires.
					// biome-ignore lint/suspicious/noArrayIndexKey: see above
					<li key={`${index} ${problem.code} ${problem.node} ${problem.field}`}>
						<button type="button" className="problem" onClick={() => go(problem)}>
							{where && <span className="problem-where">{where}</span>}
							<span>{message}</span>
						</button>
						<Mend problem={problem} />
					</li>
				);
			})}
			{problems.length > MOST_SHOWN && (
				<li className="panel-note">and {problems.length - MOST_SHOWN} more</li>
			)}
		</ul>
	);
}

/** What mends a problem at one press, where something does. */
export function Mend({ problem }: { problem: Problem }) {
	const { editor } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	const fitting = misfit(problem);
	const way = placeOf(problem).way;
	const [last] = way.slice(-1);
	if (readOnly) return null;
	if (fitting) {
		return (
			<MendButton onMend={() => takeOver(editor, fitting.way, fitting.into)}>
				Take over the fields of the step
			</MendButton>
		);
	}
	if (!last) return null;
	const above = way.slice(0, -1);
	if (problem.code === "missing-part") {
		const begin = () => {
			openLevel(editor, above);
			beginPart(editor, last.node, last.part);
		};
		return <MendButton onMend={begin}>Begin the pipeline “{last.part}”</MendButton>;
	}
	if (problem.code !== "unknown-part") return null;
	const drop = () => {
		openLevel(editor, above);
		dropPart(editor, last.node, last.part);
	};
	return <MendButton onMend={drop}>Remove the pipeline “{last.part}”</MendButton>;
}

function MendButton({ onMend, children }: { onMend(): void; children: ReactNode }) {
	return (
		<button type="button" className="btn btn-xs problem-mend" onClick={onMend}>
			{children}
		</button>
	);
}

/** The level in crumbs, and the sentence without them. */
function inWords(problem: Problem, root: Graph): { where: string; message: string } {
	const crumbs = crumbsOf(root, placeOf(problem).way);
	let { message } = problem;
	for (const { name, part } of crumbs) {
		const begins = `${name}, ${part}: `;
		if (message.startsWith(begins)) message = message.slice(begins.length);
	}
	return {
		where: crumbs.map(({ name, part }) => `${name} · ${part}`).join(" ▸ "),
		// What followed a colon begins the sentence now; a name stays as it is.
		message: message.replace(/^(it|its|there) /, (word) => word[0]?.toUpperCase() + word.slice(1)),
	};
}

/** F8 leads to the next problem, Shift+F8 to the one before. */
function useWalk(problems: readonly Problem[], go: (problem: Problem) => void): void {
	const { editor } = useStores();
	const last = useRef<{ at: number; key: string }>({ at: -1, key: "" });
	const latest = useRef({ problems, go });
	latest.current = { problems, go };
	useEffect(() => {
		const onKey = (event: KeyboardEvent) => {
			if (event.key !== "F8" || event.ctrlKey || event.metaKey || event.altKey) return;
			if (document.querySelector("dialog[open]")) return;
			event.preventDefault();
			const { problems: all, go: lead } = latest.current;
			if (all.length === 0) {
				editor.getState().say("There is nothing to mend.");
				return;
			}
			const { at, key } = last.current;
			// What was mended is gone, and the next one stands in its place.
			const isStill = keyOf(all[at]) === key;
			const step = event.shiftKey ? -1 : isStill || at < 0 ? 1 : 0;
			const next = (((at + step) % all.length) + all.length) % all.length;
			const problem = all[next];
			if (!problem) return;
			last.current = { at: next, key: keyOf(problem) };
			lead(problem);
			editor.getState().say(`${next + 1} of ${all.length}: ${problem.message}`);
		};
		document.addEventListener("keydown", onKey);
		return () => document.removeEventListener("keydown", onKey);
	}, [editor]);
}

function keyOf(problem: Problem | undefined): string {
	return problem ? `${problem.code} ${addressOf(placeOf(problem).way)} ${problem.message}` : "";
}

/** Says it when the first problem comes and when the last one goes. */
function Change({ count }: { count: number }) {
	const [words, setWords] = useState("");
	const hadSome = useRef(count > 0);
	useEffect(() => {
		const hasSome = count > 0;
		if (hadSome.current === hasSome) return;
		hadSome.current = hasSome;
		setWords(
			hasSome ? `Something is to be mended now (${count}). F8 leads there.` : "All is mended.",
		);
	}, [count]);
	return (
		<p className="sr-only" role="status">
			{words}
		</p>
	);
}
