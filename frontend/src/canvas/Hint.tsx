// Why a wire is refused: beside the pointer while it is drawn, and for a moment afterwards.

import { useConnection, useReactFlow, useStoreApi } from "@xyflow/react";
import { useEffect, useState } from "react";
import { convertersFor, refusal, type Wire } from "../graph";
import { useEditor, useStores } from "../store/hooks";
import { focusNode } from "./focus";

const SHOWN_MS = 6_000;
/** Long enough to read a reason and to reach for what it offers. */
const OFFERED_MS = 12_000;

/** Says the last thing, to eyes and to screen readers. */
export function Said() {
	const { editor } = useStores();
	const flow = useReactFlow();
	const said = useEditor((state) => state.said);
	const [shown, setShown] = useState(0);
	useEffect(() => {
		if (!said.text) return;
		setShown(said.number);
		const hide = () => {
			setShown(0);
			if (said.fix) editor.getState().forgetFix();
		};
		const timer = setTimeout(hide, said.fix ? OFFERED_MS : SHOWN_MS);
		return () => clearTimeout(timer);
	}, [said, editor]);
	const isShown = shown === said.number && said.text !== "";
	const { fix } = said;
	return (
		<>
			{/* What was done may wait for the end of a sentence; a refusal may not. */}
			<p className="sr-only" data-said="info" aria-live="polite">
				{said.tone === "info" && said.text}
			</p>
			<p className="sr-only" data-said="refusal" aria-live="assertive">
				{said.tone === "refusal" && said.text}
				{fix && ` Press C to put “${fix.converter.title}” between.`}
			</p>
			{isShown && (
				<div className={`said is-${said.tone}`}>
					<span aria-hidden="true">{said.text}</span>
					{fix && (
						<button
							type="button"
							className="btn btn-sm"
							onClick={() => {
								const id = editor.getState().convert(fix);
								if (id) focusNode(flow, id);
							}}
						>
							Put “{fix.converter.title}” between <kbd className="kbd kbd-xs">C</kbd>
						</button>
					)}
				</div>
			)}
		</>
	);
}

interface Refused {
	readonly reason: string;
	readonly wire: Wire | null;
}

const ALLOWED: Refused = { reason: "", wire: null };

export function WireHint() {
	const { editor } = useStores();
	const graph = useEditor((state) => state.graph);
	const flow = useStoreApi();
	const [pointer, setPointer] = useState({ x: 0, y: 0 });
	// As text, so that a pointer that moves on the same handle draws nothing anew.
	const told = useConnection((connection) => {
		const { fromHandle, toHandle } = connection;
		if (!connection.inProgress || !fromHandle || !toHandle || connection.isValid) return "";
		if (fromHandle.type === toHandle.type) {
			const isSame = fromHandle.nodeId === toHandle.nodeId;
			return isSame
				? ""
				: asText({ reason: "A wire leads from an output to an input.", wire: null });
		}
		const [source, target] =
			fromHandle.type === "source" ? [fromHandle, toHandle] : [toHandle, fromHandle];
		const wire = {
			source: source.nodeId,
			source_field: (source.id ?? "").replace(/^out:/, ""),
			target: target.nodeId,
			target_field: (target.id ?? "").replace(/^in:/, ""),
		};
		return asText({ reason: refusal(graph, wire), wire });
	});
	const isDrawing = useConnection((connection) => connection.inProgress);
	const { reason, wire } = told ? (JSON.parse(told) as Refused) : ALLOWED;
	const [converter] = wire && reason ? convertersFor(graph, wire) : [];
	useEffect(() => {
		if (!isDrawing) return;
		const follow = (event: PointerEvent) => setPointer({ x: event.clientX, y: event.clientY });
		document.addEventListener("pointermove", follow);
		return () => document.removeEventListener("pointermove", follow);
	}, [isDrawing]);
	useEffect(() => {
		const { wire } = told ? (JSON.parse(told) as Refused) : ALLOWED;
		if (!wire) return;
		const onKey = (event: KeyboardEvent) => {
			const [converter] = convertersFor(editor.getState().graph, wire);
			if (event.key.toLowerCase() !== "c" || event.ctrlKey || event.metaKey || !converter) return;
			event.preventDefault();
			event.stopImmediatePropagation();
			// The hand still holds the wire: letting go must not refuse it once more.
			editor.getState().setLoose(null);
			flow.getState().cancelConnection();
			editor.getState().convert({ wire, converter });
		};
		window.addEventListener("keydown", onKey, true);
		return () => window.removeEventListener("keydown", onKey, true);
	}, [told, editor, flow]);
	if (!reason) return null;
	return (
		<p className="wire-hint" style={{ left: pointer.x, top: pointer.y }} role="status">
			{reason}
			{converter && (
				<span className="wire-hint-way">
					Press <kbd className="kbd kbd-xs">C</kbd> to put “{converter.title}” between.
				</span>
			)}
		</p>
	);
}

function asText(refused: Refused): string {
	return JSON.stringify(refused);
}
