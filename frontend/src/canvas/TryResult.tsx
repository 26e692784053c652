// What a try ended in: the outputs beside what was expected, and what every step did.

import { computeTheSame, fieldLabel, nodeById } from "../graph";
import { Icon } from "../nodes/Icon";
import type { Goal } from "../store/goals";
import { useEditor, useTry } from "../store/hooks";
import { sameValue } from "../store/known";
import { placeIn } from "../store/noderuns";
import { isBusy, type TryState } from "../store/trying";
import { firstLine, showValue, spent } from "../store/values";
import { useJump } from "./jump";
import { TryNodes } from "./TryNodes";

const WORDS = {
	idle: "Last time",
	starting: "Saving and starting…",
	queued: "Waiting for a worker…",
	running: "Running…",
	succeeded: "Done",
	failed: "It failed",
	cancelled: "Cancelled",
} as const;

export function TryResult() {
	const phase = useTry((state) => state.phase);
	const hasRan = useTry((state) => state.ran !== null);
	if (phase === "idle" && !hasRan) {
		return (
			<div className="try-result">
				<p className="panel-note">
					The answer, and what every step read and wrote, will stand here.
				</p>
			</div>
		);
	}
	return (
		<div className="try-result">
			<Phase />
			<Failure />
			<Outputs />
			<TryNodes />
		</div>
	);
}

function Phase() {
	const phase = useTry((state) => state.phase);
	const total = useTry((state) => state.spent);
	const goal = useTry((state) => state.goal);
	const ran = useTry((state) => state.ran);
	const isStale =
		useEditor((state) => ran !== null && !computeTheSame(state.history.present, ran.graph)) &&
		!isBusy(phase);
	const calls = total.calls === 1 ? "1 call" : `${total.calls} calls`;
	const told = [spent(total), total.calls > 0 ? calls : ""].filter(Boolean).join(" · ");
	const part = ran ? partOf(goal, ran) : "";
	return (
		<p className={`try-phase is-${phase}`}>
			{isBusy(phase) && <span className="loading loading-spinner loading-xs" aria-hidden="true" />}
			<span>{WORDS[phase]}</span>
			{(part || told) && (
				<span className="form-hint">{[part, told].filter(Boolean).join(" · ")}</span>
			)}
			{isStale && <span className="form-hint">The drawing has changed since.</span>}
		</p>
	);
}

/** How much of the pipeline was run. */
function partOf(goal: Goal, ran: NonNullable<TryState["ran"]>): string {
	if (goal.kind === "whole") return "";
	const name = nodeById(ran.graph, goal.node)?.name ?? "";
	return { until: `until ${name}`, only: `only ${name}`, rest: `what follows ${name}` }[goal.kind];
}

/** Which step failed, and the way to it; else what is to be said of the whole run. */
function Failure() {
	const jump = useJump();
	const message = useTry((state) => state.message);
	const ran = useTry((state) => state.ran);
	const [path, error] = useTry(({ nodes }) => {
		const found = Object.entries(nodes).filter(([, run]) => run.state === "failed");
		// The innermost is where it happened.
		const [deepest] = found.sort(([one], [other]) => other.length - one.length);
		return deepest ? [deepest[0], deepest[1].error || ""] : ["", ""];
	});
	const place = ran && path ? placeIn(ran.graph, path) : null;
	if (!place) return message && <p className="field-problem try-message">{message}</p>;
	return (
		<button type="button" className="try-failure" onClick={() => jump(place.way, place.id)}>
			<Icon name="warning" />
			<span>
				<strong className="mono">{path}</strong> failed: {firstLine(error || message)}
			</span>
		</button>
	);
}

function Outputs() {
	const outputs = useTry((state) => state.outputs);
	const phase = useTry((state) => state.phase);
	// What a part of the pipeline wrote is nothing that the dataset speaks of.
	const row = useTry(({ ran, goal }) =>
		goal.kind === "whole" || goal.kind === "rest" ? (ran?.row ?? null) : null,
	);
	const expected = row?.expected ?? {};
	const names = [...new Set([...Object.keys(outputs), ...Object.keys(expected)])];
	if (names.length === 0 || (isBusy(phase) && Object.keys(outputs).length === 0)) return null;
	return (
		<dl className="try-outputs">
			{names.map((name) => (
				<div key={name}>
					<dt>{fieldLabel(name)}</dt>
					{name in outputs && <dd>{showValue(outputs[name])}</dd>}
					{name in expected && (
						<Expected
							value={expected[name]}
							isSame={name in outputs ? sameValue(expected[name], outputs[name]) : null}
						/>
					)}
				</div>
			))}
		</dl>
	);
}

/** What the dataset says it should be. */
function Expected({ value, isSame }: { value: unknown; isSame: boolean | null }) {
	if (isSame) {
		return (
			<dd className="try-expected is-same">
				<Icon name="check" /> as in the dataset
			</dd>
		);
	}
	return (
		<dd className={`try-expected ${isSame === null ? "" : "is-other"}`}>
			{isSame === false && <Icon name="close" />} the dataset says: {showValue(value)}
		</dd>
	);
}
