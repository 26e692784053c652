// Which language model answers in a step: the run's, or one of the project's that is named here.

import { useId } from "react";
import { type StepNode, setLm } from "../graph";
import { useEditor, useStores } from "../store/hooks";
import { LmOptions } from "./LmOptions";

export function LmChoice({ node }: { node: StepNode }) {
	const { editor, page } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	const id = useId();
	const { connections } = page.palette;
	const isKnown = node.lm === "" || connections.some(({ slug }) => slug === node.lm);
	const asks =
		Object.keys(node.parts).length > 0 ||
		page.palette.kinds.some(({ kind, calls_lm }) => kind === node.kind && calls_lm);
	if (node.lm === "" && (connections.length === 0 || !asks)) return null;
	return (
		<div className="form-row" data-param="lm">
			<label className="form-label" htmlFor={id}>
				Language model
			</label>
			<select
				id={id}
				className="select select-sm"
				value={node.lm}
				disabled={readOnly}
				aria-invalid={!isKnown}
				onChange={(event) =>
					editor.getState().change((graph) => setLm(graph, node.id, event.target.value))
				}
			>
				<option value="">the one of the run</option>
				{!isKnown && <option value={node.lm}>{node.lm} (not in this project)</option>}
				<LmOptions />
			</select>
			<p className={isKnown ? "form-hint" : "field-problem"}>
				{isKnown
					? "Another one for this step alone; tries, compiles and releases all use it."
					: "There is no language model of this name here: choose another one."}
			</p>
		</div>
	);
}
