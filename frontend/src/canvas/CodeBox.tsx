// A box of code: line numbers, and what is wrong at which line.

import { type KeyboardEvent, type RefObject, useEffect, useId, useRef } from "react";
import type { CodeProblem } from "../api/code";

interface CodeBoxProps {
	label: string;
	text: string;
	readOnly?: boolean;
	problems?: readonly CodeProblem[];
	box?: RefObject<HTMLTextAreaElement | null>;
	onEdit?(text: string): void;
	onLeave?(): void;
}

const INDENT = "    ";

export function CodeBox({
	label,
	text,
	readOnly = false,
	problems = [],
	box,
	onEdit,
	onLeave,
}: CodeBoxProps) {
	const own = useRef<HTMLTextAreaElement>(null);
	const textarea = box ?? own;
	const behind = useRef<HTMLDivElement>(null);
	const numbers = useRef<HTMLDivElement>(null);
	const id = useId();
	/** After Escape the next Tab leaves the box, as it does everywhere else. */
	const isLeaving = useRef(false);
	const lines = text.split("\n").length;
	const wrong = [...new Set(problems.map(({ line }) => line))].filter((line) => line > 0);

	const follow = () => {
		const { scrollTop = 0, scrollLeft = 0 } = textarea.current ?? {};
		if (behind.current)
			behind.current.style.transform = `translate(${-scrollLeft}px, ${-scrollTop}px)`;
		if (numbers.current) numbers.current.style.transform = `translateY(${-scrollTop}px)`;
	};
	// biome-ignore lint/correctness/useExhaustiveDependencies: another text scrolls by itself.
	useEffect(follow, [text]);
	const onKey = (event: KeyboardEvent<HTMLTextAreaElement>) => {
		if (event.key === "Escape") {
			isLeaving.current = true;
			return;
		}
		if (readOnly || event.ctrlKey || event.altKey || event.metaKey) return;
		if (event.key === "Tab" && !isLeaving.current && !event.shiftKey) {
			event.preventDefault();
			insert(event.currentTarget, INDENT);
		}
		if (event.key === "Enter") {
			event.preventDefault();
			insert(event.currentTarget, `\n${indentAt(event.currentTarget)}`);
		}
		if (event.key !== "Shift") isLeaving.current = false;
	};
	return (
		<div className="code-box">
			<div className="code-gutter" aria-hidden="true">
				<div ref={numbers}>
					<pre>{numbersTo(lines)}</pre>
					{wrong.map((line) => (
						<span key={line} style={{ top: `calc(${line - 1} * var(--code-line))` }}>
							{line}
						</span>
					))}
				</div>
			</div>
			<div className="code-text">
				<div className="code-marks" aria-hidden="true">
					<div ref={behind}>
						{wrong.map((line) => (
							<span key={line} style={{ top: `calc(${line - 1} * var(--code-line))` }} />
						))}
					</div>
				</div>
				<textarea
					ref={textarea}
					aria-label={label}
					aria-describedby={readOnly ? undefined : `${id}-keys`}
					aria-invalid={problems.length > 0}
					value={text}
					readOnly={readOnly}
					wrap="off"
					spellCheck={false}
					autoCapitalize="off"
					autoComplete="off"
					autoCorrect="off"
					onChange={(event) => onEdit?.(event.target.value)}
					onKeyDown={onKey}
					onScroll={follow}
					onBlur={() => {
						isLeaving.current = false;
						onLeave?.();
					}}
				/>
				{!readOnly && (
					<p className="sr-only" id={`${id}-keys`}>
						Tab indents. Press Escape and then Tab to leave the box.
					</p>
				)}
			</div>
		</div>
	);
}

/** One number a line: thousands of lines are one piece of text. */
function numbersTo(lines: number): string {
	return Array.from({ length: lines }, (_, at) => at + 1).join("\n");
}

/** Put the caret at the beginning of a line, and select it. */
export function goToLine(box: HTMLTextAreaElement | null, line: number): void {
	if (!box) return;
	const lines = box.value.split("\n");
	const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
	box.focus();
	box.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
	box.scrollTop = (line - 3) * (box.scrollHeight / lines.length);
	box.scrollLeft = 0;
}

/** As typing does it, so that the box's own undo knows of it. */
function insert(box: HTMLTextAreaElement, text: string): void {
	if (document.execCommand("insertText", false, text)) return;
	box.setRangeText(text, box.selectionStart, box.selectionEnd, "end");
	box.dispatchEvent(new Event("input", { bubbles: true }));
}

/** The white space with which the line of the caret begins. */
function indentAt(box: HTMLTextAreaElement): string {
	const before = box.value.slice(0, box.selectionStart);
	const line = before.slice(before.lastIndexOf("\n") + 1);
	return line.match(/^[ \t]*/)?.[0] ?? "";
}
