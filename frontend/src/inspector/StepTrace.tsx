// What a step did in the last try: what the LM read and wrote, as text that never becomes markup.

import type { Step } from "../api/client";
import { showValue } from "../store/values";

export function StepTrace({ step }: { step: Step }) {
	const scores = Object.entries(step.scores ?? {});
	return (
		<section className="trace" aria-label={`Last try of ${step.path}`}>
			<h3 className="form-label">Last try</h3>
			<dl className="trace-values">
				{Object.entries(step.outputs).map(([name, value]) => (
					<div key={name}>
						<dt>{name}</dt>
						<dd>{showValue(value)}</dd>
					</div>
				))}
			</dl>
			{scores.map(([name, labels]) => (
				<details key={name} className="more">
					<summary>Scores of {name}</summary>
					<table className="scores">
						<tbody>
							{Object.entries(labels)
								.sort(([, a], [, b]) => b - a)
								.map(([label, score]) => (
									<tr key={label}>
										<th scope="row">{label}</th>
										<td>{score.toFixed(2)}</td>
									</tr>
								))}
						</tbody>
					</table>
				</details>
			))}
			{step.prompt && (
				<details className="more">
					<summary>What the model read</summary>
					<pre className="prompt">{step.prompt}</pre>
				</details>
			)}
			{step.answer && (
				<details className="more">
					<summary>{step.prompt ? "What the model wrote" : "What it said"}</summary>
					<pre className="prompt">{step.answer}</pre>
				</details>
			)}
		</section>
	);
}
