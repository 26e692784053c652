// What of the page is open. Nothing of it is saved.

import { createStore } from "zustand/vanilla";

/** The panels that may lie below the board, one at a time. */
export type PanelName = "try" | "versions" | "code";

export interface ViewState {
	panel: PanelName | "";
	/** The note that is written on the board. */
	note: string;

	/** Open the panel, or close it when it is open already. */
	toggle(panel: PanelName): void;
	show(panel: PanelName | ""): void;
	/** Write this note on the board; empty: none. */
	writeNote(id: string): void;
}

export type View = ReturnType<typeof createView>;

export function createView() {
	return createStore<ViewState>()((set) => ({
		panel: "",
		note: "",
		toggle: (panel) => set((state) => ({ panel: state.panel === panel ? "" : panel })),
		show: (panel) => set({ panel }),
		writeNote: (note) => set({ note }),
	}));
}
