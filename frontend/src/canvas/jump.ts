// To a node, wherever it stands: its level is opened, it is selected and brought into view.

import { useReactFlow } from "@xyflow/react";
import type { Path } from "../graph";
import { useStores } from "../store/hooks";

export function useJump(): (way: Path, node: string) => void {
	const { editor } = useStores();
	const flow = useReactFlow();
	return (way, node) => {
		editor.getState().open(way, [node]);
		// Another level is on the board only after it was drawn.
		requestAnimationFrame(() => {
			void flow.fitView({ nodes: [{ id: node }], maxZoom: 1.1, duration: 300, padding: 0.6 });
		});
	};
}
