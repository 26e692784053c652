// Why a wire is refused: beside the pointer while it is drawn, and for a moment afterwards.

import { useConnection } from "@xyflow/react";
import { useEffect, useState } from "react";
import { refusal } from "../graph";
import { useEditor } from "../store/hooks";

const SHOWN_MS = 6_000;

/** Says the last thing, to eyes and to screen readers. */
export function Said() {
	const said = useEditor((state) => state.said);
	const [shown, setShown] = useState(0);
	useEffect(() => {
		if (!said.text) return;
		setShown(said.number);
		const timer = setTimeout(() => setShown(0), SHOWN_MS);
		return () => clearTimeout(timer);
	}, [said]);
	const isShown = shown === said.number && said.text !== "";
	return (
		<>
			<p className="sr-only" aria-live="assertive">
				{said.text}
			</p>
			{isShown && (
				<p className={`said is-${said.tone}`} aria-hidden="true">
					{said.text}
				</p>
			)}
		</>
	);
}

export function WireHint() {
	const graph = useEditor((state) => state.history.present);
	const [pointer, setPointer] = useState({ x: 0, y: 0 });
	const reason = useConnection((connection) => {
		const { fromHandle, toHandle } = connection;
		if (!connection.inProgress || !fromHandle || !toHandle || connection.isValid) return "";
		const [source, target] =
			fromHandle.type === "source" ? [fromHandle, toHandle] : [toHandle, fromHandle];
		if (fromHandle.type === toHandle.type) {
			return fromHandle.nodeId === toHandle.nodeId
				? ""
				: "A wire leads from an output to an input.";
		}
		return refusal(graph, {
			source: source.nodeId,
			source_field: (source.id ?? "").replace(/^out:/, ""),
			target: target.nodeId,
			target_field: (target.id ?? "").replace(/^in:/, ""),
		});
	});
	const isDrawing = useConnection((connection) => connection.inProgress);
	useEffect(() => {
		if (!isDrawing) return;
		const follow = (event: PointerEvent) => setPointer({ x: event.clientX, y: event.clientY });
		document.addEventListener("pointermove", follow);
		return () => document.removeEventListener("pointermove", follow);
	}, [isDrawing]);
	if (!reason) return null;
	return (
		<p className="wire-hint" style={{ left: pointer.x, top: pointer.y }} role="status">
			{reason}
		</p>
	);
}
