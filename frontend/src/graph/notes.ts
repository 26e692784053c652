// Notes: words on the board. The program knows nothing of them.

import { freeId, type Graph, LONGEST_NOTE, MOST_NOTES, type Note, type Position } from "./spec";

export function noteById(graph: Graph, id: string): Note | undefined {
	return graph.notes.find((note) => note.id === id);
}

/** The graph with an empty note, and the note's id; empty when there are too many. */
export function addNote(graph: Graph, position: Position): [Graph, string] {
	if (graph.notes.length >= MOST_NOTES) return [graph, ""];
	// Nodes and notes stand side by side on the board: no two of them have one id.
	const id = freeId("t", new Set([...graph.nodes, ...graph.notes].map((one) => one.id)));
	return [{ ...graph, notes: [...graph.notes, { id, text: "", position }] }, id];
}

/** Other words for a note; what is too long is cut off. */
export function setNote(graph: Graph, id: string, text: string): Graph {
	const words = text.slice(0, LONGEST_NOTE);
	return mapNotes(graph, (note) =>
		note.id === id && note.text !== words ? { ...note, text: words } : note,
	);
}

/** The graph with notes at other places. */
export function moveNotes(graph: Graph, positions: ReadonlyMap<string, Position>): Graph {
	return mapNotes(graph, (note) => {
		const position = positions.get(note.id);
		if (!position) return note;
		if (position.x === note.position.x && position.y === note.position.y) return note;
		return { ...note, position };
	});
}

/** The notes but these; the same list when all stay. */
export function notesWithout(graph: Graph, gone: ReadonlySet<string>): readonly Note[] {
	const kept = graph.notes.filter(({ id }) => !gone.has(id));
	return kept.length === graph.notes.length ? graph.notes : kept;
}

/** The first words of a note, for lists and for screen readers. */
export function noteTitle({ text }: Note): string {
	const [line = ""] = text.trim().split("\n");
	if (!line) return "empty note";
	return line.length > 40 ? `${line.slice(0, 39)}…` : line;
}

function mapNotes(graph: Graph, change: (note: Note) => Note): Graph {
	const notes = graph.notes.map(change);
	return notes.some((note, index) => note !== graph.notes[index]) ? { ...graph, notes } : graph;
}
