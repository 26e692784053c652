// A node on the canvas: what it is called, what goes in, what comes out, how its last run went.

import {
	Handle,
	type Node,
	type NodeProps,
	Position,
	useUpdateNodeInternals,
} from "@xyflow/react";
import { memo, useEffect, useRef } from "react";
import { type GraphNode, isStep, type Port, portsOf, refusal } from "../graph";
import { useEditor, useTry } from "../store/hooks";
import { type NodeState, nodeStates, stepOf } from "../store/trying";
import { showValue } from "../store/values";
import { Icon } from "./Icon";
import { lookOf, nodeClass, typeClass } from "./kinds";

export type CardNode = Node<{ node: GraphNode }, "card">;

const STATE_WORDS: Record<NodeState, string> = {
	waiting: "Waiting",
	running: "Running",
	done: "Done",
	failed: "Failed",
};

export const NodeCard = memo(function NodeCard({ data: { node }, selected }: NodeProps<CardNode>) {
	const look = lookOf(node.kind);
	const problems = useEditor((state) =>
		state.problems.filter((problem) => problem.node === node.id),
	);
	const state = useTry((trying) => nodeStates(trying).get(node.id));
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
			className={`node ${nodeClass(node.kind)} ${selected ? "is-selected" : ""} ${problems.length > 0 ? "has-problems" : ""} ${state ? `is-${state}` : ""}`}
		>
			<header className="node-head">
				<span className="node-icon">
					<Icon name={look.icon} />
				</span>
				<span className="node-title">
					<span className="node-name">{node.name || "no name"}</span>
					<span className="node-kind">
						{node.kind === "unknown" ? String(node.raw.kind) : look.title}
					</span>
				</span>
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
				{state && (
					<span className={`node-state is-${state}`}>
						<span className="node-state-dot" aria-hidden="true" />
						{STATE_WORDS[state]}
					</span>
				)}
			</header>
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
					{ports.map((port) => (
						<PortRow key={`${port.role}:${port.name}`} node={node.id} port={port} />
					))}
				</ul>
			)}
			{state === "done" && isStep(node) && <Answer name={node.name} />}
		</article>
	);
});

function PortRow({ node, port }: { node: string; port: Port }) {
	const reason = useEditor((state) => {
		const { loose } = state;
		if (!loose) return "";
		if (loose.node === node && loose.field === port.name && loose.role === port.role) return "";
		if (loose.role === port.role) return "same side";
		const [source, target] =
			loose.role === "output"
				? [loose, { node, field: port.name }]
				: [{ node, field: port.name }, loose];
		return refusal(state.history.present, {
			source: source.node,
			source_field: source.field,
			target: target.node,
			target_field: target.field,
		});
	});
	const offered = useEditor((state) => state.loose !== null && state.loose.role !== port.role);
	const broken = useEditor((state) =>
		state.problems.some((problem) => problem.node === node && problem.field === port.name),
	);
	const look = typeClass(port.type);
	const isIn = port.role === "input";
	return (
		<li
			className={`port port-${port.role} ${reason ? "is-dim" : offered ? "is-offered" : ""} ${broken ? "is-broken" : ""}`}
			data-port={`${port.role}:${port.name}`}
			title={reason && reason !== "same side" ? reason : `${port.name}: ${port.text}`}
		>
			<Handle
				type={isIn ? "target" : "source"}
				position={isIn ? Position.Left : Position.Right}
				id={`${isIn ? "in" : "out"}:${port.name}`}
				className={`handle ${look}`}
			/>
			<span className="port-name">{port.name}</span>
			<span className={`port-type ${look}`}>{port.text}</span>
		</li>
	);
}

function Answer({ name }: { name: string }) {
	const step = useTry((state) => stepOf(state.steps, name));
	if (!step) return null;
	return (
		<dl className="node-answer">
			{Object.entries(step.outputs).map(([field, value]) => (
				<div key={field}>
					<dt>{field}</dt>
					<dd>{showValue(value)}</dd>
				</div>
			))}
		</dl>
	);
}
