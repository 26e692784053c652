// One value of a field's type, written by hand.

import { useEffect, useMemo, useState } from "react";
import type { Field, FieldType } from "../graph";
import { typeOf } from "../store/inputs";
import { readInput, writeInput } from "../store/values";
import { TypedField } from "./TypedField";

interface ValueFieldProps {
	field: Field;
	/** `undefined`: nothing is written yet. */
	value: unknown;
	disabled: boolean;
	onValue(value: unknown): void;
}

/** What is typed is taken over when it is a value of the type; until then it stays text. */
export function ValueField({ field, value, disabled, onValue }: ValueFieldProps) {
	const { type: says } = field;
	// A type that cannot be read holds text.
	const type = useMemo((): FieldType => typeOf({ type: says }) ?? { kind: "str" }, [says]);
	const written = writeInput(type, value);
	const [text, setText] = useState(written);
	useEffect(() => {
		setText((typed) => (sameValue(type, typed, written) ? typed : written));
	}, [type, written]);
	const { problem } = text === "" ? { problem: "" } : readInput(type, text);
	const take = (typed: string) => {
		setText(typed);
		if (typed === "") return onValue(undefined);
		const read = readInput(type, typed);
		if (!read.problem) onValue(read.value);
	};
	return (
		<TypedField
			field={field}
			type={type}
			text={text}
			problem={problem}
			disabled={disabled}
			nothing="nothing"
			grows
			onText={take}
		/>
	);
}

/** Whether the two texts say the same; what cannot be read yet is left to whoever types it. */
function sameValue(type: FieldType, typed: string, written: string): boolean {
	if (typed === written) return true;
	if (typed === "") return false;
	const read = readInput(type, typed);
	return read.problem !== "" || writeInput(type, read.value) === written;
}
