// A board to look at: two drawings in one, with what came, what went and what changed.

import {
	Background,
	BackgroundVariant,
	Controls,
	type Edge as FlowEdge,
	Handle,
	type Node,
	type NodeProps,
	Position,
	ReactFlow,
	ReactFlowProvider,
	useReactFlow,
	useStore,
} from "@xyflow/react";
import { memo, useEffect, useMemo } from "react";
import { type Graph, graphAt, isStep, nodeById, type Path, portsOf, TOP } from "../graph";
import type { Conflict } from "../graph/conflicts";
import { type MarkedNode, overlay } from "../graph/overlay";
import { Icon, type IconName } from "../nodes/Icon";
import { nodeClass, typeClass } from "../nodes/kinds";
import { NodeHead } from "../nodes/NodeHead";

interface DiffBoardProps {
	before: Graph;
	after: Graph;
	path: Path;
	onPath(path: Path): void;
	/** Conflicts that nobody has decided. */
	disputed?: readonly Conflict[];
	label: string;
}

const FIT_DIFF = { padding: 0.15, maxZoom: 1 };

type DiffNode = Node<{ marked: MarkedNode; isDisputed: boolean }, "diff">;

const MARKS: Readonly<Record<string, { word: string; icon: IconName }>> = {
	added: { word: "Added", icon: "plus" },
	removed: { word: "Removed", icon: "trash" },
	changed: { word: "Changed", icon: "edit" },
	moved: { word: "Moved", icon: "tidy" },
	disputed: { word: "To decide", icon: "warning" },
};

export function DiffBoard(props: DiffBoardProps) {
	const { path, onPath, after, before, label } = props;
	return (
		<section className="diff-board" aria-label={label}>
			<Ways path={path} onPath={onPath} graph={after} other={before} />
			<ul className="diff-legend" aria-label="What the marks mean">
				{["added", "removed", "changed", "moved"].map((mark) => (
					<li key={mark}>
						<MarkBadge mark={mark} />
					</li>
				))}
			</ul>
			<ReactFlowProvider>
				<Shown {...props} key={JSON.stringify(path)} />
			</ReactFlowProvider>
		</section>
	);
}

function Shown({ before, after, path, disputed = [] }: DiffBoardProps) {
	const { nodes, edges } = useMemo(() => overlay(before, after, path), [before, after, path]);
	const flow = useReactFlow();
	const room = useStore(({ width, height }) => width * height);
	useEffect(() => {
		// All of it is to be seen, also when a panel takes room away.
		if (room > 0) void flow.fitView(FIT_DIFF);
	}, [room, flow]);
	const open = useMemo(
		() =>
			new Set(
				disputed
					.filter((conflict) => JSON.stringify(conflict.path) === JSON.stringify(path))
					.map(({ node }) => node),
			),
		[disputed, path],
	);
	const flowNodes = useMemo(
		() =>
			nodes.map((marked): DiffNode => {
				const { node, mark, says } = marked;
				const word = mark === "same" ? "unchanged" : mark;
				return {
					id: node.id,
					type: "diff",
					position: node.position,
					data: { marked, isDisputed: open.has(node.id) },
					ariaLabel: [`${node.name}, ${word}`, ...says].join(", "),
				};
			}),
		[nodes, open],
	);
	const flowEdges = useMemo(
		() =>
			edges.map(
				({ edge, mark }, index): FlowEdge => ({
					id: `${edge.id} ${index}`,
					source: edge.source,
					target: edge.target,
					sourceHandle: `out:${edge.source_field}`,
					targetHandle: `in:${edge.target_field}`,
					className: `diff-edge is-${mark}`,
					...(mark === "same" ? {} : { label: MARKS[mark]?.word.toLowerCase() ?? "" }),
				}),
			),
		[edges],
	);
	return (
		<ReactFlow
			nodes={flowNodes}
			edges={flowEdges}
			nodeTypes={NODE_TYPES}
			nodesDraggable={false}
			nodesConnectable={false}
			elementsSelectable={false}
			edgesFocusable={false}
			fitView
			fitViewOptions={FIT_DIFF}
			minZoom={0.1}
			maxZoom={2}
			onlyRenderVisibleElements={flowNodes.length > 200}
			proOptions={{ hideAttribution: true }}
		>
			<Background variant={BackgroundVariant.Dots} gap={20} size={1.4} />
			<Controls showInteractive={false} position="bottom-left" />
		</ReactFlow>
	);
}

