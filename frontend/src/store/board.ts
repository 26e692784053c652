// What lies over the board for a moment: the search for a step, the lists for a wire, the keys.

import { createStore } from "zustand/vanilla";
import type { Slot } from "../graph";

/** A point of the window. */
export interface Point {
	readonly x: number;
	readonly y: number;
}

/** A list that is open over the board: steps to add, or where a wire may lead. */
export type Popover =
	| { readonly kind: "add"; readonly place: Slot; readonly at: Point }
	| { readonly kind: "wire"; readonly node: string; readonly at: Point };

export interface BoardState {
	popover: Popover | null;
	/** The wire that the pointer is on. */
	hovered: string;
	showsKeys: boolean;

	open(popover: Popover): void;
	close(): void;
	hover(edge: string): void;
	/** The pointer has left the wire; it may be on its way to the wire's button. */
	unhover(): void;
	showKeys(shown: boolean): void;
}

export type Board = ReturnType<typeof createBoard>;

const PATIENCE_MS = 350;

export function createBoard() {
	let leaving: ReturnType<typeof setTimeout> | undefined;
	return createStore<BoardState>()((set) => ({
		popover: null,
		hovered: "",
		showsKeys: false,
		open: (popover) => set({ popover }),
		close: () => set({ popover: null }),
		hover: (edge) => {
			clearTimeout(leaving);
			set({ hovered: edge });
		},
		unhover: () => {
			clearTimeout(leaving);
			leaving = setTimeout(() => set({ hovered: "" }), PATIENCE_MS);
		},
		showKeys: (showsKeys) => set({ showsKeys }),
	}));
}
