// The pipelines inside of the selected step: open, begin, fit, rename, remove.

import { ApiError } from "../api/client";
import { readPipeline } from "../api/pipelines";
import {
	BODY,
	hasOtherFields,
	holdsParts,
	isEnd,
	isStep,
	type Part,
	partsOf,
	renamePart,
	type StepNode,
} from "../graph";
import { Icon } from "../nodes/Icon";
import { useEditor, useStores } from "../store/hooks";
import {
	beginPart,
	dropPart,
	fillWith,
	groupSelected,
	openPart,
	takeOver,
	ungroupSelected,
} from "../store/levels";

export function Parts({ node }: { node: StepNode }) {
	const wanted = partsOf(node);
	const names = wanted.map(({ name }) => name);
	const strays = Object.keys(node.parts).filter((name) => !names.includes(name));
	if (!holdsParts(node) && strays.length === 0) return null;
	return (
		<fieldset className="field-table parts">
			<legend className="form-label">Pipelines inside</legend>
			{wanted.length === 0 && strays.length === 0 && (
				<p className="panel-note">Its signature and settings say which; mend these first.</p>
			)}
			<ul>
				{wanted.map((part) => (
					<PartRow key={part.name} node={node} part={part} />
				))}
				{strays.map((name) => (
					<Stray
						key={name}
						node={node}
						name={name}
						free={names.filter((one) => !(one in node.parts))}
					/>
				))}
			</ul>
			{node.kind === "subpipeline" && BODY in node.parts && <UngroupButton />}
		</fieldset>
	);
}

/** For what is selected: one subpipeline instead of several steps. */
export function GroupButton() {
	const { editor } = useStores();
	const canGroup = useEditor(
		({ graph, selection, readOnly }) =>
			!readOnly && graph.nodes.some((one) => isStep(one) && selection.nodes.includes(one.id)),
	);
	if (!canGroup) return null;
	return (
		<button
			type="button"
			className="btn btn-sm group-button"
			title="Ctrl+G"
			onClick={() => groupSelected(editor)}
		>
			<Icon name="group" /> Group into a subpipeline
		</button>
	);
}

function UngroupButton() {
	const { editor } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	if (readOnly) return null;
	return (
		<button
			type="button"
			className="btn btn-xs group-button"
			title="Its steps in its place (Ctrl+Shift+G)"
			onClick={() => ungroupSelected(editor)}
		>
			Take apart
		</button>
	);
}

function PartRow({ node, part }: { node: StepNode; part: Part }) {
	const { editor } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	const path = useEditor((state) => state.path);
	const { name } = part;
	const inside = node.parts[name];
	if (!inside) {
		return (
			<li className="part-row is-missing" data-part={name}>
				<span className="part-name">{name}</span>
				<span className="part-about">{part.required ? "not drawn yet" : "not drawn"}</span>
				{!readOnly && (
					<button
						type="button"
						className="btn btn-xs"
						onClick={() => beginPart(editor, node.id, name)}
					>
						<Icon name="plus" /> Begin<span className="sr-only"> the pipeline {name}</span>
					</button>
				)}
				<Saved node={node} part={name} />
			</li>
		);
	}
	const steps = inside.nodes.filter((one) => !isEnd(one)).length;
	return (
		<li className="part-row" data-part={name}>
			<span className="part-name">{name}</span>
			<span className="part-about">
				{steps} {steps === 1 ? "step" : "steps"}
			</span>
			<OpenPart node={node} name={name} />
			<DropPart node={node} name={name} />
			{!readOnly && hasOtherFields(node, part) && (
				<button
					type="button"
					className="btn btn-xs part-fit"
					title={`Its input takes ${namesOf(part.inputs)}; its output answers ${namesOf(part.outputs)}`}
					onClick={() => takeOver(editor, path, { node: node.id, part: name })}
				>
					Take over the fields of the step
				</button>
			)}
			{steps === 0 && <Saved node={node} part={name} />}
		</li>
	);
}

function OpenPart({ node, name }: { node: StepNode; name: string }) {
	const { editor } = useStores();
	return (
		<button
			type="button"
			className="btn btn-xs"
			onClick={() => openPart(editor, { node: node.id, part: name })}
		>
			<Icon name="enter" /> Open<span className="sr-only"> the pipeline {name}</span>
		</button>
	);
}

function DropPart({ node, name }: { node: StepNode; name: string }) {
	const { editor } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	if (readOnly) return null;
	return (
		<button
			type="button"
			className="btn btn-ghost btn-xs btn-square"
			aria-label={`Remove the pipeline ${name}`}
			title={`Remove the pipeline ${name}`}
			onClick={() => dropPart(editor, node.id, name)}
		>
			<Icon name="trash" />
		</button>
	);
}

/** A copy of another pipeline of the project, instead of drawing it again. */
function Saved({ node, part }: { node: StepNode; part: string }) {
	const { editor, page } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	const others = (page.palette.pipelines ?? []).filter(({ slug }) => slug !== page.pipeline);
	if (readOnly || others.length === 0) return null;
	const fill = async (slug: string) => {
		const { path, say } = editor.getState();
		try {
			const { name, spec } = await readPipeline(page.urls.pipeline, slug);
			// Another level may have a node of this id, too.
			if (editor.getState().path !== path) {
				say(`“${name}” was not put there, because you have left that level.`, "refusal");
				return;
			}
			fillWith(editor, { node: node.id, part }, name, spec);
		} catch (error) {
			if (!(error instanceof ApiError)) throw error;
			editor.getState().say(error.message, "refusal");
		}
	};
	return (
		<select
			className="select select-xs part-saved"
			aria-label={`Put a saved pipeline into ${part}`}
			value=""
			onChange={(event) => void fill(event.target.value)}
		>
			<option value="">or a copy of a saved one …</option>
			{others.map(({ slug, name }) => (
				<option key={slug} value={slug}>
					{name}
				</option>
			))}
		</select>
	);
}

/** A pipeline that the kind does not have: kept until somebody says what becomes of it. */
function Stray({ node, name, free }: { node: StepNode; name: string; free: readonly string[] }) {
	const { editor } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	return (
		<li className="part-row is-stray" data-part={name}>
			<span className="part-name">{name}</span>
			<span className="part-about">belongs nowhere</span>
			<OpenPart node={node} name={name} />
			{!readOnly && free.length > 0 && (
				<select
					className="select select-xs"
					aria-label={`Use the pipeline ${name} as`}
					value=""
					onChange={(event) =>
						editor
							.getState()
							.change((graph) => renamePart(graph, node.id, name, event.target.value))
					}
				>
					<option value="">use as …</option>
					{free.map((one) => (
						<option key={one}>{one}</option>
					))}
				</select>
			)}
			<DropPart node={node} name={name} />
		</li>
	);
}

function namesOf(fields: readonly { name: string }[]): string {
	return fields.map(({ name }) => name).join(", ");
}
