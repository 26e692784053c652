// Run the pipeline on one input, and read what every step did.

import { type FormEvent, useId, useState } from "react";
import {
	type Field,
	type FieldType,
	fieldLabel,
	isEnd,
	parseType,
	SignatureError,
} from "../graph";
import { StepTrace } from "../inspector/StepTrace";
import { Icon } from "../nodes/Icon";
import { useEditor, useStores, useTry } from "../store/hooks";
import { isBusy } from "../store/trying";
import { readInput, showValue } from "../store/values";

const WORDS = {
	idle: "",
	starting: "Saving and starting…",
	queued: "Waiting for a worker…",
	running: "Running…",
	succeeded: "Done",
	failed: "It failed",
	cancelled: "Cancelled",
} as const;

export function TryPanel() {
	const { trying } = useStores();
	return (
		<section className="try" aria-label="Try the pipeline on one input">
			<header className="try-head">
				<h2>Try it on one input</h2>
				<button
					type="button"
					className="btn btn-ghost btn-sm btn-square"
					aria-label="Close the panel"
					onClick={() => trying.getState().toggle(false)}
				>
					<Icon name="close" />
				</button>
			</header>
			<div className="try-body">
				<TryForm />
				<TryResult />
			</div>
		</section>
	);
}

function TryForm() {
	const { trying, editor, page } = useStores();
	const { connections } = page.palette;
	const connection = useTry((state) => state.connection);
	const phase = useTry((state) => state.phase);
	const inputs = useTry((state) => state.inputs);
	const problems = useEditor((state) => state.problems.length);
	const readOnly = useEditor((state) => state.readOnly);
	const fields = useEditor((state) => {
		const node = state.history.present.nodes.find(({ kind }) => kind === "input");
		return node && isEnd(node) ? node.fields : [];
	});
	const [told, setTold] = useState<Record<string, string>>({});
	const id = useId();

	const submit = (event: FormEvent) => {
		event.preventDefault();
		const values: Record<string, unknown> = {};
		const wrong: Record<string, string> = {};
		for (const field of fields) {
			const type = typeOf(field);
			if (!type) continue;
			const { value, problem } = readInput(type, inputs[field.name] ?? "");
			if (problem) wrong[field.name] = problem;
			else values[field.name] = value;
		}
		setTold(wrong);
		if (Object.keys(wrong).length > 0) return;
		void trying.getState().start(editor.getState().history.present, values);
	};
	const obstacle = readOnly
		? "Authors of the project may run it."
		: problems > 0
			? `Mend the ${problems === 1 ? "problem" : `${problems} problems`} first.`
			: "";
	return (
		<form className="try-form" onSubmit={submit} noValidate>
			{connections.length === 0 ? (
				<p className="panel-note">
					There is no language model in this project yet.{" "}
					{page.urls.new_connection && (
						<a className="text-link" href={page.urls.new_connection}>
							Add one
						</a>
					)}
				</p>
			) : (
				<div className="form-row">
					<label className="form-label" htmlFor={`${id}-lm`}>
						Language model
					</label>
					<select
						id={`${id}-lm`}
						className="select select-sm"
						value={connection}
						onChange={(event) => trying.getState().setConnection(event.target.value)}
					>
						{connections.map(({ slug, name, model }) => (
							<option key={slug} value={slug}>
								{name} {model && model !== name ? `(${model})` : ""}
							</option>
						))}
					</select>
				</div>
			)}
			{fields.map((field) => (
				<InputField key={field.name} field={field} problem={told[field.name] ?? ""} />
			))}
			<div className="button-row">
				<button
					type="submit"
					className="btn btn-primary btn-sm"
					disabled={obstacle !== "" || connections.length === 0 || isBusy(phase)}
				>
					<Icon name="run" /> Run
				</button>
				{(phase === "queued" || phase === "running") && (
					<button
						type="button"
						className="btn btn-sm"
						onClick={() => void trying.getState().cancel()}
					>
						Cancel
					</button>
				)}
				{obstacle && <span className="form-hint">{obstacle}</span>}
			</div>
		</form>
	);
}

