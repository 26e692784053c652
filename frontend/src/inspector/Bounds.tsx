// What a field's value must satisfy beyond its type, and what it is when it is absent.

import { useId, useState } from "react";
import { type Field, type FieldType, parseType, SignatureError } from "../graph";
import { TextBound } from "./TextBound";
import { ValueField } from "./ValueField";

type Constraints = NonNullable<Field["constraints"]>;

interface Bound {
	readonly name: string;
	readonly label: string;
	/** Kinds of values that it says something about: `studio/engine/fields/constraints.py`. */
	readonly kinds: readonly FieldType["kind"][];
	readonly value: "whole" | "number" | "text";
}

const NUMBERS: Bound["kinds"] = ["int", "float"];
const LENGTHS: Bound["kinds"] = ["str", "code", "list", "dict", "history"];

const BOUNDS: readonly Bound[] = [
	{ name: "min", label: "At least", kinds: NUMBERS, value: "number" },
	{ name: "max", label: "At most", kinds: NUMBERS, value: "number" },
	{ name: "multiple_of", label: "A multiple of", kinds: NUMBERS, value: "number" },
	{ name: "min_length", label: "Shortest", kinds: LENGTHS, value: "whole" },
	{ name: "max_length", label: "Longest", kinds: LENGTHS, value: "whole" },
	{ name: "pattern", label: "Matches", kinds: ["str", "code"], value: "text" },
];
const UNITS: Partial<Record<FieldType["kind"], string>> = {
	str: "characters",
	code: "characters",
	list: "items",
	dict: "entries",
	history: "turns",
};

interface BoundsProps {
	field: Field;
	disabled: boolean;
	onField(field: Field, mark: string): void;
}

/** The bounds of a field; the engine tells them to the model, and checks what it answers. */
export function Bounds({ field, disabled, onField }: BoundsProps) {
	const id = useId();
	const kind = bareKind(field.type);
	const set = Object.keys(field.constraints ?? {});
	const shown = BOUNDS.filter(
		({ name, kinds }) => set.includes(name) || (kind && kinds.includes(kind)),
	);
	const change = (name: string, value: number | string | undefined) => {
		const { [name]: _, ...others } = field.constraints ?? {};
		const next: Constraints = value === undefined ? others : { ...others, [name]: value };
		const { constraints: __, ...bare } = field;
		onField(Object.keys(next).length > 0 ? { ...bare, constraints: next } : bare, name);
	};
	const setDefault = (value: unknown) => {
		const { default: _, ...bare } = field;
		onField(
			value === undefined ? bare : { ...bare, default: value as NonNullable<Field["default"]> },
			"default",
		);
	};
	const count = set.length + ("default" in field ? 1 : 0);
	// As it was at first: emptying a box must not close what somebody is working in.
	const [isOpen] = useState(count > 0);
	return (
		<details className="more bounds" open={isOpen}>
			<summary className="form-hint">Bounds and default {count > 0 ? `(${count})` : ""}</summary>
			{shown.map(({ name, label, kinds, value }) => (
				<div className="bound" key={name} data-param={name}>
					<label htmlFor={`${id}-${name}`}>
						{label} {value === "whole" && kind && UNITS[kind] ? `(${UNITS[kind]})` : ""}
					</label>
					<TextBound
						id={`${id}-${name}`}
						label={`${label}, of ${field.name}`}
						kind={value}
						value={field.constraints?.[name]}
						disabled={disabled}
						onValue={(changed) => change(name, changed)}
					/>
					{kind && !kinds.includes(kind) && (
						<span className="field-problem">says nothing about this type: empty it</span>
					)}
				</div>
			))}
			<ValueField
				field={{ ...field, name: "when_absent" }}
				value={field.default}
				disabled={disabled}
				onValue={setDefault}
			/>
		</details>
	);
}

/** The kind of the type, without the `optional` around it; nothing when it cannot be read. */
function bareKind(text: string): FieldType["kind"] | null {
	try {
		const type = parseType(text);
		return type.kind === "optional" ? type.item.kind : type.kind;
	} catch (error) {
		if (!(error instanceof SignatureError)) throw error;
		return null;
	}
}
