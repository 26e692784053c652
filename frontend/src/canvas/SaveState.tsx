// Whether the drawing is saved, in words.

import { useEditor, useSaver } from "../store/hooks";

export function SaveState() {
	const phase = useSaver((state) => state.phase);
	const message = useSaver((state) => state.message);
	const by = useSaver((state) => state.conflict?.by || "somebody else");
	const readOnly = useEditor((state) => state.readOnly);
	if (readOnly) return <p className="save-state">You may look, not change</p>;
	const words = {
		saved: "Saved",
		unsaved: "Unsaved edits",
		saving: "Saving…",
		failed: `Not saved: ${message}`,
		"signed-out": "Not saved: you are signed out.",
		conflict: `Not saved: ${by} has saved`,
	}[phase];
	// No live region: it changes twice with every edit. When something is wrong a banner says so.
	return (
		<p className={`save-state is-${phase}`}>
			<span className="save-dot" aria-hidden="true" />
			<span className="save-words" title={words}>
				{words}
			</span>
		</p>
	);
}
