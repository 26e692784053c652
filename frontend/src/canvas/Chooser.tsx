// A list with a search box over the board: arrow keys choose, Enter takes, Escape gives up.

import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { Icon, type IconName } from "../nodes/Icon";
import type { Point } from "../store/board";
import { useStores } from "../store/hooks";

export interface Choice {
	readonly key: string;
	readonly title: string;
	readonly detail: string;
	readonly icon: IconName;
	/** For the colours of the icon. */
	readonly look: string;
	/** Why it cannot be taken; empty when it can. */
	readonly reason: string;
}

interface ChooserProps {
	title: string;
	choices: readonly Choice[];
	at: Point;
	onChoose(choice: Choice): void;
	/** `back`: whether the focus belongs where it was before. */
	onClose(back: boolean): void;
}

export function Chooser({ title, choices, at, onChoose, onClose }: ChooserProps) {
	const { editor } = useStores();
	const [search, setSearch] = useState("");
	const [active, setActive] = useState(0);
	const box = useRef<HTMLDivElement>(null);
	const id = useId();
	const found = matching(choices, search);
	const chosen = Math.min(active, found.length - 1);
	const optionId = (index: number) => `${id}-${index}`;
	useFocusKept(box);
	usePlace(box, at);
	useEffect(() => {
		const outside = (event: PointerEvent) => {
			if (event.target instanceof Node && box.current?.contains(event.target)) return;
			onClose(false);
		};
		document.addEventListener("pointerdown", outside, true);
		return () => document.removeEventListener("pointerdown", outside, true);
	}, [onClose]);
	useEffect(() => {
		box.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
	});
	const take = (choice: Choice | undefined) => {
		if (!choice) return;
		if (choice.reason) editor.getState().say(choice.reason, "refusal");
		else onChoose(choice);
	};
	const onKeyDown = (event: KeyboardEvent) => {
		const next = (step: number) => setActive((chosen + step + found.length) % found.length);
		const keys = new Map<string, () => void>([
			["ArrowDown", () => next(1)],
			["ArrowUp", () => next(-1)],
			["Enter", () => take(found[chosen])],
			["Escape", () => onClose(true)],
			["Tab", () => onClose(true)],
		]);
		const act = keys.get(event.key);
		event.stopPropagation();
		if (!act || event.nativeEvent.isComposing) return;
		event.preventDefault();
		act();
	};
	const fitting = found.filter(({ reason }) => !reason).length;
	return (
		<div className="chooser" ref={box} role="dialog" aria-label={title}>
			<label className="palette-search">
				<Icon name="search" />
				<span className="sr-only">{title}</span>
				<input
					type="search"
					role="combobox"
					aria-expanded="true"
					aria-controls={id}
					aria-autocomplete="list"
					aria-activedescendant={found[chosen] ? optionId(chosen) : undefined}
					autoComplete="off"
					placeholder={title}
					value={search}
					onChange={(event) => {
						setSearch(event.target.value);
						setActive(0);
					}}
					onKeyDown={onKeyDown}
				/>
			</label>
			<div className="chooser-list" id={id} tabIndex={-1} role="listbox" aria-label={title}>
				{found.map((choice, index) => (
					<div
						key={choice.key}
						id={optionId(index)}
						role="option"
						tabIndex={-1}
						aria-selected={index === chosen}
						aria-disabled={choice.reason !== ""}
						className={`chooser-option ${choice.look} ${index === fitting && fitting > 0 ? "is-first-refused" : ""}`}
						onPointerMove={() => setActive(index)}
						onPointerDown={(event) => event.preventDefault()}
						onClick={() => take(choice)}
						onKeyDown={onKeyDown}
					>
						<span className="node-icon">
							<Icon name={choice.icon} />
						</span>
						<span className="offer-text">
							<span className="offer-title">{choice.title}</span>
							<span className="offer-summary">{choice.reason || choice.detail}</span>
						</span>
					</div>
				))}
			</div>
			{found.length === 0 && <p className="panel-note">Nothing is called like that.</p>}
		</div>
	);
}

/** Those that have all the words, what can be taken and what is called like that first. */
function matching(choices: readonly Choice[], search: string): Choice[] {
	const words = search.toLowerCase().split(/\s+/).filter(Boolean);
	const rank = ({ title, reason }: Choice) => {
		const name = title.toLowerCase();
		const near = words.every((word) => name.startsWith(word))
			? 0
			: words.every((word) => name.includes(word))
				? 1
				: 2;
		return (reason ? 10 : 0) + near;
	};
	return choices
		.filter(({ title, detail }) => {
			const text = `${title} ${detail}`.toLowerCase();
			return words.every((word) => text.includes(word));
		})
		.sort((one, other) => rank(one) - rank(other));
}

/** The search box has the focus; whoever had it before gets it back when the list goes. */
function useFocusKept(box: { readonly current: HTMLElement | null }): void {
	useEffect(() => {
		const before = document.activeElement;
		box.current?.querySelector("input")?.focus({ preventScroll: true });
		const own = box.current;
		return () => {
			// When something else has taken the focus meanwhile, it keeps it.
			const now = document.activeElement;
			if (now && now !== document.body && !own?.contains(now)) return;
			const tabStop = document.querySelector<HTMLElement>(".react-flow__node[tabindex='0']");
			const isThing = before instanceof HTMLElement || before instanceof SVGElement;
			const back = isThing && before.isConnected && before.closest(".canvas") ? before : tabStop;
			back?.focus({ preventScroll: true });
		};
	}, [box]);
}

const EDGE = 8;

/** At the point, and whole within the window. */
function usePlace(box: { readonly current: HTMLElement | null }, { x, y }: Point): void {
	useLayoutEffect(() => {
		const element = box.current;
		if (!element) return;
		const { width, height } = element.getBoundingClientRect();
		const within = (wanted: number, room: number) => Math.max(EDGE, Math.min(wanted, room - EDGE));
		element.style.left = `${within(x, window.innerWidth - width)}px`;
		element.style.top = `${within(y, window.innerHeight - height)}px`;
	}, [box, x, y]);
}
