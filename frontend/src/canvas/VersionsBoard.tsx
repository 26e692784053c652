// The chosen versions as a picture over the board.

import { useMemo } from "react";
import type { Graph, Path } from "../graph";
import { useEditor, useStores, useVersions } from "../store/hooks";
import { DiffBoard } from "./DiffBoard";

export interface Compared {
	readonly before: Graph;
	readonly after: Graph;
	readonly title: string;
	/** The version that is compared with the drawing; null when two are compared. */
	readonly single: number | null;
	readonly path: Path;
	onPath(path: Path): void;
}

/** What is compared now, if anything is. */
export function useComparison(): Compared | null {
	const { versions } = useStores();
	const chosen = useVersions((state) => state.chosen);
	const graphs = useVersions((state) => state.graphs);
	const path = useVersions((state) => state.path);
	const present = useEditor((state) => state.history.present);
	return useMemo(() => {
		const [first, second] = chosen.toSorted((one, other) => one - other);
		const before = first === undefined ? undefined : graphs[first];
		const after = second === undefined ? present : graphs[second];
		if (first === undefined || !before || !after) return null;
		const title =
			second === undefined
				? `From version ${first} to the drawing as it is now`
				: `From version ${first} to version ${second}`;
		const single = second === undefined ? first : null;
		const onPath = (way: Path) => versions.getState().showLevel(way);
		return { before, after, title, single, path, onPath };
	}, [chosen, graphs, path, present, versions]);
}

export function VersionsBoard() {
	const { versions } = useStores();
	const found = useComparison();
	if (!found) return null;
	return (
		<div className="versions-board">
			<p className="versions-board-head">
				<span>{found.title}</span>
				<button type="button" className="btn btn-xs" onClick={() => versions.getState().clear()}>
					Back to drawing
				</button>
			</p>
			<DiffBoard
				before={found.before}
				after={found.after}
				path={found.path}
				onPath={found.onPath}
				label={found.title}
			/>
		</div>
	);
}