const DiffCard = memo(function DiffCard({ data }: NodeProps<DiffNode>) {
	const { isDisputed } = data;
	const { node, mark, says } = data.marked;
	return (
		<article
			className={`node diff-node ${nodeClass(node.kind)} is-${mark} ${isDisputed ? "is-disputed" : ""}`}
		>
			<NodeHead node={node}>
				{mark !== "same" && !isDisputed && <MarkBadge mark={mark} />}
				{isDisputed && <MarkBadge mark="disputed" />}
			</NodeHead>
			{says.length > 0 && (
				<ul className="diff-says">
					{says.slice(0, 4).map((sentence) => (
						<li key={sentence}>{sentence}</li>
					))}
					{says.length > 4 && <li>and {says.length - 4} more</li>}
				</ul>
			)}
			{isStep(node) && node.signature.instruction && (
				<p className="node-instruction">{node.signature.instruction}</p>
			)}
			<ul className="ports">
				{portsOf(node).map((port) => {
					const isIn = port.role === "input";
					return (
						<li key={`${port.role}:${port.name}`} className={`port port-${port.role}`}>
							<Handle
								type={isIn ? "target" : "source"}
								position={isIn ? Position.Left : Position.Right}
								id={`${isIn ? "in" : "out"}:${port.name}`}
								className={`handle ${typeClass(port.type)}`}
								isConnectable={false}
							/>
							<span className="port-name">{port.name}</span>
							<span className="port-type">{port.text}</span>
						</li>
					);
				})}
			</ul>
		</article>
	);
});

const NODE_TYPES = { diff: DiffCard };

function MarkBadge({ mark }: { mark: string }) {
	const look = MARKS[mark];
	if (!look) return null;
	return (
		<span className={`diff-mark is-${mark}`}>
			<Icon name={look.icon} /> {look.word}
		</span>
	);
}

interface WaysProps {
	path: Path;
	graph: Graph;
	other: Graph;
	onPath(path: Path): void;
}

/** Back out of an inner pipeline, and into those that there are on this level. */
function Ways({ path, graph, other, onPath }: WaysProps) {
	const level = graphAt(graph, path) ?? graphAt(other, path);
	const inner = (level?.nodes ?? []).flatMap((node) =>
		isStep(node)
			? Object.keys(node.parts).map((part) => ({ node: node.id, part, name: node.name }))
			: [],
	);
	if (path.length === 0 && inner.length === 0) return null;
	const nameOf = (index: number) => {
		const into = path[index];
		const at = graphAt(graph, path.slice(0, index)) ?? graphAt(other, path.slice(0, index));
		return into && at ? `${nodeById(at, into.node)?.name ?? into.node} › ${into.part}` : "";
	};
	return (
		<nav className="diff-ways" aria-label="Levels">
			{path.length > 0 && (
				<button type="button" className="btn btn-xs" onClick={() => onPath(TOP)}>
					Outermost
				</button>
			)}
			{path.map((into, index) => (
				<button
					key={`${into.node} ${into.part}`}
					type="button"
					className="btn btn-xs"
					aria-current={index === path.length - 1 ? "true" : undefined}
					onClick={() => onPath(path.slice(0, index + 1))}
				>
					{nameOf(index)}
				</button>
			))}
			{inner.map(({ node, part, name }) => (
				<button
					key={`${node} ${part}`}
					type="button"
					className="btn btn-xs btn-ghost"
					onClick={() => onPath([...path, { node, part }])}
				>
					Into {name} › {part}
				</button>
			))}
		</nav>
	);
}
