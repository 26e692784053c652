// A node on the canvas: what it is called, what goes in, what comes out, how its last run went.

import { type Node, type NodeProps, useUpdateNodeInternals } from "@xyflow/react";
import { memo, useEffect, useRef, useState } from "react";
import { type GraphNode, isStep, portsOf } from "../graph";
import { problemsOf, verdictsOn } from "../store/derived";
import { useEditor } from "../store/hooks";
import { Icon } from "./Icon";
import { nodeClass } from "./kinds";
import { NodeFooter } from "./NodeFooter";
import { NodeHead } from "./NodeHead";
import { PartChips } from "./PartChips";
import { PortRow } from "./PortRow";
import { RunButton } from "./RunMenu";
import { useNodeState } from "./running";

export type CardNode = Node<{ node: GraphNode }, "card">;

function Card({ data: { node }, selected }: NodeProps<CardNode>) {
	const problems = useEditor((state) => problemsOf(state.here, node.id));
	const verdicts = useEditor((state) => verdictsOn(state, node));
	const [hovered, setHovered] = useState(false);
	const isAlone = useEditor(
		({ selection }) => selection.nodes.length === 1 && selection.nodes[0] === node.id,
	);
	const state = useNodeState(node.id);
	const ports = portsOf(node);
	const update = useUpdateNodeInternals();
	const places = ports.map((port) => `${port.role}:${port.name}`).join(" ");
	const measured = useRef(places);
	useEffect(() => {
		// Handles are measured when a node changes its size; a renamed field may not change it.
		if (measured.current !== places) update(node.id);
		measured.current = places;
	}, [update, node.id, places]);
	return (
		<article
			onPointerEnter={() => setHovered(true)}
			onPointerLeave={() => setHovered(false)}
			className={`node ${nodeClass(node.kind)} ${selected ? "is-selected" : ""} ${problems.length > 0 ? "has-problems" : ""} ${state ? `is-${state}` : ""}`}
		>
			<NodeHead node={node}>
				{problems.length > 0 && (
					<span
						className="node-problems"
						title={problems.map((problem) => problem.message).join("\n")}
					>
						<Icon name="warning" />
						{problems.length}
						<span className="sr-only"> problems</span>
					</span>
				)}
				{isStep(node) && <RunButton id={node.id} name={node.name} />}
			</NodeHead>
			{isStep(node) && node.signature.instruction && (
				<p className="node-instruction">{node.signature.instruction}</p>
			)}
			{ports.length === 0 ? (
				<p className="node-hint">
					{node.kind === "unknown"
						? "This page cannot draw it; it is kept as it is."
						: "No fields yet: add one in the panel."}
				</p>
			) : (
				<ul className="ports">
					{ports.map((port, index) => (
						<PortRow
							key={`${port.role}:${port.name}`}
							node={node.id}
							port={port}
							verdict={verdicts[index] ?? ""}
							isBroken={problems.some((problem) => problem.field === port.name)}
							showsPlus={hovered || isAlone}
						/>
					))}
				</ul>
			)}
			{isStep(node) && <PartChips node={node} />}
			<NodeFooter id={node.id} />
		</article>
	);
}

/** Where it stands and what it measures is React Flow's business: a card draws neither. Without
 * this every card would be drawn twice when a drawing is opened, and at every step of a drag. */
export const NodeCard = memo(
	Card,
	(before, now) => before.data === now.data && before.selected === now.selected,
);
