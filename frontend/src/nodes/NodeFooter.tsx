// The foot of a node: how its last run went. A node of which nothing is known has none.

import type { NodeState } from "../api/runs";
import { useStores, useTry } from "../store/hooks";
import { firstLine, lastLines, showValue, spent } from "../store/values";
import { Icon, type IconName } from "./Icon";
import { type NodeNews, stateWord, useNodeNews } from "./running";

const STATE_ICONS: Readonly<Record<Exclude<NodeState, "running">, IconName>> = {
	waiting: "wait",
	done: "check",
	failed: "warning",
	skipped: "skip",
	given: "copy",
};
/** A card is no place to read: the inspector shows all of it. */
const MOST_FIELDS = 3;
const MOST_LETTERS = 300;
const LINES = 2;

export function NodeFooter({ id }: { id: string }) {
	// One question for all that is asked below: of most drawings nothing has run yet.
	const isQuiet = useTry(({ ran, known, edits }) => !ran && isEmpty(known) && isEmpty(edits));
	return isQuiet ? null : <News id={id} />;
}

function isEmpty(record: object): boolean {
	for (const _ in record) return false;
	return true;
}

function News({ id }: { id: string }) {
	const news = useNodeNews(id);
	if (!news.run && !news.known && !news.edits) return null;
	return <Footer {...news} />;
}

function Footer({ run, known, edits, stale }: NodeNews) {
	const state = run?.state;
	const isOpen = state === "waiting" || state === "running";
	const isFaded = stale !== "" && !isOpen && state !== "failed";
	const outputs = { ...(run?.outputs ?? known?.outputs), ...edits };
	const showsValues = !isOpen && state !== "failed";
	return (
		<footer
			className={`node-footer is-${state ?? "known"} ${isFaded ? "is-stale" : ""}`}
			title={isFaded ? stale : undefined}
		>
			<p className="node-state">
				<StateMark state={state} />
				<span>{stateWord({ run, known })}</span>
				{edits && <span className="node-edited">edited</span>}
				{isFaded && (
					<span className="node-edited">
						out of date<span className="sr-only">: {stale}</span>
					</span>
				)}
				{state !== "waiting" && state !== "skipped" && state !== "given" && (
					<span className="node-spent">{spent(run ?? known ?? {})}</span>
				)}
				{state === "running" && <Cancel />}
			</p>
			{state === "running" && run?.text && (
				<p className="node-stream" aria-hidden="true">
					{lastLines(run.text, LINES)}
				</p>
			)}
			{state === "failed" && <p className="node-error">{firstLine(run?.error ?? "")}</p>}
			{state === "skipped" && run?.error && <p className="node-why">{firstLine(run.error)}</p>}
			{showsValues && <Answer outputs={outputs} />}
		</footer>
	);
}

/** A shape for each state, because colour alone tells nothing to many. */
export function StateMark({ state }: { state: NodeState | undefined }) {
	if (state === "running") {
		return <span className="loading loading-spinner loading-xs" aria-hidden="true" />;
	}
	return <Icon name={state ? STATE_ICONS[state] : "check"} />;
}

function Answer({ outputs }: { outputs: Readonly<Record<string, unknown>> }) {
	const fields = Object.entries(outputs);
	if (fields.length === 0) return null;
	return (
		<dl className="node-answer">
			{fields.slice(0, MOST_FIELDS).map(([field, value]) => (
				<div key={field}>
					<dt>{field}</dt>
					<dd>{showValue(value).slice(0, MOST_LETTERS)}</dd>
				</div>
			))}
		</dl>
	);
}

function Cancel() {
	const { trying, editor } = useStores();
	if (editor.getState().readOnly) return null;
	return (
		<button
			type="button"
			className="node-cancel nodrag nopan nokey"
			aria-label="Cancel the run"
			title="Cancel the run"
			onClick={(event) => {
				event.stopPropagation();
				void trying.getState().cancel();
			}}
			onKeyDown={keepKeys}
		>
			<Icon name="stop" />
		</button>
	);
}

/** The board has a use for these keys too; here they press the button. */
export function keepKeys(event: { key: string; stopPropagation(): void }): void {
	if (event.key === "Enter" || event.key === " ") event.stopPropagation();
}
