// One row of a node: a field with its handle, and the button that adds a step there.

import { Handle, Position } from "@xyflow/react";
import { memo } from "react";
import type { Port } from "../graph";
import type { Verdict } from "../store/derived";
import { useEditor, useStores } from "../store/hooks";
import { Icon } from "./Icon";
import { typeClass } from "./kinds";

interface PortRowProps {
	node: string;
	port: Port;
	/** While a wire is drawn: whether this row may take it. */
	verdict: Verdict;
	isBroken: boolean;
	showsPlus: boolean;
}

/** How a row looks under each verdict. */
function classOf(verdict: Verdict): string {
	if (verdict === "") return "";
	return verdict === "fits" ? "is-offered" : "is-dim";
}

export const PortRow = memo(function PortRow(props: PortRowProps) {
	const { node, port, verdict, isBroken, showsPlus } = props;
	const look = typeClass(port.type);
	const isIn = port.role === "input";
	const reason = verdict.startsWith("no: ") ? verdict.slice(4) : "";
	return (
		<li
			className={`port port-${port.role} ${classOf(verdict)} ${isBroken ? "is-broken" : ""}`}
			data-port={`${port.role}:${port.name}`}
			title={reason || `${port.name}: ${port.text}`}
		>
			<Handle
				type={isIn ? "target" : "source"}
				position={isIn ? Position.Left : Position.Right}
				id={`${isIn ? "in" : "out"}:${port.name}`}
				className={`handle ${look}`}
			/>
			<span className="port-name">{port.name}</span>
			<span className={`port-type ${look}`}>{port.text}</span>
			{showsPlus && <Plus node={node} port={port} />}
		</li>
	);
});

function Plus({ node, port }: { node: string; port: Port }) {
	const { board } = useStores();
	const readOnly = useEditor((state) => state.readOnly || state.loose !== null);
	if (readOnly) return null;
	const isIn = port.role === "input";
	const end = { node, field: port.name };
	const words = isIn ? `Add a step before ${port.name}` : `Add a step after ${port.name}`;
	return (
		<button
			type="button"
			className={`plus plus-${port.role} nodrag nopan nokey`}
			aria-label={words}
			title={words}
			onClick={(event) => {
				event.stopPropagation();
				const { left, bottom } = event.currentTarget.getBoundingClientRect();
				const place = isIn ? { into: end } : { from: end };
				board.getState().open({ kind: "add", place, at: { x: left, y: bottom + 6 } });
			}}
		>
			<Icon name="plus" />
		</button>
	);
}
