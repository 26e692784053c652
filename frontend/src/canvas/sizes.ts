// How large things are on the screen, as the browser has measured them.

import type { ReactFlowInstance } from "@xyflow/react";
import { CARD_WIDTH, type Position, type Size, type Sizes } from "../graph";

/** The measured sizes of the nodes, by id. */
export function sizesOf(flow: ReactFlowInstance): Sizes {
	const sizes = new Map<string, Size>();
	for (const { id, measured } of flow.getNodes()) {
		if (measured?.width && measured.height) {
			sizes.set(id, { width: measured.width, height: measured.height });
		}
	}
	return sizes;
}

/** Where a node is drawn, and how large. */
export function cardOf(
	flow: ReactFlowInstance,
	id: string,
): { position: Position; size: Size } | null {
	const node = flow.getNode(id);
	if (!node) return null;
	const { width = CARD_WIDTH, height = 100 } = node.measured ?? {};
	return { position: node.position, size: { width, height } };
}
