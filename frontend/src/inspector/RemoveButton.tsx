// The button that removes whatever is selected.

import { Icon } from "../nodes/Icon";
import { useEditor, useStores } from "../store/hooks";

/** Nothing for those who may only look. */
export function RemoveButton() {
	const { editor } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	if (readOnly) return null;
	return (
		<button
			type="button"
			className="btn btn-sm btn-ghost text-error"
			onClick={() => editor.getState().removeSelected()}
		>
			<Icon name="trash" /> Remove
		</button>
	);
}
