// The lists that open on the board: what may be added at a place, and where a wire may lead.

import { useReactFlow } from "@xyflow/react";
import { useCallback, useMemo, useState } from "react";
import {
	type Graph,
	type GraphNode,
	insert,
	isEndKind,
	type Port,
	portsOf,
	type Role,
	type Slot,
} from "../graph";
import { lookOf, nodeClass } from "../nodes";
import { useBoard, useEditor, useStores } from "../store/hooks";
import type { Offer } from "../store/page";
import { type Choice, Chooser } from "./Chooser";
import { focusNode } from "./focus";
import { leadsTo, type Way } from "./wiring";

export function QuickAdd() {
	const popover = useBoard((state) => state.popover);
	const readOnly = useEditor((state) => state.readOnly);
	if (!popover || readOnly) return null;
	const key = JSON.stringify(popover);
	return popover.kind === "add" ? (
		<AddChooser key={key} place={popover.place} at={popover.at} />
	) : (
		<WireChooser key={key} node={popover.node} at={popover.at} />
	);
}

interface AddProps {
	place: Slot;
	at: { x: number; y: number };
}

function AddChooser({ place, at }: AddProps) {
	const { board, editor, offers } = useStores();
	const flow = useReactFlow();
	const graph = useEditor((state) => state.graph);
	const choices = useMemo(
		() => offers.map((offer) => choiceOf(offer, graph, place)),
		[offers, graph, place],
	);
	const close = useCallback(() => board.getState().close(), [board]);
	return (
		<Chooser
			title={titleOf(place)}
			choices={choices}
			at={at}
			onClose={close}
			onChoose={({ key }) => {
				const offer = offers.find((one) => one.key === key);
				const id = offer && editor.getState().insert(offer.blank, place);
				close();
				if (id) focusNode(flow, id);
			}}
		/>
	);
}

function titleOf({ edge, from, into }: Slot): string {
	if (edge) return "Add a step into the wire";
	if (from) return `Add a step after ${from.field}`;
	return into ? `Add a step before ${into.field}` : "Add a step";
}

function choiceOf({ key, title, summary, blank }: Offer, graph: Graph, place: Slot): Choice {
	const { reason } = insert(graph, blank, place);
	const wired = place.from !== undefined || place.into !== undefined;
	// An end in the middle of a wire is no use, even where there is none yet.
	const refused = wired && isEndKind(blank.kind) && !reason ? "It has no fields yet." : reason;
	const icon = blank.module ? "module" : lookOf(blank.kind).icon;
	return { key, title, detail: summary, icon, look: nodeClass(blank.kind), reason: refused };
}

/** First which field of the node, if it has several; then where its wire leads. */
function WireChooser({ node: id, at }: { node: string; at: { x: number; y: number } }) {
	const { board, editor } = useStores();
	const flow = useReactFlow();
	const graph = useEditor((state) => state.graph);
	const node = graph.nodes.find((one) => one.id === id);
	const { role, ports } = useMemo(() => startsOf(node), [node]);
	const [field, setField] = useState(ports.length === 1 ? (ports[0]?.name ?? "") : "");
	const ways = useMemo(
		() => (field ? leadsTo(graph, { node: id, field, role }) : []),
		[graph, id, field, role],
	);
	const close = useCallback(() => board.getState().close(), [board]);
	if (!node) return null;
	if (!field) {
		const words = role === "output" ? "leads a wire" : "takes a wire";
		return (
			<Chooser
				key="ports"
				title={`Which field of ${node.name} ${words}?`}
				choices={ports.map((port) => portChoice(port, node))}
				at={at}
				onClose={close}
				onChoose={({ key }) => setField(key)}
			/>
		);
	}
	return (
		<Chooser
			key="ways"
			title={`${node.name}.${field} ${role === "output" ? "leads to" : "comes from"}…`}
			choices={ways.map((way) => wayChoice(way))}
			at={at}
			onClose={close}
			onChoose={({ key }) => {
				const way = ways.find((one) => one.key === key);
				close();
				if (!way) return;
				const { wire, converter } = way;
				if (converter) {
					const added = editor.getState().convert({ wire, converter });
					if (added) focusNode(flow, added);
				} else if (editor.getState().wire(wire)) {
					editor.getState().say(`A wire was drawn to ${way.title}.`);
					focusNode(flow, id);
				}
			}}
		/>
	);
}

/** A wire is drawn from an output; the output node has inputs only. */
function startsOf(node: GraphNode | undefined): { role: Role; ports: readonly Port[] } {
	const ports = node ? portsOf(node) : [];
	const outputs = ports.filter(({ role }) => role === "output");
	return outputs.length > 0
		? { role: "output", ports: outputs }
		: { role: "input", ports: ports.filter(({ role }) => role === "input") };
}

function portChoice(port: Port, node: GraphNode): Choice {
	return {
		key: port.name,
		title: port.name,
		detail: port.text,
		icon: lookOf(node.kind).icon,
		look: nodeClass(node.kind),
		reason: "",
	};
}

function wayChoice({ key, title, detail, node, converter, reason }: Way): Choice {
	return {
		key,
		title,
		detail: converter ? `By “${converter.title}”, which is put between` : detail,
		icon: converter ? "expose" : lookOf(node.kind).icon,
		look: nodeClass(node.kind),
		reason: converter ? "" : reason,
	};
}
