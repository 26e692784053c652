// What every step did in a try, in the order in which one reads the drawing.

import { memo, useState } from "react";
import type { NodeRun } from "../api/runs";
import { inReadingOrder, isStep } from "../graph";
import { CallTrace } from "../inspector/CallTrace";
import { ValueList } from "../inspector/StepTrace";
import { StateMark } from "../nodes/NodeFooter";
import { STATE_WORDS } from "../nodes/running";
import { useTry } from "../store/hooks";
import { fedIn } from "../store/known";
import { spent } from "../store/values";
import { useJump } from "./jump";

export function TryNodes() {
	const ran = useTry((state) => state.ran);
	const nodes = useTry((state) => state.nodes);
	if (!ran) return null;
	return (
		<div>
			{inReadingOrder(ran.graph.nodes)
				.filter(isStep)
				.map(({ id, name }) => {
					const run = nodes[name];
					return run && <TryNode key={id} id={id} name={name} run={run} />;
				})}
		</div>
	);
}

interface TryNodeProps {
	id: string;
	name: string;
	run: NodeRun;
}

const TryNode = memo(function TryNode({ id, name, run }: TryNodeProps) {
	const [isOpen, setOpen] = useState(false);
	return (
		<details className="try-step" onToggle={(event) => setOpen(event.currentTarget.open)}>
			<summary>
				<span className="mono">{name}</span>
				<span className={`node-state is-${run.state}`}>
					<StateMark state={run.state} />
					{STATE_WORDS[run.state]}
				</span>
				<span className="node-spent">{spent(run)}</span>
			</summary>
			{isOpen && <TryNodeBody id={id} name={name} run={run} />}
		</details>
	);
});

function TryNodeBody({ id, name, run }: TryNodeProps) {
	const jump = useJump();
	const steps = useTry((state) =>
		state.steps.filter(({ path }) => path === name || path.startsWith(`${name}.`)),
	);
	const ran = useTry((state) => state.ran);
	const nodes = useTry((state) => state.nodes);
	const isOne = steps.length === 1;
	return (
		<div className="try-step-body">
			<button
				type="button"
				className="btn btn-xs btn-ghost run-button"
				onClick={() => jump([], id)}
			>
				Show it on the board
			</button>
			{run.error && <p className="field-problem last-run-error">{run.error}</p>}
			{ran && run.state !== "given" && run.state !== "skipped" && (
				<ValueList title="It read" values={fedIn(ran, nodes, id)} />
			)}
			<ValueList title="It wrote" values={run.outputs ?? {}} />
			{steps.map((step, index) => (
				// biome-ignore lint/suspicious/noArrayIndexKey: a path may be called several times
				<div key={index}>
					{!isOne && <p className="mono form-hint">{step.path}</p>}
					<CallTrace step={step} />
				</div>
			))}
		</div>
	);
}
