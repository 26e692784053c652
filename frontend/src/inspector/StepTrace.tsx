// How the last run of a step went: what it read and wrote, and ways to run it again.

import type { Values } from "../api/runs";
import type { StepNode } from "../graph";
import { StateMark } from "../nodes/NodeFooter";
import { RunItems } from "../nodes/RunMenu";
import { stateWord, useNodeNews } from "../nodes/running";
import { useEditor, useTry } from "../store/hooks";
import { fedIn } from "../store/known";
import type { TryState } from "../store/trying";
import { showValue, spent } from "../store/values";
import { CallTrace } from "./CallTrace";
import { StepValues } from "./StepValues";
import { useStep } from "./useStep";

export function StepTrace({ node }: { node: StepNode }) {
	const isTop = useEditor((state) => state.path.length === 0);
	const readOnly = useEditor((state) => state.readOnly);
	const news = useNodeNews(node.id);
	const step = useStep(node.id);
	const { run, known, stale } = news;
	const fed = useTry((state) => fedOf(state, node.id)) ?? step?.inputs;
	const isKnown = run !== undefined || known !== undefined;
	const isOpen = run?.state === "running" || run?.state === "waiting";
	if (!isTop && !isKnown && !step) return null;
	return (
		<section className="last-run" aria-label="Last run of the step">
			<h3 className="form-label">Last run</h3>
			{isKnown && (
				<p className={`node-state is-${run?.state ?? "known"}`}>
					<StateMark state={run?.state} />
					<span>{stateWord(news)}</span>
					<span className="node-spent">{isOpen ? "" : spent(run ?? known ?? {})}</span>
				</p>
			)}
			{stale && !isOpen && <p className="last-run-stale">Out of date: {stale}</p>}
			{run?.error && <p className="field-problem last-run-error">{run.error}</p>}
			{isTop && !readOnly && (
				<div className="run-buttons">
					<RunItems id={node.id} />
				</div>
			)}
			{readOnly && <p className="form-hint">Authors of the project may run it.</p>}
			{run?.state === "running" && run.text && (
				<pre className="prompt" aria-hidden="true">
					{run.text}
				</pre>
			)}
			{isKnown && <ValueList title="It read" values={fed ?? {}} />}
			{isTop ? (
				<StepValues node={node} news={news} />
			) : (
				<ValueList title="It wrote" values={run?.outputs ?? step?.outputs ?? {}} />
			)}
			{step && <CallTrace step={step} />}
		</section>
	);
}

/** What the step read: in the run that is shown, or when it ran last. */
function fedOf({ ran, nodes, known }: TryState, id: string): Values | undefined {
	const name = ran?.graph.nodes.find((node) => node.id === id)?.name ?? "";
	const took = nodes[name];
	if (ran && took && took.state !== "skipped" && took.state !== "given") {
		return fedIn(ran, nodes, id);
	}
	return known[id]?.fed;
}

export function ValueList({ title, values }: { title: string; values: Values }) {
	const fields = Object.entries(values);
	if (fields.length === 0) return null;
	return (
		<div>
			<h4 className="last-run-head">{title}</h4>
			<dl className="trace-values">
				{fields.map(([name, value]) => (
					<div key={name}>
						<dt>{name}</dt>
						<dd>{showValue(value)}</dd>
					</div>
				))}
			</dl>
		</div>
	);
}
