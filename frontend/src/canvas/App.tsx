// The page: palette, board, inspector, and the panel for trying it.

import { ReactFlowProvider, useReactFlow } from "@xyflow/react";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { Inspector } from "../inspector/Inspector";
import { Icon } from "../nodes/Icon";
import { useEditor, useStores, useTry } from "../store/hooks";
import { Banners } from "./Banners";
import { Flow } from "./Flow";
import { FIT } from "./fit";
import { Said, WireHint } from "./Hint";
import { useKeys } from "./keys";
import { Palette } from "./Palette";
import { Toolbar } from "./Toolbar";
import { TryPanel } from "./TryPanel";

/** On a narrow screen one of the side panels lies over the board. */
export type Sheet = "" | "palette" | "inspector";

export function App({ repairs }: { repairs: readonly string[] }) {
	return (
		<ReactFlowProvider>
			<Page repairs={repairs} />
		</ReactFlowProvider>
	);
}

function Page({ repairs }: { repairs: readonly string[] }) {
	const [sheet, setSheet] = useState<Sheet>("");
	const readOnly = useEditor((state) => state.readOnly);
	const isTrying = useTry((state) => state.open);
	const isLoose = useEditor((state) => state.loose !== null);
	const close = useCallback(() => setSheet(""), []);
	const openInspector = useCallback(() => {
		setSheet("inspector");
		requestAnimationFrame(() =>
			document.querySelector<HTMLElement>(".inspector [data-first-field]")?.focus(),
		);
	}, []);
	useKeys(openInspector);
	useLeaving();
	useRoom(isTrying);
	return (
		<div className={`canvas ${isTrying ? "is-trying" : ""} ${isLoose ? "is-wiring" : ""}`}>
			<Toolbar sheet={sheet} onSheet={setSheet} />
			{!readOnly && (
				<Side name="palette" title="Add" isOpen={sheet === "palette"} onClose={close}>
					<Palette onAdded={close} />
				</Side>
			)}
			<section className="board" aria-label="Drawing board">
				<Banners repairs={repairs} />
				<Flow />
				<Empty onPalette={() => setSheet("palette")} />
				<WireHint />
				<Said />
			</section>
			<Side name="inspector" title="Selected" isOpen={sheet === "inspector"} onClose={close}>
				<Inspector />
			</Side>
			{isTrying && <TryPanel />}
		</div>
	);
}

interface SideProps {
	name: "palette" | "inspector";
	title: string;
	isOpen: boolean;
	onClose(): void;
	children: ReactNode;
}

function Side({ name, title, isOpen, onClose, children }: SideProps) {
	return (
		<aside className={`side ${name} ${isOpen ? "is-open" : ""}`} aria-label={title}>
			<header className="side-head">
				<h2>{title}</h2>
				<button
					type="button"
					className="btn btn-ghost btn-sm btn-square narrow-only"
					aria-label="Close"
					onClick={onClose}
				>
					<Icon name="close" />
				</button>
			</header>
			{children}
		</aside>
	);
}

/** What to do next, while there is no step. */
function Empty({ onPalette }: { onPalette(): void }) {
	const hasStep = useEditor((state) =>
		state.history.present.nodes.some(({ kind }) => kind !== "input" && kind !== "output"),
	);
	const readOnly = useEditor((state) => state.readOnly);
	const { editor, offers } = useStores();
	if (hasStep) return null;
	if (readOnly) return <p className="empty">Nothing is drawn here yet.</p>;
	const predict = offers.find(({ key }) => key === "predict");
	return (
		<div className="empty">
			<p className="empty-title">No step yet</p>
			<ol>
				<li>Add a step, such as Predict.</li>
				<li>Say in its signature what goes in and what comes out.</li>
				<li>Give the input its fields, and draw wires from left to right.</li>
			</ol>
			<div className="button-row">
				{predict && (
					<button
						type="button"
						className="btn btn-primary btn-sm"
						onClick={() => editor.getState().add(predict.blank, { x: 340, y: 0 })}
					>
						<Icon name="plus" /> Add a Predict step
					</button>
				)}
				<button type="button" className="btn btn-sm narrow-only" onClick={onPalette}>
					All that can be added
				</button>
			</div>
		</div>
	);
}

/** Show the whole pipeline again when the panel below takes or gives back room. */
function useRoom(isTrying: boolean): void {
	const flow = useReactFlow();
	const before = useRef(isTrying);
	useEffect(() => {
		if (before.current === isTrying) return;
		before.current = isTrying;
		const timer = setTimeout(() => void flow.fitView(FIT), 50);
		return () => clearTimeout(timer);
	}, [isTrying, flow]);
}

/** The browser asks before a page is left that holds unsaved edits. */
function useLeaving(): void {
	const { saver } = useStores();
	useEffect(() => {
		const ask = (event: BeforeUnloadEvent) => {
			const { phase } = saver.getState();
			if (phase !== "saved") event.preventDefault();
		};
		window.addEventListener("beforeunload", ask);
		return () => window.removeEventListener("beforeunload", ask);
	}, [saver]);
}
