// The stores of the page, for components.

import { createContext, useContext } from "react";
import { useStore } from "zustand";
import { useShallow } from "zustand/react/shallow";
import type { Board, BoardState } from "./board";
import type { Code, CodeState } from "./code";
import type { Drafts } from "./drafts";
import type { Editor, EditorState } from "./editor";
import type { Offer, PageData } from "./page";
import type { Saver } from "./saver";
import type { SaverState } from "./saving";
import type { Trying, TryState } from "./trying";
import type { VersionsState, VersionsStore } from "./versions";
import type { View, ViewState } from "./view";

export interface Stores {
	readonly page: PageData;
	readonly offers: readonly Offer[];
	readonly editor: Editor;
	readonly saver: Saver;
	readonly trying: Trying;
	readonly drafts: Drafts;
	readonly view: View;
	readonly versions: VersionsStore;
	readonly board: Board;
	readonly code: Code;
}

export const StoresContext = createContext<Stores | null>(null);

export function useStores(): Stores {
	const stores = useContext(StoresContext);
	if (!stores) throw new Error("StoresContext is missing above this component.");
	return stores;
}

export function useEditor<T>(select: (state: EditorState) => T): T {
	return useStore(useStores().editor, useShallow(select));
}

export function useSaver<T>(select: (state: SaverState) => T): T {
	return useStore(useStores().saver, useShallow(select));
}

export function useTry<T>(select: (state: TryState) => T): T {
	return useStore(useStores().trying, useShallow(select));
}

export function useVersions<T>(select: (state: VersionsState) => T): T {
	return useStore(useStores().versions, useShallow(select));
}

export function useView<T>(select: (state: ViewState) => T): T {
	return useStore(useStores().view, useShallow(select));
}

export function useBoard<T>(select: (state: BoardState) => T): T {
	return useStore(useStores().board, useShallow(select));
}

export function useCode<T>(select: (state: CodeState) => T): T {
	return useStore(useStores().code, useShallow(select));
}
