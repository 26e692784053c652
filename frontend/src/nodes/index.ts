// What the canvas needs of the nodes.

import type { EdgeTypes, NodeTypes } from "@xyflow/react";
import { type CardNode, NodeCard } from "./NodeCard";
import { NoteCard, type NoteNode } from "./NoteCard";
import { WireEdge } from "./WireEdge";

export { lookOf, type NodeLook, nodeClass, typeClass } from "./kinds";
export type { CardNode } from "./NodeCard";
export type { NoteNode } from "./NoteCard";
/** What stands on the board. */
export type BoardNode = CardNode | NoteNode;

/** Made once: React Flow would draw everything anew for another object. */
export const nodeTypes = { card: NodeCard, note: NoteCard } satisfies NodeTypes;
export const edgeTypes = { wire: WireEdge } satisfies EdgeTypes;
