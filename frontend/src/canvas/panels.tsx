// The panels below the board as a table: what the toolbar calls them, and what they show.

import type { ComponentType } from "react";
import type { IconName } from "../nodes/Icon";
import type { PanelName } from "../store/view";
import { CodePanel } from "./CodePanel";
import { TryPanel } from "./TryPanel";
import { VersionsPanel } from "./VersionsPanel";

export interface PanelLook {
	readonly title: string;
	readonly icon: IconName;
	readonly Body: ComponentType;
}

/** In the order of the toolbar's buttons. */
export const PANELS: Readonly<Record<PanelName, PanelLook>> = {
	try: { title: "Try", icon: "run", Body: TryPanel },
	code: { title: "Code", icon: "code", Body: CodePanel },
	versions: { title: "Versions", icon: "history", Body: VersionsPanel },
};
