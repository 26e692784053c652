// Names of nodes and fields: typed freely, taken over as soon as they are good.

import { type InputHTMLAttributes, useEffect, useId, useState } from "react";
import { type GraphNode, NAME, rename } from "../graph";
import { useEditor, useStores } from "../store/hooks";

/** Why a name cannot be taken; empty when it can. */
function nameProblem(name: string, others: readonly string[]): string {
	if (!name) return "It needs a name.";
	if (!NAME.test(name)) return "Small letters, digits and _, beginning with a letter: order_id.";
	return others.includes(name) ? `“${name}” is taken.` : "";
}

type Attributes = Omit<InputHTMLAttributes<HTMLInputElement>, "value" | "onChange">;

interface NameInputProps extends Attributes {
	value: string;
	others: readonly string[];
	onName(name: string): void;
}

/** A text box that keeps what is typed, and hands on what is a good name. */
export function NameInput({ value, others, onName, ...attributes }: NameInputProps) {
	const [text, setText] = useState(value);
	const id = useId();
	useEffect(() => setText(value), [value]);
	const problem = nameProblem(text, others);
	return (
		<span className="name-input">
			<input
				{...attributes}
				className="input input-sm mono"
				value={text}
				maxLength={64}
				spellCheck={false}
				autoComplete="off"
				aria-invalid={problem !== ""}
				aria-describedby={problem ? id : undefined}
				onChange={(event) => {
					// A space or a dash is meant as an underscore.
					const typed = event.target.value.toLowerCase().replace(/[\s-]+/g, "_");
					setText(typed);
					if (!nameProblem(typed, others)) onName(typed);
				}}
				onBlur={() => {
					if (problem) setText(value);
				}}
			/>
			{problem && (
				<span className="field-problem" id={id}>
					{problem}
				</span>
			)}
		</span>
	);
}

export function NameField({ node }: { node: GraphNode }) {
	const { editor } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	const others = useEditor((state) =>
		state.graph.nodes.filter(({ id }) => id !== node.id).map(({ name }) => name),
	);
	const id = useId();
	return (
		<div className="form-row">
			<label className="form-label" htmlFor={id}>
				Name
			</label>
			<NameInput
				id={id}
				data-first-field
				value={node.name}
				others={others}
				disabled={readOnly}
				onName={(name) =>
					editor.getState().change((graph) => rename(graph, node.id, name), `name:${node.id}`)
				}
			/>
		</div>
	);
}
