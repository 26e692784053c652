// A step that calls an LM: kind, signature in both forms, instruction, wires, parameters.

import { useEffect, useId, useState } from "react";
import {
	addedPorts,
	expose,
	type Field,
	formatSignature,
	isExposed,
	isStepKind,
	keepDescriptions,
	parseSignature,
	type Role,
	SignatureError,
	type SignatureField,
	type StepKind,
	type StepNode,
	setInstruction,
	setKind,
	setSignature,
} from "../graph";
import { Icon } from "../nodes/Icon";
import { useEditor, useStores } from "../store/hooks";
import { FieldTable } from "./FieldTable";
import { LmChoice } from "./LmChoice";
import { Params } from "./Params";
import { Parts } from "./Parts";
import { PinnedDemos } from "./PinnedDemos";
import { PromptPreview } from "./PromptPreview";
import { StepTrace } from "./StepTrace";
import { Wires } from "./Wires";

export function StepForm({ node }: { node: StepNode }) {
	const { editor, page } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	const id = useId();
	const { fields } = node.signature;
	const side = (role: Role) => fields.filter((field) => field.role === role);
	const change = (changed: readonly SignatureField[], mark: string) =>
		editor
			.getState()
			.change((graph) => setSignature(graph, node.id, changed), mark && `${node.id}:${mark}`);
	const setSide = (role: Role) => (changed: Field[], mark: string) => {
		const mine = changed.map((field) => ({ ...field, role }));
		change(
			role === "input" ? [...mine, ...side("output")] : [...side("input"), ...mine],
			mark && `${role}:${mark}`,
		);
	};
	const about = page.palette.kinds.find(({ kind }) => kind === node.kind);
	const params = about?.params ?? [];
	const others = page.palette.kinds.filter(({ kind }) => isStepKind(kind));
	return (
		<>
			<div className="form-row">
				<label className="form-label" htmlFor={`${id}-kind`}>
					Kind
				</label>
				<select
					id={`${id}-kind`}
					className="select select-sm"
					value={node.kind}
					disabled={readOnly}
					onChange={(event) =>
						editor
							.getState()
							.change((graph) => setKind(graph, node.id, event.target.value as StepKind))
					}
				>
					{others.map(({ kind, title }) => (
						<option key={kind} value={kind}>
							{title}
						</option>
					))}
				</select>
				<p className="form-hint">{about?.summary}</p>
			</div>
			<Parts node={node} />
			<StepTrace node={node} />
			<SignatureText
				node={node}
				disabled={readOnly}
				onFields={(changed) => change(changed, "text")}
			/>
			<div className="form-row">
				<label className="form-label" htmlFor={`${id}-instruction`}>
					Instruction
				</label>
				<textarea
					id={`${id}-instruction`}
					className="textarea textarea-sm grows"
					rows={3}
					placeholder="Say in a sentence what to do. Compiling may improve it."
					value={node.signature.instruction}
					maxLength={20_000}
					disabled={readOnly}
					onChange={(event) =>
						editor
							.getState()
							.change(
								(graph) => setInstruction(graph, node.id, event.target.value),
								`instruction:${node.id}`,
							)
					}
				/>
			</div>
			<Wires node={node} />
			<FieldTable
				title="Inputs"
				fields={side("input")}
				taken={side("output").map(({ name }) => name)}
				blank="text"
				disabled={readOnly}
				onFields={setSide("input")}
			/>
			<FieldTable
				title="Outputs"
				fields={side("output")}
				taken={side("input").map(({ name }) => name)}
				blank="answer"
				disabled={readOnly}
				onFields={setSide("output")}
				extra={(field) => <Expose node={node.id} field={field.name} />}
			/>
			{addedPorts(node).map(({ name }) => (
				<div className="field-row" key={name}>
					<p className="form-hint">
						It also writes <code>{name}</code>.
					</p>
					<Expose node={node.id} field={name} />
				</div>
			))}
			<LmChoice node={node} />
			{params.length > 0 && <Params node={node} params={params} disabled={readOnly} />}
			<PinnedDemos node={node} />
			<PromptPreview node={node} />
		</>
	);
}

interface SignatureTextProps {
	node: StepNode;
	disabled: boolean;
	onFields(fields: SignatureField[]): void;
}

/** `message -> category`: taken over whenever it can be read. */
function SignatureText({ node, disabled, onFields }: SignatureTextProps) {
	const { fields } = node.signature;
	const whole = formatSignature(fields);
	const [text, setText] = useState(whole);
	const id = useId();
	useEffect(() => setText((typed) => (canonical(typed) === whole ? typed : whole)), [whole]);
	const { problem } = readSignatureText(text);
	return (
		<div className="form-row">
			<label className="form-label" htmlFor={id}>
				Signature
			</label>
			<textarea
				id={id}
				data-signature
				className="textarea textarea-sm mono grows"
				rows={2}
				spellCheck={false}
				value={text}
				disabled={disabled}
				aria-invalid={problem !== ""}
				aria-describedby={`${id}-help`}
				onChange={(event) => {
					const typed = event.target.value.replaceAll("\n", " ");
					setText(typed);
					const found = readSignatureText(typed);
					if (found.fields) onFields(keepDescriptions(fields, found.fields));
				}}
			/>
			<p className={problem ? "field-problem" : "form-hint"} id={`${id}-help`}>
				{problem ||
					"Inputs -> outputs. Types: str, int, float, bool, date, enum[a, b], list[str] …"}
			</p>
		</div>
	);
}

function readSignatureText(text: string): { fields: SignatureField[] | null; problem: string } {
	try {
		return { fields: parseSignature(text), problem: "" };
	} catch (error) {
		if (!(error instanceof SignatureError)) throw error;
		return { fields: null, problem: error.message };
	}
}

function canonical(text: string): string {
	const { fields } = readSignatureText(text);
	return fields ? formatSignature(fields) : "";
}

function Expose({ node, field }: { node: string; field: string }) {
	const { editor } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	const isThere = useEditor((state) => isExposed(state.graph, node, field));
	const hasOutput = useEditor((state) =>
		state.graph.nodes.some((other) => other.kind === "output"),
	);
	if (isThere) return <p className="form-hint">It is an output of the pipeline.</p>;
	if (readOnly || !hasOutput) return null;
	return (
		<button
			type="button"
			className="btn btn-xs expose"
			title={`Adds the field ${field} to the output node and wires it`}
			onClick={() => editor.getState().change((graph) => expose(graph, node, field))}
		>
			<Icon name="expose" /> Expose as an output of the pipeline
		</button>
	);
}
