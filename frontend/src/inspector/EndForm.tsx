// The fields of the input or the output node.

import { type EndNode, setFields } from "../graph";
import { useEditor, useStores } from "../store/hooks";
import { FieldTable } from "./FieldTable";
import { Wires } from "./Wires";

export function EndForm({ node }: { node: EndNode }) {
	const { editor } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	const isInput = node.kind === "input";
	return (
		<>
			<p className="panel-note">
				{isInput
					? "What the pipeline is given. A dataset's columns are mapped to these fields."
					: "What the pipeline answers. A metric judges these fields."}
			</p>
			<FieldTable
				title={isInput ? "Fields that go in" : "Fields that come out"}
				fields={node.fields}
				blank={isInput ? "message" : "answer"}
				disabled={readOnly}
				onFields={(fields, mark) =>
					editor
						.getState()
						.change((graph) => setFields(graph, node.id, fields), mark && `${node.id}:${mark}`)
				}
			/>
			<Wires node={node} />
		</>
	);
}
