// Above the board: undo, tidy, the state of saving, the problems, and the ways on.

import { useReactFlow } from "@xyflow/react";
import { useRef } from "react";
import { type Problem, tidy } from "../graph";
import { Icon, type IconName } from "../nodes/Icon";
import { useEditor, useSaver, useStores, useTry } from "../store/hooks";
import type { Sheet } from "./App";
import { FIT } from "./fit";

interface ToolbarProps {
	sheet: Sheet;
	onSheet(sheet: Sheet): void;
}

export function Toolbar({ sheet, onSheet }: ToolbarProps) {
	const { editor, page, trying } = useStores();
	const flow = useReactFlow();
	const readOnly = useEditor((state) => state.readOnly);
	const canUndo = useEditor((state) => state.history.past.length > 0);
	const canRedo = useEditor((state) => state.history.future.length > 0);
	const hasProblems = useEditor((state) => state.problems.length > 0);
	const isTrying = useTry((state) => state.open);
	return (
		<div className="toolbar" role="toolbar" aria-label="Canvas">
			<a className="toolbar-name" href={page.urls.pipelines} title="All pipelines">
				{page.name}
			</a>
			{!readOnly && (
				<div className="toolbar-group">
					<Tool
						icon="undo"
						label="Undo (Ctrl+Z)"
						disabled={!canUndo}
						onClick={() => editor.getState().undo()}
					/>
					<Tool
						icon="redo"
						label="Redo (Ctrl+Y)"
						disabled={!canRedo}
						onClick={() => editor.getState().redo()}
					/>
					<Tool
						icon="tidy"
						label="Tidy up"
						onClick={() => {
							editor.getState().change(tidy);
							requestAnimationFrame(() => void flow.fitView(FIT));
						}}
					/>
				</div>
			)}
			<Tool icon="fit" label="Zoom to fit" onClick={() => void flow.fitView(FIT)} />
			<SaveState />
			<div className="toolbar-end">
				<div className="toolbar-group narrow-only">
					{!readOnly && (
						<Tool
							icon="plus"
							label="Add a node"
							pressed={sheet === "palette"}
							onClick={() => onSheet(sheet === "palette" ? "" : "palette")}
						/>
					)}
					<Tool
						icon="edit"
						label="Edit what is selected"
						pressed={sheet === "inspector"}
						onClick={() => onSheet(sheet === "inspector" ? "" : "inspector")}
					/>
				</div>
				<Problems />
				<button
					type="button"
					className={`btn btn-sm ${isTrying ? "btn-active" : ""}`}
					aria-pressed={isTrying}
					onClick={() => trying.getState().toggle()}
				>
					<Icon name="run" /> Try
				</button>
				{page.urls.compile && (
					<a
						className={`btn btn-primary btn-sm ${hasProblems ? "is-blocked" : ""}`}
						href={page.urls.compile}
						aria-disabled={hasProblems}
						title={hasProblems ? "Mend the problems first." : "Search for better prompts"}
						onClick={(event) => {
							if (!hasProblems) return;
							event.preventDefault();
							editor
								.getState()
								.say("The pipeline has problems: mend them, then compile.", "refusal");
						}}
					>
						<Icon name="compile" /> Compile
					</a>
				)}
			</div>
		</div>
	);
}

interface ToolProps {
	icon: IconName;
	label: string;
	disabled?: boolean;
	pressed?: boolean;
	onClick(): void;
}

function Tool({ icon, label, disabled = false, pressed, onClick }: ToolProps) {
	return (
		<button
			type="button"
			className={`btn btn-ghost btn-sm btn-square ${pressed ? "btn-active" : ""}`}
			title={label}
			aria-label={label}
			aria-pressed={pressed}
			disabled={disabled}
			onClick={onClick}
		>
			<Icon name={icon} />
		</button>
	);
}

function SaveState() {
	const phase = useSaver((state) => state.phase);
	const message = useSaver((state) => state.message);
	const readOnly = useEditor((state) => state.readOnly);
	const { saver } = useStores();
	if (readOnly) return <p className="save-state">You may look, not change</p>;
	const words = {
		saved: "Saved",
		unsaved: "Unsaved edits",
		saving: "Saving…",
		failed: `Not saved: ${message}`,
		conflict: "Not saved: somebody else has saved",
	}[phase];
	return (
		<p className={`save-state is-${phase}`} role="status">
			<span className="save-dot" aria-hidden="true" />
			<span className="save-words" title={words}>
				{words}
			</span>
			{phase === "failed" && (
				<button
					type="button"
					className="btn btn-xs"
					onClick={() => void saver.getState().saveNow()}
				>
					Try again
				</button>
			)}
		</p>
	);
}

function Problems() {
	const { editor } = useStores();
	const flow = useReactFlow();
	const problems = useEditor((state) => state.problems);
	const menu = useRef<HTMLDetailsElement>(null);
	const go = (problem: Problem) => {
		if (menu.current) menu.current.open = false;
		const { present } = editor.getState().history;
		const edge = present.edges.find(({ id }) => id === problem.edge);
		const node = problem.node || edge?.target;
		if (!node) return;
		editor.getState().select([node]);
		void flow.fitView({ nodes: [{ id: node }], maxZoom: 1.1, duration: 300, padding: 0.6 });
	};
	if (problems.length === 0) {
		return (
			<p className="no-problems">
				<Icon name="check" />
				<span>No problems</span>
			</p>
		);
	}
	return (
		<details className="problems" data-menu ref={menu}>
			<summary className="btn btn-sm problems-button">
				<Icon name="warning" />
				<span>
					{problems.length} problem{problems.length === 1 ? "" : "s"}
				</span>
			</summary>
			<ul className="problems-list">
				{problems.slice(0, 100).map((problem) => (
					<li key={`${problem.code} ${problem.node} ${problem.field} ${problem.edge}`}>
						<button type="button" onClick={() => go(problem)}>
							{problem.message}
						</button>
					</li>
				))}
				{problems.length > 100 && <li className="panel-note">and {problems.length - 100} more</li>}
			</ul>
		</details>
	);
}
