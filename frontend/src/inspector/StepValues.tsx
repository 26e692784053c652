// The values that a step wrote last; people may write others and go on from there.

import { useState } from "react";
import { portsOf, type StepNode } from "../graph";
import { Icon } from "../nodes/Icon";
import { type NodeNews, useWhyNot } from "../nodes/running";
import { useEditor, useStores } from "../store/hooks";
import { typeOf } from "../store/inputs";
import { ValueList } from "./StepTrace";
import { ValueField } from "./ValueField";

export function StepValues({ node, news }: { node: StepNode; news: NodeNews }) {
	const readOnly = useEditor((state) => state.readOnly);
	const [isEditing, setEditing] = useState(false);
	const { run, known, edits } = news;
	const values = { ...(run?.outputs ?? known?.outputs), ...edits };
	const hasValues = Object.keys(values).length > 0;
	if (!isEditing && !edits) {
		return (
			<>
				<ValueList title="It wrote" values={values} />
				{!readOnly && (
					<button
						type="button"
						className="btn btn-sm btn-ghost run-button"
						onClick={() => setEditing(true)}
					>
						<Icon name="edit" /> {hasValues ? "Edit what it wrote" : "Write its values by hand"}
					</button>
				)}
			</>
		);
	}
	return <Editing node={node} values={values} news={news} onDone={() => setEditing(false)} />;
}

interface EditingProps {
	node: StepNode;
	values: Readonly<Record<string, unknown>>;
	news: NodeNews;
	onDone(): void;
}

function Editing({ node, values, news, onDone }: EditingProps) {
	const { trying } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	const reason = useWhyNot({ kind: "rest", node: node.id });
	const doing = trying.getState();
	const { known, edits } = news;
	const outputs = portsOf(node).filter(({ role }) => role === "output");
	const fields = outputs.map(({ name, text }) => ({ name, type: text, description: "" }));
	return (
		<fieldset className="last-run-edit">
			<legend className="last-run-head">
				It wrote {edits && <span className="node-edited">edited</span>}
			</legend>
			{fields.map((field) => (
				<ValueField
					key={field.name}
					field={field}
					value={values[field.name]}
					disabled={readOnly}
					onValue={(value) => {
						const empty = typeOf(field)?.kind === "str" ? "" : undefined;
						doing.edit(node.id, field.name, value === undefined ? empty : value);
					}}
				/>
			))}
			<div className="button-row">
				<button
					type="button"
					className="btn btn-sm btn-primary"
					aria-disabled={reason !== ""}
					onClick={() => {
						if (!reason) void doing.runRest(node.id);
					}}
				>
					<Icon name="run" /> Run the rest with this
				</button>
				<button
					type="button"
					className="btn btn-sm btn-ghost"
					onClick={() => {
						doing.reset(node.id);
						onDone();
					}}
				>
					<Icon name="undo" />
					{known ? "Back to what it wrote" : "Forget it"}
				</button>
			</div>
			{reason && <p className="form-hint">{reason}</p>}
		</fieldset>
	);
}
