// Two have saved: who did what, and the one click when nothing is disputed.

import { useMemo, useState } from "react";
import { diff, summary } from "../graph/diff";
import { merge } from "../graph/merge";
import type { Clash } from "../store/clash";
import { useEditor, useStores } from "../store/hooks";
import { Banner } from "./Banners";
import { MergeView } from "./MergeView";

export function MergeBanner({ conflict }: { conflict: Clash }) {
	const { saver } = useStores();
	const mine = useEditor((state) => state.history.present);
	const [isOpen, setOpen] = useState(false);
	const disputed = useMemo(
		() => merge(conflict.base, mine, conflict.theirs).conflicts.length,
		[conflict, mine],
	);
	const theirs = useMemo(() => summary(diff(conflict.base, conflict.theirs)), [conflict]);
	const who = conflict.by || "Somebody else";
	return (
		<>
			<Banner tone="warning" title={`${who} has saved this pipeline too`}>
				<p>
					{theirs ? `${who} ${theirs}. ` : ""}
					{disputed === 0
						? "Nothing of it contradicts what you did: both fit into one drawing."
						: `${disputed === 1 ? "One thing" : `${disputed} things`} both of you changed differently: you decide.`}
				</p>
				<div className="button-row">
					{disputed === 0 && (
						<button
							type="button"
							className="btn btn-sm btn-primary"
							onClick={() => void saver.getState().saveMerged({})}
						>
							Save both
						</button>
					)}
					<button
						type="button"
						className={`btn btn-sm ${disputed > 0 ? "btn-primary" : ""}`}
						onClick={() => setOpen(true)}
					>
						{disputed === 0 ? "Look at it first" : "Decide"}
					</button>
					<button
						type="button"
						className="btn btn-sm btn-ghost"
						onClick={() => saver.getState().loadTheirs()}
					>
						Load theirs, keep mine aside
					</button>
				</div>
			</Banner>
			{isOpen && <MergeView conflict={conflict} onClose={() => setOpen(false)} />}
		</>
	);
}
