// What the canvas needs of the nodes.

import type { NodeTypes } from "@xyflow/react";
import { NodeCard } from "./NodeCard";

export { lookOf, type NodeLook, nodeClass, typeClass } from "./kinds";
export type { CardNode } from "./NodeCard";

/** Made once: React Flow would draw everything anew for another object. */
export const nodeTypes = { card: NodeCard } satisfies NodeTypes;
