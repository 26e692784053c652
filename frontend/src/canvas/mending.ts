// The way from a problem to the very box in which it is mended.

import { useReactFlow } from "@xyflow/react";
import { mendingPlace, type Problem, type Spot } from "../graph";
import { useStores } from "../store/hooks";

/** How long the level and the form may take to be on the page. */
const MOST_FRAMES = 60;

/** Opens the level, selects and shows the node, and puts the focus into the box. */
export function useMending(onOpen: () => void): (problem: Problem) => void {
	const { editor, page } = useStores();
	const flow = useReactFlow();
	return (problem) => {
		const { way, node, edge, spot } = mendingPlace(problem, editor.getState().history.present);
		editor.getState().open(way);
		editor.getState().select(node ? [node] : [], edge ? [edge] : []);
		const ends = editor.getState().graph.edges.find(({ id }) => id === edge);
		const seen = node ? [node] : ends ? [ends.source, ends.target] : [];
		if (spot.box !== "palette") onOpen();
		const kind = editor.getState().graph.nodes.find(({ id }) => id === node)?.kind;
		const params = page.palette.kinds.find((one) => one.kind === kind)?.params ?? [];
		const named = params.find(
			({ name, label }) =>
				problem.message.includes(label ?? name) || problem.message.includes(`“${name}”`),
		);
		void whenThere(selectorsOf(spot, named?.name), () => {
			if (seen.length === 0) return;
			const nodes = seen.map((id) => ({ id }));
			void flow.fitView({ nodes, maxZoom: 1.1, duration: 300, padding: 0.6 });
		});
	};
}

/** The boxes that would do, the best first. */
function selectorsOf(spot: Spot, param: string | undefined): string[] {
	const inside = (selector: string) => `.inspector ${selector}`;
	switch (spot.box) {
		case "palette":
			return ["#palette-search"];
		case "name":
			return [inside("[data-first-field]")];
		case "signature":
			return [
				inside('.field-table [aria-invalid="true"]'),
				inside("[data-signature]"),
				inside("[data-first-field]"),
			];
		case "new-field":
			return [inside(".add-field")];
		case "params":
			return [
				...(param
					? [inside(`[data-param="${CSS.escape(param)}"] :is(input, select, textarea)`)]
					: []),
				inside("[data-param] :is(input, select, textarea)"),
			];
		case "wire-itself":
			return [inside(".inspector-body button")];
		case "part":
			return [inside(`[data-part="${CSS.escape(spot.name)}"] button`)];
		case "wire":
			return [inside(`select[data-wire="${CSS.escape(spot.name)}"]`)];
		case "field":
			return [
				inside('.field-table [aria-invalid="true"]'),
				inside(`[data-field="${CSS.escape(spot.name)}"] :is(select, input)`),
				inside(".field-table :is(select, input)"),
			];
	}
}

/** Focus on the first box that is there, once the form is on the page; then what else is to do. */
function whenThere(selectors: readonly string[], after: () => void, frame = 0): void {
	// Two frames: the old form must have gone before the new one is looked at.
	if (frame < 2) {
		requestAnimationFrame(() => whenThere(selectors, after, frame + 1));
		return;
	}
	const found = selectors
		.map((selector) => document.querySelector<HTMLElement>(selector))
		.find((element) => element !== null);
	if (!found && frame < MOST_FRAMES) {
		requestAnimationFrame(() => whenThere(selectors, after, frame + 1));
		return;
	}
	if (found) {
		for (
			let box = found.closest("details");
			box;
			box = box.parentElement?.closest("details") ?? null
		) {
			box.open = true;
		}
		found.scrollIntoView({ block: "center" });
		found.focus({ preventScroll: true });
	}
	after();
}
