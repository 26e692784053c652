// A note on the board: plain words, written in place.

import type { Node, NodeProps } from "@xyflow/react";
import { memo, useEffect, useRef } from "react";
import { LONGEST_NOTE, type Note, noteById, setNote } from "../graph";
import { useEditor, useStores, useView } from "../store/hooks";

export type NoteNode = Node<{ note: Note }, "note">;

export const NoteCard = memo(function NoteCard({ data: { note }, selected }: NodeProps<NoteNode>) {
	const { view } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	const isWritten = useView((state) => state.note === note.id) && !readOnly;
	return (
		// A double click is the mouse's way; Enter leads to the same words in the inspector.
		// biome-ignore lint/a11y/noStaticElementInteractions: see above
		<div
			className={`note ${selected ? "is-selected" : ""}`}
			onDoubleClick={(event) => {
				event.stopPropagation();
				if (!readOnly) view.getState().writeNote(note.id);
			}}
		>
			{isWritten ? (
				<Writing note={note} />
			) : (
				<p className={note.text ? "note-text" : "note-text is-empty"}>
					{note.text || "An empty note. Double-click to write."}
				</p>
			)}
		</div>
	);
});

function Writing({ note }: { note: Note }) {
	const { editor, view } = useStores();
	const box = useRef<HTMLTextAreaElement>(null);
	// React Flow hands a note on a moment later: what is typed meanwhile would be lost.
	const text = useEditor(({ graph }) => noteById(graph, note.id)?.text ?? "");
	useEffect(() => {
		// A new node is hidden until it was measured, and what is hidden takes no focus.
		let frames = 30;
		const focus = () => {
			box.current?.focus({ preventScroll: true });
			if (document.activeElement !== box.current && frames-- > 0) requestAnimationFrame(focus);
		};
		focus();
	}, []);
	const leave = () => {
		if (view.getState().note === note.id) view.getState().writeNote("");
	};
	return (
		<textarea
			ref={box}
			className="note-text nodrag nopan nowheel"
			aria-label="Text of the note"
			value={text}
			maxLength={LONGEST_NOTE}
			rows={3}
			onChange={(event) =>
				editor
					.getState()
					.change((graph) => setNote(graph, note.id, event.target.value), `note:${note.id}`)
			}
			onBlur={leave}
			onKeyDown={(event) => {
				if (event.key !== "Escape" || event.nativeEvent.isComposing) return;
				event.stopPropagation();
				leave();
				const node = `.react-flow__node[data-id="${CSS.escape(note.id)}"]`;
				document.querySelector<HTMLElement>(node)?.focus({ preventScroll: true });
			}}
		/>
	);
}
