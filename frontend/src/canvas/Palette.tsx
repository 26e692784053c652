// What may be added: by click, by Enter, or dragged onto the canvas.

import { useReactFlow } from "@xyflow/react";
import { type KeyboardEvent, useState } from "react";
import { freeSpot } from "../graph";
import { lookOf, nodeClass } from "../nodes";
import { Icon, type IconName } from "../nodes/Icon";
import { useEditor, useStores } from "../store/hooks";
import { groupsOf, type Offer } from "../store/page";
import { FIT } from "./fit";

export const OFFER_MIME = "application/x-compile-studio-offer";

export function Palette({ onAdded }: { onAdded(): void }) {
	const { offers, editor } = useStores();
	const [search, setSearch] = useState("");
	const flow = useReactFlow();
	const words = search.toLowerCase().split(/\s+/).filter(Boolean);
	const found = offers.filter((offer) => {
		const text = `${offer.title} ${offer.summary} ${offer.blank.name}`.toLowerCase();
		return words.every((word) => text.includes(word));
	});
	const add = (offer: Offer) => {
		const { selection, graph } = editor.getState();
		const after = graph.nodes.find((node) => node.id === selection.nodes[0]);
		const board = document.querySelector(".react-flow")?.getBoundingClientRect();
		const middle = board
			? flow.screenToFlowPosition({ x: board.x + board.width / 2, y: board.y + board.height / 2 })
			: { x: 0, y: 0 };
		const wanted = after
			? { x: after.position.x + 320, y: after.position.y }
			: { x: middle.x - 120, y: middle.y - 60 };
		const id = editor.getState().add(offer.blank, freeSpot(graph, wanted));
		onAdded();
		if (id) requestAnimationFrame(() => void flow.fitView(FIT));
	};
	const onSearchKey = (event: KeyboardEvent) => {
		const [first] = found;
		if (event.nativeEvent.isComposing) return;
		if (event.key === "Enter" && first) add(first);
		if (event.key === "Escape") setSearch("");
	};
	return (
		<>
			<label className="palette-search">
				<Icon name="search" />
				<span className="sr-only">Search what to add</span>
				<input
					id="palette-search"
					type="search"
					placeholder="Search"
					autoComplete="off"
					value={search}
					onChange={(event) => setSearch(event.target.value)}
					onKeyDown={onSearchKey}
				/>
			</label>
			{groupsOf(found).map((group) => {
				const members = found.filter((offer) => offer.group === group);
				if (members.length === 0) return null;
				return (
					<section key={group} aria-label={group}>
						<h3 className="palette-group">{group}</h3>
						<ul>
							{members.map((offer) => (
								<OfferButton key={offer.key} offer={offer} onAdd={() => add(offer)} />
							))}
						</ul>
					</section>
				);
			})}
			{found.length === 0 && <p className="panel-note">Nothing is called like that.</p>}
			<p className="panel-note">Click or press Enter to add, or drag onto the canvas.</p>
		</>
	);
}

function OfferButton({ offer, onAdd }: { offer: Offer; onAdd(): void }) {
	const { kind, module } = offer.blank;
	const isThere = useEditor(
		(state) => offer.group === "Ends" && state.graph.nodes.some((node) => node.kind === kind),
	);
	const icon: IconName = module ? "module" : lookOf(kind).icon;
	return (
		<li>
			<button
				type="button"
				className={`offer ${nodeClass(kind)}`}
				draggable={!isThere}
				disabled={isThere}
				title={isThere ? `A pipeline has one ${kind}; it is there already.` : offer.summary}
				onClick={onAdd}
				onDragStart={(event) => {
					event.dataTransfer.setData(OFFER_MIME, offer.key);
					event.dataTransfer.effectAllowed = "copy";
				}}
			>
				<span className="node-icon">
					<Icon name={icon} />
				</span>
				<span className="offer-text">
					<span className="offer-title">{offer.title}</span>
					<span className="offer-summary">{isThere ? "Is there already." : offer.summary}</span>
				</span>
			</button>
		</li>
	);
}
