// What an LM was asked in a step and what it wrote, as text that never becomes markup.

import type { Step } from "../api/runs";

export function CallTrace({ step }: { step: Step }) {
	const scores = Object.entries(step.scores ?? {});
	return (
		<div className="trace">
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
		</div>
	);
}
