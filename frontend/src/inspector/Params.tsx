// A step's parameters, each with the control that suits it.

import { useEffect, useId, useState } from "react";
import { type StepNode, setParams } from "../graph";
import { useEditor, useStores } from "../store/hooks";
import type { Param } from "../store/page";

interface ParamsProps {
	node: StepNode;
	params: readonly Param[];
	disabled: boolean;
}

export function Params({ node, params, disabled }: ParamsProps) {
	const { editor } = useStores();
	const id = useId();
	const problem = useEditor((state) =>
		state.here.some((one) => one.node === node.id && one.code === "bad-params"),
	);
	// What a kind is about should be seen; temperature and the like only by those who look.
	const needed = params.some((param) => param.required || param.widget);
	const set = (param: Param, value: unknown) => {
		const { [param.name]: _, ...others } = node.params;
		const next = value === undefined ? others : { ...others, [param.name]: value };
		editor
			.getState()
			.change((graph) => setParams(graph, node.id, next), `param:${node.id}:${param.name}`);
	};
	return (
		<details className="more" open={needed || problem || undefined}>
			<summary className="form-label">Settings</summary>
			{params.map((param) => (
				<div className="form-row" key={param.name} data-param={param.name}>
					<label className="form-label" htmlFor={`${id}-${param.name}`}>
						{param.label ?? param.name}
					</label>
					<Control
						id={`${id}-${param.name}`}
						param={param}
						value={node.params[param.name]}
						disabled={disabled}
						onValue={(value) => set(param, value)}
					/>
					{param.help && <p className="form-hint">{param.help}</p>}
				</div>
			))}
		</details>
	);
}

interface ControlProps {
	id: string;
	param: Param;
	value: unknown;
	disabled: boolean;
	/** `undefined` takes the default. */
	onValue(value: unknown): void;
}

function Control(props: ControlProps) {
	const { param } = props;
	if (param.choices) return <Choice {...props} choices={param.choices} />;
	if (param.type === "yes-no") return <YesNo {...props} />;
	if (param.type === "whole" || param.type === "number") return <NumberBox {...props} />;
	if (param.type === "names") return <Names {...props} />;
	return <TextBox {...props} />;
}

function Choice({
	id,
	param,
	value,
	disabled,
	onValue,
	choices,
}: ControlProps & { choices: string[] }) {
	return (
		<select
			id={id}
			className="select select-sm"
			value={String(value ?? param.default ?? "")}
			disabled={disabled}
			onChange={(event) => onValue(event.target.value)}
		>
			{choices.map((choice) => (
				<option key={choice} value={choice}>
					{choice || "as the run says"}
				</option>
			))}
		</select>
	);
}

function YesNo({ id, param, value, disabled, onValue }: ControlProps) {
	return (
		<input
			id={id}
			type="checkbox"
			className="checkbox checkbox-sm"
			checked={Boolean(value ?? param.default)}
			disabled={disabled}
			onChange={(event) => onValue(event.target.checked)}
		/>
	);
}

function NumberBox({ id, param, value, disabled, onValue }: ControlProps) {
	return (
		<input
			id={id}
			className="input input-sm"
			type="number"
			step={param.type === "whole" ? 1 : "any"}
			min={param.min ?? undefined}
			max={param.max ?? undefined}
			placeholder={param.default === null ? "as the run says" : String(param.default)}
			value={typeof value === "number" ? value : ""}
			disabled={disabled}
			onChange={(event) => {
				const number = Number(event.target.value);
				onValue(event.target.value.trim() && Number.isFinite(number) ? number : undefined);
			}}
		/>
	);
}

function TextBox({ id, param, value, disabled, onValue }: ControlProps) {
	const text = typeof value === "string" ? value : String(param.default ?? "");
	if (param.widget !== "code" && param.widget !== "text") {
		return (
			<input
				id={id}
				className="input input-sm"
				value={text}
				maxLength={2_000}
				disabled={disabled}
				onChange={(event) => onValue(event.target.value)}
			/>
		);
	}
	return (
		<textarea
			id={id}
			className={`textarea textarea-sm grows ${param.widget === "code" ? "mono" : ""}`}
			rows={param.widget === "code" ? 8 : 4}
			spellCheck={param.widget !== "code"}
			value={text}
			maxLength={100_000}
			disabled={disabled}
			onChange={(event) => onValue(event.target.value)}
		/>
	);
}

/** One name a line. */
function Names({ id, param, value, disabled, onValue }: ControlProps) {
	const whole = namesOf(value ?? param.default).join("\n");
	const [text, setText] = useState(whole);
	useEffect(
		() => setText((typed) => (readNames(typed).join("\n") === whole ? typed : whole)),
		[whole],
	);
	return (
		<textarea
			id={id}
			className="textarea textarea-sm mono grows"
			rows={3}
			spellCheck={false}
			placeholder="One a line"
			value={text}
			disabled={disabled}
			onChange={(event) => {
				setText(event.target.value);
				onValue(readNames(event.target.value));
			}}
		/>
	);
}

function namesOf(value: unknown): string[] {
	return Array.isArray(value) ? value.map(String) : [];
}

function readNames(text: string): string[] {
	return text
		.split("\n")
		.map((line) => line.trim())
		.filter(Boolean);
}
