// The page: palette, board, inspector, and the panel for trying it.

import { ReactFlowProvider, useReactFlow } from "@xyflow/react";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { addressOf, bridge } from "../graph";
import { Inspector } from "../inspector/Inspector";
import { Icon } from "../nodes/Icon";
import { useEditor, useStores, useView } from "../store/hooks";
import { bridgeLevel } from "../store/levels";
import { Arrange } from "./Arrange";
import { Banners } from "./Banners";
import { Crumbs } from "./Crumbs";
import { Flow } from "./Flow";
import { FIT } from "./fit";
import { Said, WireHint } from "./Hint";
import { KeysDialog } from "./KeysDialog";
import { Palette } from "./Palette";
import { PANELS } from "./panels";
import { QuickAdd } from "./QuickAdd";
import { RunSays } from "./RunSays";
import { Toolbar } from "./Toolbar";
import { useKeys } from "./useKeys";
import { VersionsBoard } from "./VersionsBoard";

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
	const isInside = useEditor((state) => state.path.length > 0);
	const readOnly = useEditor((state) => state.readOnly);
	const panel = useView((state) => state.panel);
	const Panel = panel && PANELS[panel].Body;
	const level = useEditor((state) => addressOf(state.path));
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
	useRoom(panel !== "");
	return (
		<div className={`canvas ${panel ? "has-panel" : ""} ${isLoose ? "is-wiring" : ""}`}>
			<Toolbar sheet={sheet} onSheet={setSheet} />
			{!readOnly && (
				<Side name="palette" title="Add" isOpen={sheet === "palette"} onClose={close}>
					<Palette onAdded={close} />
				</Side>
			)}
			<section className={`board ${isInside ? "is-inside" : ""}`} aria-label="Drawing board">
				<Banners repairs={repairs} />
				<Crumbs />
				<Flow key={level} />
				<VersionsBoard />
				<Empty onPalette={() => setSheet("palette")} />
				<Arrange />
				<WireHint />
				<Said />
				<RunSays />
			</section>
			<Side name="inspector" title="Selected" isOpen={sheet === "inspector"} onClose={close}>
				<Inspector />
			</Side>
			{Panel && <Panel />}
			<QuickAdd />
			<KeysDialog />
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
		state.graph.nodes.some(({ kind }) => kind !== "input" && kind !== "output"),
	);
	const readOnly = useEditor((state) => state.readOnly);
	const canBridge = useEditor((state) => bridge(state.graph) !== state.graph);
	const { editor, offers } = useStores();
	if (hasStep) return null;
	if (readOnly) return <p className="empty">Nothing is drawn here yet.</p>;
	const predict = offers.find(({ key }) => key === "predict");
	return (
		<div className="empty">
			<p className="empty-title">No step yet</p>
			{canBridge ? (
				<p>Its ends have their fields: a step between them is wired at once.</p>
			) : (
				<ol>
					<li>Add a step, such as Predict.</li>
					<li>Say in its signature what goes in and what comes out.</li>
					<li>Give the input its fields, and draw wires from left to right.</li>
				</ol>
			)}
			<div className="button-row">
				{predict && (
					<button
						type="button"
						className="btn btn-primary btn-sm"
						onClick={() =>
							canBridge
								? bridgeLevel(editor)
								: editor.getState().add(predict.blank, { x: 340, y: 0 })
						}
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
function useRoom(isTaken: boolean): void {
	const flow = useReactFlow();
	const before = useRef(isTaken);
	useEffect(() => {
		if (before.current === isTaken) return;
		before.current = isTaken;
		const timer = setTimeout(() => void flow.fitView(FIT), 50);
		return () => clearTimeout(timer);
	}, [isTaken, flow]);
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
