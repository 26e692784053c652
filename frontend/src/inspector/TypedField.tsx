// A box for a value of some type: a choice, a day, a line or a text, as the type asks for it.

import { type ReactNode, useId } from "react";
import { type Field, type FieldType, fieldLabel } from "../graph";

interface TypedFieldProps {
	field: Field;
	/** The field's type; `null` when it cannot be read. */
	type: FieldType | null;
	text: string;
	problem: string;
	disabled: boolean;
	/** Among choices: what stands for no choice. */
	nothing: string;
	/** As tall as what is in it, for places with many of these. */
	grows?: boolean;
	onText(text: string): void;
	/** What else is to be known of it. */
	children?: ReactNode;
}

export function TypedField(props: TypedFieldProps) {
	const { field, type, text, problem, disabled, nothing, grows, onText, children } = props;
	const id = useId();
	const bare = type?.kind === "optional" ? type.item : type;
	const choices = choicesOf(bare);
	const shared = {
		id,
		value: text,
		disabled,
		"aria-invalid": problem !== "",
		"aria-describedby": problem ? `${id}-problem` : undefined,
		onChange: (event: { target: { value: string } }) => onText(event.target.value),
	};
	return (
		<div className="form-row">
			<label className="form-label" htmlFor={id}>
				{fieldLabel(field.name)} <span className="form-hint mono">{field.type}</span>
			</label>
			{choices ? (
				<select {...shared} className="select select-sm">
					<option value="">{nothing}</option>
					{choices.map(([value, title]) => (
						<option key={value} value={value}>
							{title}
						</option>
					))}
				</select>
			) : bare?.kind === "date" && isDay(text) ? (
				<input {...shared} className="input input-sm" type="date" />
			) : bare?.kind === "int" || bare?.kind === "float" || bare?.kind === "date" ? (
				<input
					{...shared}
					className="input input-sm"
					type="text"
					inputMode={bare.kind === "date" ? undefined : "decimal"}
				/>
			) : (
				<textarea
					{...shared}
					className={`textarea textarea-sm ${grows ? "grows" : ""}`}
					rows={grows ? 1 : 3}
					maxLength={grows ? 20_000 : undefined}
				/>
			)}
			{children}
			{problem && (
				<p className="field-problem" id={`${id}-problem`}>
					{problem}
				</p>
			)}
		</div>
	);
}

/** Values to choose from, with their titles; of other types nothing. */
function choicesOf(type: FieldType | null): readonly (readonly [string, string])[] | null {
	if (type?.kind === "enum") return type.labels.map((label) => [label, label]);
	if (type?.kind !== "bool") return null;
	return [
		["true", "yes"],
		["false", "no"],
	];
}

/** Whether a calendar can show it: such a box hides every other text. */
function isDay(text: string): boolean {
	return text === "" || /^\d{4}-\d{2}-\d{2}$/.test(text);
}
