// Worked examples that a step always shows, whatever a compile adds to them.

import { useState } from "react";
import { type PinnedDemo, type StepNode, setDemos } from "../graph";
import { Icon } from "../nodes/Icon";
import { useEditor, useStores } from "../store/hooks";
import { useStep } from "./useStep";
import { ValueField } from "./ValueField";

const MOST_PINNED = 50;

export function PinnedDemos({ node }: { node: StepNode }) {
	const { editor, page } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	const step = useStep(node.id);
	const kind = page.palette.kinds.find((one) => one.kind === node.kind);
	const { fields } = node.signature;
	// As it was at first: removing the last demo must not close what somebody is working in.
	const [wasPinned] = useState(node.demos.length > 0);
	if (!kind?.takes_demos && node.demos.length === 0) return null;
	const change = (demos: readonly PinnedDemo[], mark = "") =>
		editor.getState().change((graph) => setDemos(graph, node.id, demos), mark);
	const known = (values: Readonly<Record<string, unknown>>): PinnedDemo =>
		Object.fromEntries(
			fields.filter(({ name }) => name in values).map(({ name }) => [name, values[name]]),
		);
	const set = (index: number, name: string, value: unknown) =>
		change(
			node.demos.map((demo, at) => {
				if (at !== index) return demo;
				const { [name]: _, ...others } = demo;
				return value === undefined ? others : { ...others, [name]: value };
			}),
			`demo:${node.id}:${index}:${name}`,
		);
	const isFull = node.demos.length >= MOST_PINNED;
	return (
		<details className="more" open={wasPinned} data-param="demos">
			<summary className="form-label">
				Pinned demos {node.demos.length > 0 ? `(${node.demos.length})` : ""}
			</summary>
			<p className="form-hint">
				Worked examples that you write yourself. Every prompt of this step begins with them; a
				compile adds others behind.
			</p>
			{node.demos.map((demo, index) => (
				// The place is the identity: values change while they are typed.
				// biome-ignore lint/suspicious/noArrayIndexKey: see above
				<fieldset className="field-row" key={index}>
					<legend className="demo-head">
						Demo {index + 1}
						{!readOnly && (
							<button
								type="button"
								className="btn btn-ghost btn-sm btn-square"
								aria-label={`Remove demo ${index + 1}`}
								title={`Remove demo ${index + 1}`}
								onClick={() => change(node.demos.filter((_, at) => at !== index))}
							>
								<Icon name="trash" />
							</button>
						)}
					</legend>
					{fields.map((field) => (
						<ValueField
							key={field.name}
							field={field}
							value={demo[field.name]}
							disabled={readOnly}
							onValue={(value) => set(index, field.name, value)}
						/>
					))}
				</fieldset>
			))}
			{!readOnly && (
				<div className="button-row">
					<button
						type="button"
						className="btn btn-sm btn-ghost"
						disabled={isFull}
						onClick={() => change([...node.demos, {}])}
					>
						<Icon name="plus" /> Add a demo
					</button>
					{step && (
						<button
							type="button"
							className="btn btn-sm btn-ghost"
							disabled={isFull}
							onClick={() => change([...node.demos, known({ ...step.inputs, ...step.outputs })])}
						>
							<Icon name="check" /> Pin the last try
						</button>
					)}
				</div>
			)}
		</details>
	);
}
