// Over the board while several nodes are selected: in line, spread, tidied up.

import { useReactFlow } from "@xyflow/react";
import { Icon, type IconName } from "../nodes/Icon";
import { useEditor, useStores } from "../store/hooks";
import { AXES, alignChosen, SIDES, spreadChosen, tidyUp } from "./arranging";

export function Arrange() {
	const { editor } = useStores();
	const flow = useReactFlow();
	const count = useEditor((state) => (state.readOnly ? 0 : state.selection.nodes.length));
	if (count < 2) return null;
	const canvas = { editor, flow };
	return (
		<div className="arrange" role="toolbar" aria-label="Arrange what is selected">
			{SIDES.map(({ name, key, words, icon }) => (
				<Tool
					key={name}
					label={`${words} (${key})`}
					icon={icon}
					onClick={() => alignChosen(canvas, name)}
				/>
			))}
			<span className="arrange-gap" aria-hidden="true" />
			{AXES.map(({ name, key, words, icon }) => (
				<Tool
					key={name}
					label={`${words} (${key})`}
					icon={icon}
					disabled={count < 3}
					onClick={() => spreadChosen(canvas, name)}
				/>
			))}
			<span className="arrange-gap" aria-hidden="true" />
			<Tool
				label="Tidy up what is selected (Ctrl+Shift+L)"
				icon="tidy"
				onClick={() => tidyUp(canvas)}
			/>
		</div>
	);
}

interface ToolProps {
	label: string;
	icon: IconName;
	disabled?: boolean;
	onClick(): void;
}

function Tool({ label, icon, disabled = false, onClick }: ToolProps) {
	return (
		<button
			type="button"
			className="btn btn-ghost btn-sm btn-square"
			title={label}
			aria-label={label}
			disabled={disabled}
			onClick={onClick}
		>
			<Icon name={icon} />
		</button>
	);
}
