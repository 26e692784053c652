// The words of a note, beside the board.

import { useId } from "react";
import { LONGEST_NOTE, type Note, setNote } from "../graph";
import { Icon } from "../nodes/Icon";
import { useEditor, useStores } from "../store/hooks";
import { RemoveButton } from "./RemoveButton";

export function NoteForm({ note }: { note: Note }) {
	const { editor } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	const id = useId();
	return (
		<div className="inspector-body">
			<p className="inspector-kind">
				<span className="node-icon">
					<Icon name="note" />
				</span>
				Note
			</p>
			<div className="form-row">
				<label className="form-label" htmlFor={id}>
					Text
				</label>
				<textarea
					id={id}
					className="textarea textarea-sm grows"
					data-first-field
					rows={5}
					value={note.text}
					maxLength={LONGEST_NOTE}
					disabled={readOnly}
					onChange={(event) =>
						editor
							.getState()
							.change((graph) => setNote(graph, note.id, event.target.value), `note:${note.id}`)
					}
				/>
				<p className="form-hint">For people only: the program knows nothing of it.</p>
			</div>
			<div className="button-row">
				<RemoveButton />
			</div>
		</div>
	);
}