const HINTS: Readonly<Record<string, string>> = {
	list: "One item a line; lists and objects inside of it as JSON.",
	dict: 'JSON, such as {"name": 1}.',
	object: "JSON.",
	history: "JSON: a list of turns with role and content.",
	tool: "JSON: name, description, parameters.",
	image: "An address, or a data: URI.",
	document: "The text.",
};

function InputField({ field, problem }: { field: Field; problem: string }) {
	const { trying } = useStores();
	const text = useTry((state) => state.inputs[field.name] ?? "");
	const id = useId();
	const whole = typeOf(field);
	const type = whole?.kind === "optional" ? whole.item : whole;
	const set = (value: string) => trying.getState().setInput(field.name, value);
	const shared = {
		id,
		value: text,
		"aria-invalid": problem !== "",
		"aria-describedby": problem ? `${id}-problem` : undefined,
	};
	const choices =
		type?.kind === "bool" ? ["true", "false"] : type?.kind === "enum" ? type.labels : null;
	return (
		<div className="form-row">
			<label className="form-label" htmlFor={id}>
				{fieldLabel(field.name)} <span className="form-hint mono">{field.type}</span>
			</label>
			{choices ? (
				<select
					{...shared}
					className="select select-sm"
					onChange={(event) => set(event.target.value)}
				>
					<option value="">{whole?.kind === "optional" ? "nothing" : "choose"}</option>
					{choices.map((choice) => (
						<option key={choice} value={choice}>
							{type?.kind === "bool" ? (choice === "true" ? "yes" : "no") : choice}
						</option>
					))}
				</select>
			) : type?.kind === "int" || type?.kind === "float" || type?.kind === "date" ? (
				<input
					{...shared}
					className="input input-sm"
					type={type.kind === "date" ? "date" : "text"}
					inputMode={type.kind === "date" ? undefined : "decimal"}
					onChange={(event) => set(event.target.value)}
				/>
			) : (
				<textarea
					{...shared}
					className="textarea textarea-sm"
					rows={3}
					onChange={(event) => set(event.target.value)}
				/>
			)}
			{type && HINTS[type.kind] && <p className="form-hint">{HINTS[type.kind]}</p>}
			{problem && (
				<p className="field-problem" id={`${id}-problem`}>
					{problem}
				</p>
			)}
		</div>
	);
}

function TryResult() {
	const phase = useTry((state) => state.phase);
	const message = useTry((state) => state.message);
	const outputs = useTry((state) => state.outputs);
	const steps = useTry((state) => state.steps);
	const isStale = useTry((state) => state.ran) !== useEditor((state) => state.history.present);
	if (phase === "idle") {
		return (
			<div className="try-result">
				<p className="panel-note">
					The answer, and what every step read and wrote, will stand here.
				</p>
			</div>
		);
	}
	return (
		<div className="try-result" aria-live="polite">
			<p className={`try-phase is-${phase}`}>
				{isBusy(phase) && (
					<span className="loading loading-spinner loading-xs" aria-hidden="true" />
				)}
				{WORDS[phase]}
				{isStale && !isBusy(phase) && (
					<span className="form-hint"> The drawing has changed since.</span>
				)}
			</p>
			{message && <p className="field-problem try-message">{message}</p>}
			{Object.keys(outputs).length > 0 && (
				<dl className="try-outputs">
					{Object.entries(outputs).map(([name, value]) => (
						<div key={name}>
							<dt>{fieldLabel(name)}</dt>
							<dd>{showValue(value)}</dd>
						</div>
					))}
				</dl>
			)}
			{steps.map((step) => (
				<details className="try-step" key={step.path}>
					<summary className="mono">{step.path}</summary>
					<StepTrace step={step} />
				</details>
			))}
		</div>
	);
}

function typeOf(field: Field): FieldType | null {
	try {
		return parseType(field.type);
	} catch (error) {
		if (!(error instanceof SignatureError)) throw error;
		return null;
	}
}
