// The head of a panel below the board: what it is, what can be done with it, and the way out.

import type { ReactNode } from "react";
import { Icon } from "../nodes/Icon";
import { useStores } from "../store/hooks";

interface PanelHeadProps {
	/** On the left: a heading, or the tabs of the panel. */
	title: ReactNode;
	/** On the right, before the button that closes the panel. */
	children?: ReactNode;
}

export function PanelHead({ title, children }: PanelHeadProps) {
	const { view } = useStores();
	return (
		<header className="panel-below-head">
			{title}
			<div className="button-row">
				{children}
				<button
					type="button"
					className="btn btn-ghost btn-sm btn-square"
					aria-label="Close the panel"
					onClick={() => {
						const opener = `.toolbar [data-panel="${view.getState().panel}"]`;
						view.getState().show("");
						document.querySelector<HTMLElement>(opener)?.focus();
					}}
				>
					<Icon name="close" />
				</button>
			</div>
		</header>
	);
}
