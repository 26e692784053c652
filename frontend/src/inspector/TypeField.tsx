// A field's type: a choice, and for an enum its labels.

import { useEffect, useId, useState } from "react";
import { type FieldType, formatType, PLAIN, parseType, SCALARS, SignatureError } from "../graph";

const CHOICES: Record<string, string> = {
	str: "text",
	int: "whole number",
	float: "number",
	bool: "yes or no",
	date: "day, such as 2026-11-22",
	enum: "one of some labels",
	list: "list",
	dict: "values by name",
	optional: "may be nothing",
	object: "JSON object",
	image: "picture",
	document: "text with a title, or a PDF",
	history: "conversation so far",
	tool: "tool that a model may call",
	code: "program text",
};
const WITH_ITEM = ["list", "dict", "optional"];
const DEEPEST = 3;

interface TypeFieldProps {
	name: string;
	type: string;
	disabled: boolean;
	onType(type: string): void;
}

export function TypeField({ name, type, disabled, onType }: TypeFieldProps) {
	const { read, problem } = tryParse(type);
	if (!read) {
		return (
			<span className="type-field">
				<input
					className="input input-sm mono"
					aria-label={`Type of ${name}`}
					aria-invalid="true"
					disabled={disabled}
					defaultValue={type}
					onBlur={(event) => onType(event.target.value)}
				/>
				<span className="field-problem">{problem}</span>
			</span>
		);
	}
	return (
		<TypeChoice
			name={name}
			type={read}
			disabled={disabled}
			depth={0}
			onType={(changed) => onType(formatType(changed))}
		/>
	);
}

interface TypeChoiceProps {
	name: string;
	type: FieldType;
	disabled: boolean;
	depth: number;
	onType(type: FieldType): void;
}

function TypeChoice({ name, type, disabled, depth, onType }: TypeChoiceProps) {
	return (
		<span className="type-field">
			<select
				className="select select-sm"
				aria-label={depth === 0 ? `Type of ${name}` : `Type of the items of ${name}`}
				value={type.kind}
				disabled={disabled}
				onChange={(event) => onType(blankType(event.target.value, type))}
			>
				{Object.entries(CHOICES)
					.filter(([kind]) => !WITH_ITEM.includes(kind) || depth < DEEPEST || type.kind === kind)
					.filter(([kind]) => kind !== "optional" || depth === 0 || type.kind === kind)
					.map(([kind, words]) => (
						<option key={kind} value={kind}>
							{kind} · {words}
						</option>
					))}
			</select>
			{type.kind === "enum" && (
				<Labels
					name={name}
					labels={type.labels}
					disabled={disabled}
					onLabels={(labels) => onType({ kind: "enum", labels })}
				/>
			)}
			{(type.kind === "list" || type.kind === "dict" || type.kind === "optional") && (
				<TypeChoice
					name={name}
					type={type.item}
					disabled={disabled}
					depth={depth + 1}
					onType={(item) => onType({ kind: type.kind, item })}
				/>
			)}
			{(type.kind === "object" || type.kind === "code") && (
				<Inner
					key={formatType(type)}
					label={type.kind === "object" ? `Shape of ${name}` : `Language of ${name}`}
					type={type}
					disabled={disabled}
					onType={onType}
				/>
			)}
		</span>
	);
}

interface InnerProps {
	label: string;
	type: FieldType;
	disabled: boolean;
	onType(type: FieldType): void;
}

const HINTS: Record<string, string> = {
	object: "Fields such as name: str, tags: list[str]; or a JSON Schema. Empty: any object.",
	code: "Such as python or sql. Empty: any.",
};

/** What stands in the brackets of an object or of code; taken over on leaving the box. */
function Inner({ label, type, disabled, onType }: InnerProps) {
	const [, inner = ""] = /^\w+\[([\s\S]*)\]$/.exec(formatType(type)) ?? [];
	const [text, setText] = useState(inner);
	const id = useId();
	const { read: found, problem } = tryParse(text.trim() ? `${type.kind}[${text}]` : type.kind);
	return (
		<span className="labels">
			<textarea
				id={id}
				className="textarea textarea-sm mono grows"
				aria-label={label}
				aria-describedby={`${id}-help`}
				aria-invalid={problem !== ""}
				rows={type.kind === "object" ? 3 : 1}
				spellCheck={false}
				value={text}
				disabled={disabled}
				onChange={(event) => setText(event.target.value)}
				onBlur={() => found && onType(found)}
			/>
			<span className={problem ? "field-problem" : "form-hint"} id={`${id}-help`}>
				{problem || HINTS[type.kind]}
			</span>
		</span>
	);
}

interface LabelsProps {
	name: string;
	labels: readonly string[];
	disabled: boolean;
	onLabels(labels: string[]): void;
}

/** One label a line; taken over as soon as there are two different ones. */
function Labels({ name, labels, disabled, onLabels }: LabelsProps) {
	const whole = labels.join("\n");
	const [text, setText] = useState(whole);
	const id = useId();
	useEffect(() => setText((typed) => (read(typed).join("\n") === whole ? typed : whole)), [whole]);
	const problem = labelsProblem(read(text));
	return (
		<span className="labels">
			<label className="form-hint" htmlFor={id}>
				Labels, one a line
			</label>
			<textarea
				id={id}
				className="textarea textarea-sm mono"
				aria-label={`Labels of ${name}`}
				rows={Math.min(10, Math.max(3, labels.length + 1))}
				value={text}
				disabled={disabled}
				aria-invalid={problem !== ""}
				onChange={(event) => {
					setText(event.target.value);
					const typed = read(event.target.value);
					if (!labelsProblem(typed)) onLabels(typed);
				}}
			/>
			{problem && <span className="field-problem">{problem}</span>}
		</span>
	);
}

function read(text: string): string[] {
	return text
		.split("\n")
		.map((line) => line.trim())
		.filter(Boolean);
}

function labelsProblem(labels: readonly string[]): string {
	const twice = labels.find((label, index) => labels.indexOf(label) !== index);
	if (twice !== undefined) return `“${twice}” stands there twice.`;
	return labels.length < 2 ? "An enum needs two labels or more." : "";
}

function blankType(kind: string, before: FieldType): FieldType {
	if (kind === "enum") return { kind: "enum", labels: ["yes", "no"] };
	if (kind === "list" || kind === "dict" || kind === "optional") return { kind, item: before };
	if (kind === "object") return { kind, schema: "" };
	if (kind === "code") return { kind, language: "python" };
	return { kind: [...SCALARS, ...PLAIN].find((plain) => plain === kind) ?? "str" };
}

function tryParse(text: string): { read: FieldType | null; problem: string } {
	try {
		return { read: parseType(text), problem: "" };
	} catch (error) {
		if (!(error instanceof SignatureError)) throw error;
		return { read: null, problem: error.message };
	}
}
