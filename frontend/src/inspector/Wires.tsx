// Wires without a mouse: for every input a list of what it could come from, with the reasons.

import { useId } from "react";
import { type GraphNode, portsOf, sourcesFor, wireInto } from "../graph";
import { useEditor, useStores } from "../store/hooks";

export function Wires({ node }: { node: GraphNode }) {
	const inputs = portsOf(node).filter((port) => port.role === "input");
	if (inputs.length === 0) return null;
	return (
		<fieldset className="field-table">
			<legend className="form-label">Where the inputs come from</legend>
			{inputs.map((port) => (
				<WireChoice key={port.name} node={node.id} field={port.name} type={port.text} />
			))}
		</fieldset>
	);
}

function WireChoice({ node, field, type }: { node: string; field: string; type: string }) {
	const { editor } = useStores();
	const graph = useEditor((state) => state.graph);
	const readOnly = useEditor((state) => state.readOnly);
	const id = useId();
	const edge = wireInto(graph, node, field);
	const sources = sourcesFor(graph, node, field);
	const value = edge ? JSON.stringify([edge.source, edge.source_field]) : "";
	const refused = sources.filter((source) => source.reason && keyOf(source) !== value);
	return (
		<div className="wire-choice">
			<label htmlFor={id} className="mono" title={type}>
				{field}
			</label>
			<select
				id={id}
				data-wire={field}
				className="select select-sm"
				value={value}
				disabled={readOnly}
				onChange={(event) => {
					if (!event.target.value) {
						if (edge) editor.getState().unwire(edge.id);
						return;
					}
					const [source, source_field] = JSON.parse(event.target.value) as [string, string];
					editor.getState().wire({ source, source_field, target: node, target_field: field });
				}}
			>
				<option value="">nothing yet</option>
				{sources
					.filter((source) => !source.reason || keyOf(source) === value)
					.map((source) => (
						<option key={keyOf(source)} value={keyOf(source)}>
							{source.nodeName}.{source.port.name}
						</option>
					))}
				{refused.length > 0 && (
					<optgroup label="These do not fit">
						{refused.map((source) => (
							<option key={keyOf(source)} value={keyOf(source)} disabled>
								{source.nodeName}.{source.port.name} – {shortReason(source.reason)}
							</option>
						))}
					</optgroup>
				)}
			</select>
		</div>
	);
}

function keyOf(source: { node: string; port: { name: string } }): string {
	return JSON.stringify([source.node, source.port.name]);
}

/** Without the names of the fields, which stand before it in the list already. */
function shortReason(reason: string): string {
	return reason.replace(/^\S+ → \S+: /, "").replace(/\.$/, "");
}
