// The way to the level that is shown: pipeline ▸ node · part ▸ …, each a button; and the address.

import { useReactFlow } from "@xyflow/react";
import { Fragment, useEffect, useRef, useState } from "react";
import {
	addressOf,
	type Crumb,
	crumbsOf,
	first,
	type Graph,
	graphAt,
	isSameWay,
	isStep,
	nodeById,
	type Path,
	partsOf,
	pathOf,
} from "../graph";
import { Icon } from "../nodes/Icon";
import { useEditor, useStores } from "../store/hooks";
import { beginPart, openLevel } from "../store/levels";
import { FIT_NOW } from "./fit";
import { whenShown } from "./focus";

export function Crumbs() {
	const { editor, page } = useStores();
	const root = useEditor((state) => state.history.present);
	const path = useEditor((state) => state.path);
	const crumbs = crumbsOf(root, path);
	useAddress(path);
	const words = useArrival(path, page.name);
	return (
		<>
			<p className="sr-only" role="status">
				{words}
			</p>
			{crumbs.length > 0 && (
				<nav className="way" aria-label="Pipelines around this one">
					<button
						type="button"
						className="btn btn-ghost btn-xs btn-square"
						aria-label="Up to the pipeline around (Alt+Up)"
						title="Up to the pipeline around (Alt+↑)"
						onClick={() => openLevel(editor, path.slice(0, -1))}
					>
						<Icon name="up" />
					</button>
					<ol>
						<li>
							<button type="button" className="crumb" onClick={() => openLevel(editor, [])}>
								{page.name}
							</button>
						</li>
						{crumbs.map((crumb, index) => (
							<Fragment key={addressOf(crumb.way)}>
								<li aria-hidden="true" className="way-between">
									▸
								</li>
								<li>
									<Step crumb={crumb} isLast={index === crumbs.length - 1} />
								</li>
							</Fragment>
						))}
					</ol>
				</nav>
			)}
		</>
	);
}

/** A node on the way; the last one with its pipelines side by side. */
function Step({ crumb: { name, part, way, parts }, isLast }: { crumb: Crumb; isLast: boolean }) {
	const { editor } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	const missing = useEditor((state) => (isLast ? missingParts(state.history.present, way) : []));
	const above = way.slice(0, -1);
	const [holder] = way.slice(-1);
	if (!isLast) {
		return (
			<button type="button" className="crumb" onClick={() => openLevel(editor, way)}>
				{name} <span className="crumb-part">{part}</span>
			</button>
		);
	}
	return (
		<span className="crumb-tabs">
			<span className="crumb-name">{name}</span>
			{parts.map((other) => (
				<button
					key={other}
					type="button"
					className="crumb crumb-tab"
					aria-current={other === part ? "page" : undefined}
					onClick={() => holder && openLevel(editor, [...above, { ...holder, part: other }])}
				>
					{other}
				</button>
			))}
			{!readOnly &&
				missing.map((other) => (
					<button
						key={other}
						type="button"
						className="crumb crumb-tab is-missing"
						title={`Begin the pipeline “${other}”`}
						aria-label={`Begin the pipeline ${other}`}
						onClick={() => {
							if (!holder) return;
							openLevel(editor, above);
							beginPart(editor, holder.node, other);
						}}
					>
						<Icon name="plus" /> {other}
					</button>
				))}
		</span>
	);
}

function missingParts(root: Graph, way: Path): string[] {
	const [last] = way.slice(-1);
	const level = last && graphAt(root, way.slice(0, -1));
	const node = level && nodeById(level, last.node);
	if (!node || !isStep(node)) return [];
	return partsOf(node)
		.map(({ name }) => name)
		.filter((name) => !(name in node.parts));
}

/** The address says which level is shown, so that reloading and the browser's arrows lead there. */
function useAddress(path: Path): void {
	const { editor } = useStores();
	useEffect(() => {
		if (isSameWay(pathOf(window.location.hash), path)) return;
		const { pathname, search } = window.location;
		window.history.pushState(null, "", `${pathname}${search}${addressOf(path)}`);
	}, [path]);
	useEffect(() => {
		const follow = () => openLevel(editor, pathOf(window.location.hash));
		window.addEventListener("popstate", follow);
		return () => window.removeEventListener("popstate", follow);
	}, [editor]);
}

/** What is said when another level is shown; the keyboard's focus goes there, too. */
function useArrival(path: Path, name: string): string {
	const { editor } = useStores();
	const flow = useReactFlow();
	const [words, setWords] = useState("");
	const shown = useRef(path);
	useEffect(() => {
		const before = shown.current;
		if (isSameWay(before, path)) return;
		shown.current = path;
		const { history, graph, selection } = editor.getState();
		const last = crumbsOf(history.present, path).at(-1);
		const where = last ? `Inside ${last.name}, pipeline ${last.part}` : `The whole of ${name}`;
		const count = graph.nodes.length;
		setWords(`${where}: ${count} ${count === 1 ? "node" : "nodes"}.`);
		const [chosen] = selection.nodes;
		whenShown(chosen ?? first(graph), (node) => {
			// It was left again meanwhile.
			if (shown.current !== path) return;
			// Whoever leads to one node of another level shows that node.
			const isLed = chosen !== undefined && before[path.length]?.node !== chosen;
			if (!isLed) void flow.fitView(FIT_NOW);
			// Whoever came by a list or a field has the focus there already.
			const board = document.querySelector(".board");
			if (document.activeElement && !document.activeElement.contains(board)) return;
			node?.focus({ preventScroll: true });
		});
	}, [path, name, editor, flow]);
	return words;
}
