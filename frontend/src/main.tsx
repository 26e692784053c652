// Begins the canvas with what the server has put into the page.

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@xyflow/react/dist/base.css";
import "./canvas/frame.css";
import "./canvas/nodes.css";
import "./canvas/board.css";
import "./canvas/drawing.css";
import "./canvas/levels.css";
import "./canvas/panels.css";
import "./canvas/inspector.css";
import "./canvas/running.css";
import "./canvas/trying.css";
import "./canvas/code.css";
import "./canvas/diff.css";
import "./canvas/versions.css";
import "./canvas/narrow.css";
import { savePipeline } from "./api/client";
import { readCode, writeCode } from "./api/code";
import { cancelRun, readRun, startTry } from "./api/runs";
import {
	listVersions,
	readPipeline,
	readRevision,
	readVersion,
	restoreVersion,
	saveVersion,
} from "./api/versions";
import { App } from "./canvas/App";
import { endIdsWith, pathOf, readSpec } from "./graph";
import { nodeIn } from "./graph/outline";
import { browserFactory, createAttic } from "./store/attic";
import { createBoard } from "./store/board";
import { createCode } from "./store/code";
import { browserShelf, createDrafts } from "./store/drafts";
import { createEditor } from "./store/editor";
import { type Stores, StoresContext } from "./store/hooks";
import { remember } from "./store/memory";
import { browserChannel, createNeighbours } from "./store/neighbours";
import { offersOf, type PageData, readPage } from "./store/page";
import { recall } from "./store/recall";
import { createSaver } from "./store/saver";
import { createTrying } from "./store/trying";
import { createVersions } from "./store/versions";
import { createView } from "./store/view";
import { watchPage } from "./store/watch";

function begin(): void {
	const root = document.getElementById("canvas");
	if (!root) return;
	const page = readPage();
	endIdsWith(() => `x${Math.random().toString(36).slice(2, 7)}`);
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
		{
			modules: new Set(page.palette.modules.map(({ slug }) => slug)),
			connections: new Set(page.palette.connections.map(({ slug }) => slug)),
		},
	);
	if (repairs.length === 0) editor.getState().judge(graph, page.problems);
	editor.getState().open(pathOf(window.location.hash), nodeIn(window.location.hash));
	createRoot(root).render(
		<StrictMode>
			<StoresContext value={makeStores(page, editor)}>
				<App repairs={repairs} />
			</StoresContext>
		</StrictMode>,
	);
}

function makeStores(page: PageData, editor: ReturnType<typeof createEditor>): Stores {
	const { project, pipeline, revision, urls } = page;
	const attic = createAttic(browserFactory());
	const drafts = createDrafts(browserShelf(), project, pipeline, { attic });
	const saver = createSaver({
		editor,
		drafts,
		revision,
		save: (spec, base) => savePipeline(urls.pipeline, spec, base),
		look: () => readPipeline(urls.pipeline),
		revisionAt: (number) => readRevision(urls.revisions, number),
		neighbours: createNeighbours(browserChannel(project, pipeline), drafts.tab),
	});
	const versions = createVersions({
		editor,
		saver,
		list: (before) => listVersions(urls.versions, before),
		read: (number) => readVersion(urls.versions, number),
		make: (message) => saveVersion(urls.versions, message),
		bringBack: (number, base) => restoreVersion(urls.versions, number, base),
	});
	watchPage(saver, remember(editor, attic, `history:${project}/${pipeline}`));
	void saver.getState().findDrafts();
	const view = createView();
	const board = createBoard();
	editor.subscribe((now, before) => {
		if (now.path === before.path) return;
		// Another level has other nodes under the same ids: what was meant for this one ends here.
		board.getState().close();
		view.getState().writeNote("");
	});
	const trying = createTrying({
		editor,
		connection: page.palette.connections[0]?.slug ?? "",
		save: () => saver.getState().saveNow(),
		start: (asked) => startTry(page.urls.try, asked),
		read: (run) => readRun(`${page.urls.runs}${encodeURIComponent(run)}/`),
		cancel: (run) => cancelRun(`${page.urls.runs}${encodeURIComponent(run)}/cancel/`),
		ask: () => view.getState().show("try"),
	});
	void recall(page, trying);
	const code = createCode({
		editor,
		write: (spec) => writeCode(page.urls.code, spec),
		read: (text, spec) => readCode(page.urls.read_code, text, spec),
	});
	return {
		page,
		offers: offersOf(page),
		editor,
		saver,
		trying,
		drafts,
		versions,
		view,
		board,
		code,
	};
}

begin();
