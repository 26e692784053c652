// Above the board: undo, tidy, the state of saving, the problems, and the ways on.

import { useReactFlow } from "@xyflow/react";
import { isStep } from "../graph";
import { Icon, type IconName } from "../nodes/Icon";
import { useEditor, useStores, useView } from "../store/hooks";
import { groupSelected } from "../store/levels";
import type { PanelName } from "../store/view";
import type { Sheet } from "./App";
import { tidyUp } from "./arranging";
import { FIT } from "./fit";
import { writeNote } from "./levelKeys";
import { Problems } from "./Problems";
import { PANELS } from "./panels";
import { SaveState } from "./SaveState";

interface ToolbarProps {
	sheet: Sheet;
	onSheet(sheet: Sheet): void;
}

export function Toolbar({ sheet, onSheet }: ToolbarProps) {
	const { editor, page, view, board } = useStores();
	const flow = useReactFlow();
	const readOnly = useEditor((state) => state.readOnly);
	const canUndo = useEditor((state) => state.history.past.length > 0);
	const canRedo = useEditor((state) => state.history.future.length > 0);
	const hasProblems = useEditor((state) => state.problems.length > 0);
	const canGroup = useEditor(({ graph, selection }) =>
		graph.nodes.some((node) => isStep(node) && selection.nodes.includes(node.id)),
	);
	const panel = useView((state) => state.panel);
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
						label="Tidy up (Ctrl+Shift+L)"
						onClick={() => tidyUp({ editor, flow })}
					/>
					<Tool
						icon="group"
						label="Group into a subpipeline (Ctrl+G)"
						disabled={!canGroup}
						onClick={() => groupSelected(editor)}
					/>
					<Tool
						icon="note"
						label="Write a note (N)"
						onClick={() => writeNote({ editor, view, flow })}
					/>
				</div>
			)}
			<Tool icon="fit" label="Zoom to fit (F)" onClick={() => void flow.fitView(FIT)} />
			<Tool icon="key" label="Keys (?)" onClick={() => board.getState().showKeys(true)} />
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
				<Problems onOpen={() => onSheet("inspector")} />
				{(Object.keys(PANELS) as PanelName[]).map((name) => (
					<button
						key={name}
						type="button"
						className={`btn btn-sm ${panel === name ? "btn-active" : ""}`}
						aria-pressed={panel === name}
						data-panel={name}
						onClick={() => view.getState().toggle(name)}
					>
						<Icon name={PANELS[name].icon} /> {PANELS[name].title}
					</button>
				))}
				{page.urls.evaluate && (
					<a className="btn btn-sm" href={page.urls.evaluate} title="Score it on a dataset">
						Evaluate
					</a>
				)}
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
