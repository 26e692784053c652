// The exact prompt that a step would send now, in each format.

import { useEffect, useId, useState } from "react";
import { ApiError } from "../api/client";
import { type Prompts, readPrompts } from "../api/prompts";
import { type StepNode, toSpec } from "../graph";
import { useStores } from "../store/hooks";
import { useStep } from "./useStep";

const PAUSE_MS = 350;
const NOTHING: Prompts = { predictors: [], problem: "" };

export function PromptPreview({ node }: { node: StepNode }) {
	const [isOpen, setOpen] = useState(false);
	return (
		<details className="more" onToggle={(event) => setOpen(event.currentTarget.open)}>
			<summary className="form-label">The prompt it sends</summary>
			{isOpen && <Shown node={node} />}
		</details>
	);
}

function Shown({ node }: { node: StepNode }) {
	const inputs = useStep(node.id)?.inputs;
	const { prompts, isBusy } = usePrompts(node, inputs);
	const [format, setFormat] = useState("");
	const id = useId();
	const names = prompts.predictors[0]?.formats ?? [];
	const chosen = names.find(({ name }) => name === format) ?? names[0];
	if (prompts.problem) return <p className="field-problem">{prompts.problem}</p>;
	if (names.length === 0) {
		return (
			<p className="panel-note">{isBusy ? "Writing it …" : "This step asks no language model."}</p>
		);
	}
	return (
		<div className="prompt-preview" aria-busy={isBusy}>
			<div className="form-row">
				<label className="form-label" htmlFor={`${id}-format`}>
					Format
				</label>
				<select
					id={`${id}-format`}
					className="select select-sm"
					value={chosen?.name}
					onChange={(event) => setFormat(event.target.value)}
				>
					{names.map(({ name }) => (
						<option key={name}>{name}</option>
					))}
				</select>
				<p className="form-hint">
					{chosen?.summary}{" "}
					{inputs ? "With the inputs of the last try." : "‹name› stands where an input will."}
				</p>
			</div>
			{prompts.predictors.map(({ path, formats }) => (
				<figure key={path}>
					{path && <figcaption className="form-label mono">{path}</figcaption>}
					<textarea
						className="textarea textarea-sm mono grows prompt-text"
						readOnly
						rows={6}
						aria-label={path ? `Prompt of ${path}` : "Prompt"}
						value={formats.find(({ name }) => name === chosen?.name)?.text ?? ""}
					/>
				</figure>
			))}
		</div>
	);
}

/** What the server writes for the node as it is; asked again when typing pauses. */
function usePrompts(node: StepNode, inputs: Readonly<Record<string, unknown>> | undefined) {
	const { page } = useStores();
	const [prompts, setPrompts] = useState<Prompts>(NOTHING);
	const [isBusy, setBusy] = useState(true);
	// Where the node lies changes nothing that is asked.
	const [json] = toSpec({ nodes: [{ ...node, position: ORIGIN }], edges: [], notes: [] }).nodes;
	const asked = JSON.stringify({ node: json, inputs: inputs ?? {} });
	useEffect(() => {
		let isCurrent = true;
		setBusy(true);
		const timer = setTimeout(async () => {
			const answer = await ask(page.urls.prompts, asked);
			if (!isCurrent) return;
			setPrompts(answer);
			setBusy(false);
		}, PAUSE_MS);
		return () => {
			isCurrent = false;
			clearTimeout(timer);
		};
	}, [page, asked]);
	return { prompts, isBusy };
}

const ORIGIN = { x: 0, y: 0 };

async function ask(url: string, asked: string): Promise<Prompts> {
	const { node, inputs } = JSON.parse(asked);
	try {
		return await readPrompts(url, node, inputs);
	} catch (error) {
		if (!(error instanceof ApiError)) throw error;
		return { predictors: [], problem: error.message };
	}
}
