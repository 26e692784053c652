// Going into pipelines inside of nodes and out again, and making, filling and emptying them.

import {
	addNote,
	addPart,
	bridge,
	changeAt,
	fillPart,
	freeSpot,
	type Graph,
	group,
	type Into,
	isStep,
	MOST_NOTES,
	newcomers,
	nodeById,
	type Path,
	type Position,
	partsOf,
	readSpec,
	removePart,
	takeOverFields,
	ungroup,
} from "../graph";
import { tooLarge } from "./clipboard";
import type { Editor } from "./editor";

/** Show a pipeline inside of a node of this level. */
export function openPart(editor: Editor, into: Into): boolean {
	const { path, graph } = editor.getState();
	const node = nodeById(graph, into.node);
	if (!node || !isStep(node) || !node.parts[into.part]) return false;
	editor.getState().open([...path, into]);
	return true;
}

/** Show the first pipeline inside of a node; one that needs none yet says where to begin one. */
export function openFirstPart(editor: Editor, id: string): boolean {
	const node = nodeById(editor.getState().graph, id);
	if (!node || !isStep(node)) return false;
	const [drawn] = Object.keys(node.parts);
	if (drawn !== undefined) return openPart(editor, { node: id, part: drawn });
	const wanted = partsOf(node);
	if (wanted.length === 0) return false;
	if (wanted.length === 1 && wanted[0]?.required) return beginPart(editor, id, wanted[0].name);
	const message = `${node.name} has no pipeline inside yet: begin one in its panel, if it needs one.`;
	editor.getState().say(message);
	return false;
}

/** Show the level around this one, with the node selected that was stood in. */
export function leaveLevel(editor: Editor): boolean {
	const { path } = editor.getState();
	const last = path.at(-1);
	if (!last) return false;
	editor.getState().open(path.slice(0, -1), [last.node]);
	return true;
}

/** Show any level; the node above it is selected when it is one on the way. */
export function openLevel(editor: Editor, way: Path): void {
	const { path } = editor.getState();
	const next = path[way.length];
	editor.getState().open(way, next && way.length < path.length ? [next.node] : []);
}

/** Begin a pipeline inside of a node, and show it. */
export function beginPart(editor: Editor, id: string, part: string): boolean {
	const { readOnly } = editor.getState();
	if (readOnly) return false;
	const added = accept(editor, (graph) => addPart(graph, id, part));
	return added && openPart(editor, { node: id, part });
}

/** Put a copy of a saved pipeline into a node. Its spec is somebody else's and is read with care. */
export function fillWith(
	editor: Editor,
	{ node, part }: Into,
	name: string,
	spec: unknown,
): boolean {
	const { graph, refused } = readSpec(spec);
	if (editor.getState().readOnly) return false;
	if (!graph) return refuse(editor, `“${name}” was not put here. ${refused}`);
	if (!accept(editor, (level) => fillPart(level, node, part, graph))) return false;
	editor.getState().say(`A copy of “${name}” is the pipeline “${part}” now.`);
	return true;
}

/** Remove a pipeline of a node. */
export function dropPart(editor: Editor, id: string, part: string): void {
	editor.getState().change((graph) => removePart(graph, id, part));
	editor.getState().say(`The pipeline “${part}” was removed. Ctrl+Z brings it back.`);
}

/** Give the ends of a pipeline the fields of the step around it, wherever that stands. */
export function takeOver(editor: Editor, way: Path, { node, part }: Into): void {
	const { history, readOnly } = editor.getState();
	if (readOnly) return;
	const fitted = (level: Graph) => takeOverFields(level, node, part);
	editor.getState().replace(changeAt(history.present, way, fitted));
	editor.getState().say(`“${part}” has the fields of its step now.`);
}

/** Make one subpipeline of the selected steps. */
export function groupSelected(editor: Editor): boolean {
	const { graph, selection, readOnly } = editor.getState();
	if (readOnly) return false;
	const found = group(graph, selection.nodes);
	if (!found.graph) return refuse(editor, found.refused);
	const { graph: grouped, id } = found;
	if (!accept(editor, () => grouped)) return false;
	editor.getState().select([id]);
	const count = graph.nodes.length - grouped.nodes.length + 1;
	const held = `${count} ${count === 1 ? "step" : "steps"}`;
	editor.getState().say(`${nodeById(grouped, id)?.name} holds ${held} now.`);
	return true;
}

/** Put the steps of the selected subpipeline into its place. */
export function ungroupSelected(editor: Editor): boolean {
	const { graph, selection, readOnly } = editor.getState();
	const [id = ""] = selection.nodes;
	if (readOnly) return false;
	const found = ungroup(graph, id);
	if (!found.graph || selection.nodes.length !== 1) {
		return refuse(editor, found.refused || "Select one subpipeline to take it apart.");
	}
	const { graph: apart } = found;
	editor.getState().change(() => apart);
	const freed = newcomers(graph, apart);
	editor.getState().select(freed);
	editor
		.getState()
		.say(`It was taken apart into ${freed.length} ${freed.length === 1 ? "node" : "nodes"}.`);
	return true;
}

/** Draw a step between the ends of this level, with all its wires. */
export function bridgeLevel(editor: Editor): void {
	if (!accept(editor, bridge)) return;
	const added = editor.getState().graph.nodes.at(-1);
	if (added) editor.getState().select([added.id]);
	editor.getState().say(`${added?.name} was added between the ends.`);
}

/** Add an empty note; its id, or nothing when it was refused. */
export function putNote(editor: Editor, wanted: Position): string {
	const { graph, readOnly } = editor.getState();
	if (readOnly) return "";
	const [noted, id] = addNote(graph, freeSpot(graph, wanted));
	if (!id) {
		refuse(editor, `A pipeline may have ${MOST_NOTES} notes.`);
		return "";
	}
	editor.getState().change(() => noted);
	editor.getState().select([id]);
	return id;
}

/** Change the level, unless the whole pipeline would become too large to be saved. */
function accept(editor: Editor, action: (graph: Graph) => Graph): boolean {
	const { history, path } = editor.getState();
	const reason = tooLarge(changeAt(history.present, path, action));
	if (reason) return refuse(editor, reason);
	editor.getState().change(action);
	return true;
}

function refuse(editor: Editor, reason: string): false {
	editor.getState().say(reason, "refusal");
	return false;
}
