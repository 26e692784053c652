// A bound while it is typed: taken over when it can be read, kept as text until then.

import { useEffect, useState } from "react";

interface TextBoundProps {
	id: string;
	label: string;
	kind: "whole" | "number" | "text";
	value: unknown;
	disabled: boolean;
	/** `undefined`: no bound. */
	onValue(value: number | string | undefined): void;
}

export function TextBound({ id, label, kind, value, disabled, onValue }: TextBoundProps) {
	const whole = value === undefined || value === null ? "" : String(value);
	const [text, setText] = useState(whole);
	useEffect(
		() => setText((typed) => (sameBound(kind, typed, whole) ? typed : whole)),
		[kind, whole],
	);
	const isWrong = text.trim() !== "" && readBound(kind, text) === undefined;
	return (
		<input
			id={id}
			className={`input input-sm ${kind === "text" ? "mono" : ""}`}
			aria-label={label}
			aria-invalid={isWrong}
			title={isWrong ? WORDS[kind] : undefined}
			inputMode={kind === "text" ? undefined : "decimal"}
			spellCheck={false}
			value={text}
			maxLength={1_000}
			disabled={disabled}
			onChange={(event) => {
				const typed = event.target.value;
				setText(typed);
				const read = readBound(kind, typed);
				if (read !== undefined || typed.trim() === "") onValue(read);
			}}
		/>
	);
}

const WORDS = {
	whole: "A whole number, 0 or more.",
	number: "A number.",
	text: "A regular expression.",
} as const;

/** What the text says, or nothing. */
function readBound(kind: TextBoundProps["kind"], text: string): number | string | undefined {
	if (kind === "text") return text || undefined;
	const number = Number(text);
	if (text.trim() === "" || !Number.isFinite(number)) return undefined;
	if (kind === "whole" && (!Number.isInteger(number) || number < 0)) return undefined;
	return number;
}

function sameBound(kind: TextBoundProps["kind"], typed: string, whole: string): boolean {
	return readBound(kind, typed) === readBound(kind, whole) || readBound(kind, typed) === undefined;
}
