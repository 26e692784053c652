// The last call of the selected step: of that one, not of another of its name on another level.

import type { Step } from "../api/runs";
import { useEditor, useTry } from "../store/hooks";
import { pathIn } from "../store/noderuns";
import { stepOf } from "../store/trying";

export function useStep(id: string): Step | undefined {
	const path = useEditor((state) => state.path);
	return useTry(({ ran, steps }) => {
		const name = ran ? pathIn(ran.graph, path, id) : "";
		return name ? stepOf(steps, name) : undefined;
	});
}
