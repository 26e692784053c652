// The panel beside the canvas: whatever is selected, as a form.

import {
	addressOf,
	type Graph,
	type GraphNode,
	isEnd,
	isStep,
	nodeById,
	noteById,
} from "../graph";
import { Icon } from "../nodes/Icon";
import { lookOf, nodeClass } from "../nodes/kinds";
import { useEditor, useStores } from "../store/hooks";
import { EndForm } from "./EndForm";
import { NameField } from "./NameField";
import { NoteForm } from "./NoteForm";
import { GroupButton } from "./Parts";
import { RemoveButton } from "./RemoveButton";
import { StepForm } from "./StepForm";

export function Inspector() {
	const graph = useEditor((state) => state.graph);
	const selection = useEditor((state) => state.selection);
	const level = useEditor((state) => addressOf(state.path));
	const [node] = selection.nodes.map((id) => nodeById(graph, id));
	const count = selection.nodes.length + selection.edges.length;
	// Levels number their nodes alike, and what is half typed belongs to one of them.
	if (node && selection.nodes.length === 1)
		return <NodeForm key={`${level} ${node.id}`} node={node} />;
	const note = noteById(graph, selection.nodes[0] ?? "");
	if (note && count === 1) return <NoteForm key={`${level} ${note.id}`} note={note} />;
	if (count === 1) return <WirePanel graph={graph} id={selection.edges[0] ?? ""} />;
	if (count > 1) return <ManyPanel count={count} />;
	return <Overview graph={graph} />;
}

function NodeForm({ node }: { node: GraphNode }) {
	const problems = useEditor((state) => state.here.filter((problem) => problem.node === node.id));
	return (
		<div className={`inspector-body ${nodeClass(node.kind)}`}>
			<p className="inspector-kind">
				<span className="node-icon">
					<Icon name={lookOf(node.kind).icon} />
				</span>
				{lookOf(node.kind).title}
			</p>
			{problems.length > 0 && (
				<ul className="inspector-problems">
					{problems.map((problem) => (
						<li key={`${problem.code} ${problem.field} ${problem.edge}`}>
							<Icon name="warning" />
							<span>{problem.message}</span>
						</li>
					))}
				</ul>
			)}
			<NameField node={node} />
			{isStep(node) && <StepForm node={node} />}
			{isEnd(node) && <EndForm node={node} />}
			{node.kind === "unknown" && <Foreign kind={String(node.raw.kind)} />}
			<SelectionButtons />
		</div>
	);
}

/** A step that this page has no form for: of a package that was added, or of another studio. */
function Foreign({ kind }: { kind: string }) {
	const { page } = useStores();
	const isRun = page.palette.kinds.some((one) => one.kind === kind);
	return (
		<p className="panel-note">
			{isRun
				? `“${kind}” comes from an added package. Its name and wires are changed here; everything else in the outline (O) and in the code.`
				: `This studio does not know “${kind}”. It is kept as it is; remove it, or edit the pipeline in a studio that has it.`}
		</p>
	);
}

function SelectionButtons() {
	const { editor } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	if (readOnly) return null;
	return (
		<div className="button-row">
			<button type="button" className="btn btn-sm" onClick={() => editor.getState().duplicate()}>
				<Icon name="copy" /> Duplicate
			</button>
			<RemoveButton />
		</div>
	);
}

function ManyPanel({ count }: { count: number }) {
	return (
		<div className="inspector-body">
			<p className="inspector-title">{count} things are selected</p>
			<GroupButton />
			<SelectionButtons />
		</div>
	);
}

function WirePanel({ graph, id }: { graph: Graph; id: string }) {
	const { editor } = useStores();
	const problem = useEditor((state) => state.here.find(({ edge }) => edge === id)?.message ?? "");
	const edge = graph.edges.find((other) => other.id === id);
	if (!edge) return null;
	const name = (node: string) => nodeById(graph, node)?.name ?? "?";
	return (
		<div className="inspector-body">
			<p className="inspector-kind">Wire</p>
			<p>
				<code>
					{name(edge.source)}.{edge.source_field}
				</code>{" "}
				goes into{" "}
				<code>
					{name(edge.target)}.{edge.target_field}
				</code>
				.
			</p>
			{problem && <p className="field-problem">{problem}</p>}
			<div className="button-row">
				<button
					type="button"
					className="btn btn-sm"
					onClick={() => editor.getState().select([edge.target])}
				>
					Choose another source
				</button>
				<RemoveButton />
			</div>
		</div>
	);
}

/** The pipeline as a list: the way to every node without a mouse. */
function Overview({ graph }: { graph: Graph }) {
	const { editor, page } = useStores();
	const problems = useEditor((state) => state.here);
	return (
		<div className="inspector-body">
			<p className="inspector-title">{page.name}</p>
			<p className="panel-note">
				Choose a node to see its fields, its instruction and where its inputs come from.
			</p>
			<ul className="node-list">
				{graph.nodes.map((node) => {
					const count = problems.filter((problem) => problem.node === node.id).length;
					return (
						<li key={node.id}>
							<button
								type="button"
								className={`node-list-row node-${node.kind}`}
								onClick={() => editor.getState().select([node.id])}
							>
								<span className="node-icon">
									<Icon name={lookOf(node.kind).icon} />
								</span>
								<span className="node-list-name">{node.name}</span>
								{count > 0 && (
									<span className="node-problems">
										<Icon name="warning" />
										{count}
										<span className="sr-only"> problems</span>
									</span>
								)}
							</button>
						</li>
					);
				})}
			</ul>
			<a className="text-link" href={page.urls.outline}>
				The whole pipeline in words
			</a>
		</div>
	);
}
