// The stores of the page, for components.

import { createContext, useContext } from "react";
import { useStore } from "zustand";
import { useShallow } from "zustand/react/shallow";
import type { Drafts } from "./drafts";
import type { Editor, EditorState } from "./editor";
import type { Offer, PageData } from "./page";
import type { Saver, SaverState } from "./saver";
import type { Trying, TryState } from "./trying";

export interface Stores {
	readonly page: PageData;
	readonly offers: readonly Offer[];
	readonly editor: Editor;
	readonly saver: Saver;
	readonly trying: Trying;
	readonly drafts: Drafts;
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
