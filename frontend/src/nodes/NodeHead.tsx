// The head of a node: its icon, its name, what kind it is.

import type { ReactNode } from "react";
import type { GraphNode } from "../graph";
import { Icon } from "./Icon";
import { lookOf } from "./kinds";

interface NodeHeadProps {
	node: GraphNode;
	/** Behind the name. */
	children?: ReactNode;
}

export function NodeHead({ node, children }: NodeHeadProps) {
	const look = lookOf(node.kind);
	return (
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
			{children}
		</header>
	);
}
