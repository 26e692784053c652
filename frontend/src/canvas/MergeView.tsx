// Two people's work in one drawing: what each did, what is disputed, and how the result looks.

import { useEffect, useMemo, useRef, useState } from "react";
import { type Path, TOP, toSpec } from "../graph";
import type { Choices, Conflict, Side } from "../graph/conflicts";
import { diff, type GraphDiff, told } from "../graph/diff";
import { merge } from "../graph/merge";
import { Icon } from "../nodes/Icon";
import type { Clash } from "../store/clash";
import { useEditor, useStores } from "../store/hooks";
import { DiffBoard } from "./DiffBoard";
import { download } from "./download";
import { handFocusOn } from "./focus";

interface MergeViewProps {
	conflict: Clash;
	onClose(): void;
}

export function MergeView({ conflict, onClose }: MergeViewProps) {
	const { saver, page } = useStores();
	const mine = useEditor((state) => state.history.present);
	const [choices, setChoices] = useState<Choices>({});
	const [path, setPath] = useState<Path>(TOP);
	const [isBusy, setBusy] = useState(false);
	const [isShown, setShown] = useState(false);
	const dialog = useRef<HTMLDialogElement>(null);
	const done = useRef<HTMLButtonElement>(null);
	const { base, theirs } = conflict;
	const merged = useMemo(() => merge(base, mine, theirs, choices), [base, mine, theirs, choices]);
	const sides = useMemo(
		() => ({ mine: diff(base, mine), theirs: diff(base, theirs) }),
		[base, mine, theirs],
	);
	const who = conflict.by || "Somebody else";
	const open = merged.conflicts.filter(({ key }) => !choices[key]);
	useEffect(() => {
		dialog.current?.showModal();
		setShown(true); // The board measures itself: it begins when there is room for it.
		// With nothing to decide, Enter saves.
		done.current?.focus();
		return handFocusOn;
	}, []);

	const takeAll = (side: Side) =>
		setChoices(Object.fromEntries(merged.conflicts.map(({ key }) => [key, side])));
	const save = async () => {
		setBusy(true);
		const isSaved = await saver.getState().saveMerged(choices);
		setBusy(false);
		if (isSaved || !saver.getState().conflict) close();
	};
	// The browser gives the focus back to the button that opened it, if that is still there.
	const close = () => dialog.current?.close();
	return (
		<dialog ref={dialog} className="merge" aria-labelledby="merge-title" onClose={onClose}>
			<header className="merge-head">
				<h2 id="merge-title">{who} has saved this pipeline too</h2>
				<button
					type="button"
					className="btn btn-ghost btn-sm btn-square"
					aria-label="Close, and go on drawing"
					onClick={close}
				>
					<Icon name="close" />
				</button>
			</header>
			<form
				className="merge-body"
				onSubmit={(event) => {
					event.preventDefault();
					if (open.length === 0) void save();
				}}
			>
				<div className="merge-words">
					{merged.conflicts.length === 0 ? (
						<p className="merge-calm">
							<Icon name="check" /> Nothing contradicts: both fit into one drawing.
						</p>
					) : (
						<Disputes
							conflicts={merged.conflicts}
							who={who}
							choices={choices}
							onChoose={(key, side) => setChoices({ ...choices, [key]: side })}
							onAll={takeAll}
							onShow={setPath}
						/>
					)}
					<Changes title={`${who} did`} changes={sides.theirs} onShow={setPath} />
					<Changes title="You did" changes={sides.mine} onShow={setPath} />
				</div>
				<div className="merge-board">
					{isShown && (
						<DiffBoard
							before={base}
							after={merged.graph}
							path={path}
							onPath={setPath}
							disputed={open}
							label="The merged drawing, compared with what both began with"
						/>
					)}
				</div>
				<footer className="merge-foot">
					{open.length > 0 && (
						<p className="merge-open">
							{open.length === 1 ? "One thing is" : `${open.length} things are`} undecided.
						</p>
					)}
					<button
						ref={done}
						type="submit"
						className="btn btn-primary"
						disabled={open.length > 0 || isBusy}
					>
						{isBusy ? "Saving…" : "Save the merged pipeline"}
					</button>
					<button
						type="button"
						className="btn"
						onClick={() => {
							close();
							saver.getState().loadTheirs();
						}}
					>
						Load theirs, keep mine aside
					</button>
					<span className="merge-downloads">
						<button
							type="button"
							className="btn btn-ghost btn-sm"
							onClick={() => download(`${page.pipeline}-mine`, toSpec(mine))}
						>
							Download mine
						</button>
						<button
							type="button"
							className="btn btn-ghost btn-sm"
							onClick={() => download(`${page.pipeline}-theirs`, toSpec(theirs))}
						>
							Download theirs
						</button>
					</span>
				</footer>
			</form>
		</dialog>
	);
}

interface DisputesProps {
	conflicts: readonly Conflict[];
	who: string;
	choices: Choices;
	onChoose(key: string, side: Side): void;
	onAll(side: Side): void;
	onShow(path: Path): void;
}

function Disputes({ conflicts, who, choices, onChoose, onAll, onShow }: DisputesProps) {
	return (
		<section aria-labelledby="merge-disputes">
			<h3 id="merge-disputes">To decide: {conflicts.length}</h3>
			<div className="button-row">
				<button type="button" className="btn btn-sm" onClick={() => onAll("mine")}>
					Take all mine
				</button>
				<button type="button" className="btn btn-sm" onClick={() => onAll("theirs")}>
					Take all theirs
				</button>
			</div>
			{conflicts.map((conflict) => (
				<fieldset key={conflict.key} className="dispute">
					<legend>{conflict.title}</legend>
					{(["mine", "theirs"] as const).map((side) => (
						<label key={side} className="dispute-side">
							<input
								type="radio"
								className="radio radio-sm"
								name={conflict.key}
								checked={choices[conflict.key] === side}
								onChange={() => {
									onChoose(conflict.key, side);
									onShow(conflict.path);
								}}
							/>
							<span>
								<span className="dispute-who">{side === "mine" ? "Mine" : `Theirs (${who})`}</span>
								<span className="dispute-value">{conflict[side]}</span>
							</span>
						</label>
					))}
					<p className="dispute-base">It was: {conflict.base}</p>
				</fieldset>
			))}
		</section>
	);
}

interface ChangesProps {
	title: string;
	changes: GraphDiff;
	onShow(path: Path): void;
}

/** What differs, sentence by sentence; those inside of a step lead there. */
export function Changes({ title, changes, onShow }: ChangesProps) {
	const entries = told(changes);
	return (
		<section className="changes" aria-label={title}>
			<h3>{title}</h3>
			{entries.length === 0 && <p className="panel-note">Nothing.</p>}
			<ul>
				{entries.map(({ what, how, id, path, says }) => (
					<li key={`${what} ${id} ${JSON.stringify(path)}`} className={`change is-${how}`}>
						<Icon name={CHANGE_ICONS[how]} />
						<button type="button" className="change-says" onClick={() => onShow(path)}>
							{says}
						</button>
					</li>
				))}
			</ul>
		</section>
	);
}

const CHANGE_ICONS = {
	added: "plus",
	removed: "trash",
	changed: "edit",
	moved: "tidy",
} as const;
