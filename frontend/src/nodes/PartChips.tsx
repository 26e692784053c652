// On a node's card: the pipelines inside of it, each a way in.

import { isEnd, lackingParts, type StepNode } from "../graph";
import { useEditor, useStores } from "../store/hooks";
import { beginPart, openPart } from "../store/levels";
import { Icon } from "./Icon";
import { keepKeys } from "./NodeFooter";

const MOST_SHOWN = 6;

export function PartChips({ node }: { node: StepNode }) {
	const { editor } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	const drawn = Object.keys(node.parts);
	const all = [...drawn, ...lackingParts(node).map(({ name }) => name)];
	if (all.length === 0) return null;
	return (
		<ul className="chips" aria-label={`Pipelines inside ${node.name}`}>
			{all.slice(0, MOST_SHOWN).map((name) => {
				const inside = node.parts[name];
				const steps = inside?.nodes.filter((one) => !isEnd(one)).length ?? 0;
				const words = inside ? `${steps} ${steps === 1 ? "step" : "steps"}` : "missing";
				return (
					<li key={name}>
						<button
							type="button"
							className={`chip nodrag nopan ${inside ? "" : "is-missing"}`}
							title={
								inside ? `Open the pipeline “${name}” (Alt+↓)` : `Begin the pipeline “${name}”`
							}
							disabled={!inside && readOnly}
							onKeyDown={keepKeys}
							onClick={(event) => {
								event.stopPropagation();
								if (inside) openPart(editor, { node: node.id, part: name });
								else beginPart(editor, node.id, name);
							}}
							onDoubleClick={(event) => event.stopPropagation()}
						>
							<Icon name={inside ? "enter" : "warning"} />
							{name} <span className="chip-count">{words}</span>
						</button>
					</li>
				);
			})}
			{all.length > MOST_SHOWN && (
				<li className="chip-count">and {all.length - MOST_SHOWN} more</li>
			)}
		</ul>
	);
}
