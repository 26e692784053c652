// One input of a try, as the field that its type asks for.

import type { Field } from "../graph";
import { TypedField } from "../inspector/TypedField";
import { useEditor, useStores, useTry } from "../store/hooks";
import { typeOf } from "../store/inputs";

const HINTS: Readonly<Record<string, string>> = {
	list: "One item a line; lists and objects inside of it as JSON.",
	dict: 'JSON, such as {"name": 1}.',
	object: "JSON.",
	history: "JSON: a list of turns with role and content.",
	tool: "JSON: name, description, parameters.",
	image: "An address, or a data: URI.",
	document: "The text.",
};

export function TryField({ field, problem }: { field: Field; problem: string }) {
	const { trying } = useStores();
	const text = useTry((state) => state.inputs[field.name] ?? "");
	const readOnly = useEditor((state) => state.readOnly);
	const type = typeOf(field);
	const bare = type?.kind === "optional" ? type.item : type;
	const hint = HINTS[bare?.kind ?? ""];
	return (
		<TypedField
			field={field}
			type={type}
			text={text}
			problem={problem}
			disabled={readOnly}
			nothing={type?.kind === "optional" ? "nothing" : "choose"}
			onText={(value) => trying.getState().setInput(field.name, value)}
		>
			{hint && <p className="form-hint">{hint}</p>}
		</TypedField>
	);
}
