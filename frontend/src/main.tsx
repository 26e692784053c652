// Begins the canvas with what the server has put into the page.

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@xyflow/react/dist/base.css";
import "./canvas/frame.css";
import "./canvas/nodes.css";
import "./canvas/board.css";
import "./canvas/panels.css";
import "./canvas/narrow.css";
import { cancelRun, readRun, savePipeline, startTry } from "./api/client";
import { App } from "./canvas/App";
import { readSpec } from "./graph";
import { createDrafts } from "./store/drafts";
import { createEditor } from "./store/editor";
import { type Stores, StoresContext } from "./store/hooks";
import { offersOf, type PageData, readPage } from "./store/page";
import { createSaver } from "./store/saver";
import { createTrying } from "./store/trying";

function begin(): void {
	const root = document.getElementById("canvas");
	if (!root) return;
	const page = readPage();
	const { graph, repairs, refused } = readSpec(page.spec);
	if (!graph) {
		const words = document.createElement("p");
		words.className = "canvas-refused";
		words.textContent = refused;
		root.replaceChildren(words);
		return;
	}
	const editor = createEditor(
		graph,
		!page.may_write,
		new Set(page.palette.kinds.map(({ kind }) => kind)),
	);
	if (repairs.length === 0) editor.getState().judge(graph, page.problems);
	createRoot(root).render(
		<StrictMode>
			<StoresContext value={makeStores(page, editor)}>
				<App repairs={repairs} />
			</StoresContext>
		</StrictMode>,
	);
}

function makeStores(page: PageData, editor: ReturnType<typeof createEditor>): Stores {
	const drafts = createDrafts(shelf(), page.project, page.pipeline);
	const saver = createSaver({
		editor,
		drafts,
		revision: page.revision,
		save: (spec, base) => savePipeline(page.urls.pipeline, spec, base),
	});
	const trying = createTrying({
		connection: page.palette.connections[0]?.slug ?? "",
		save: () => saver.getState().saveNow(),
		start: (connection, inputs) => startTry(page.urls.try, connection, inputs),
		read: (run) => readRun(`${page.urls.runs}${encodeURIComponent(run)}/`),
		cancel: (run) => cancelRun(`${page.urls.runs}${encodeURIComponent(run)}/cancel/`),
	});
	return { page, offers: offersOf(page), editor, saver, trying, drafts };
}

/** The browser's storage, or one that forgets where storing is forbidden. */
function shelf(): Pick<Storage, "getItem" | "setItem" | "removeItem"> {
	try {
		return window.localStorage;
	} catch {
		return { getItem: () => null, setItem: () => {}, removeItem: () => {} };
	}
}

begin();
