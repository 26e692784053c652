// What a try is run with: the LM, and the inputs, written by hand or taken from a dataset.

import { type FormEvent, useEffect, useRef } from "react";
import { Icon } from "../nodes/Icon";
import { useWhyNot } from "../nodes/running";
import { WHOLE } from "../store/goals";
import { useEditor, useStores, useTry } from "../store/hooks";
import { inputFields } from "../store/inputs";
import { isBusy } from "../store/trying";
import { TryConnection } from "./TryConnection";
import { TryDataset } from "./TryDataset";
import { TryField } from "./TryField";

export function TryForm() {
	const { trying } = useStores();
	const fields = useEditor((state) => inputFields(state.history.present));
	const readOnly = useEditor((state) => state.readOnly);
	const phase = useTry((state) => state.phase);
	const goal = useTry((state) => state.goal);
	const told = useTry((state) => state.told);
	const obstacle = useWhyNot(WHOLE);
	const notAgain = useWhyNot(goal);
	const form = useRef<HTMLFormElement>(null);
	useEffect(() => {
		if (Object.keys(told).length === 0) return;
		form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
	}, [told]);

	const submit = (event: FormEvent) => {
		event.preventDefault();
		void trying.getState().start();
	};
	const busy = isBusy(phase);
	return (
		<form className="try-form" ref={form} onSubmit={submit} noValidate>
			<TryConnection />
			{!readOnly && <TryDataset />}
			{fields.map((field) => (
				<TryField key={field.name} field={field} problem={told[field.name] ?? ""} />
			))}
			<div className="button-row">
				<button type="submit" className="btn btn-primary btn-sm" disabled={obstacle !== ""}>
					<Icon name="run" /> {phase === "idle" ? "Run" : "Run again"}
				</button>
				{goal.kind !== "whole" && !busy && (
					<button
						type="button"
						className="btn btn-sm"
						disabled={notAgain !== ""}
						onClick={() => void trying.getState().again()}
					>
						The same part again
					</button>
				)}
				{(phase === "queued" || phase === "running") && !readOnly && (
					<button
						type="button"
						className="btn btn-sm"
						onClick={() => void trying.getState().cancel()}
					>
						<Icon name="stop" /> Cancel
					</button>
				)}
				{obstacle && !busy && <span className="form-hint">{obstacle}</span>}
			</div>
		</form>
	);
}
