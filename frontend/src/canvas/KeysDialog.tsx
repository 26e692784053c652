// All keys of the canvas, as they stand in its table.

import { useEffect, useRef } from "react";
import { useBoard, useStores } from "../store/hooks";
import { CLIPBOARD_KEYS, type Group, KEYS } from "./keys";

const GROUPS: readonly Group[] = [
	"Adding and wiring",
	"Going about",
	"Running",
	"Editing",
	"Arranging",
	"Looking",
];

const SIGNS: Readonly<Record<string, string>> = {
	ArrowLeft: "←",
	ArrowRight: "→",
	ArrowUp: "↑",
	ArrowDown: "↓",
};

export function KeysDialog() {
	const isShown = useBoard((state) => state.showsKeys);
	const { board } = useStores();
	const dialog = useRef<HTMLDialogElement>(null);
	useEffect(() => {
		if (isShown) dialog.current?.showModal();
		else dialog.current?.close();
	}, [isShown]);
	return (
		<dialog
			ref={dialog}
			className="keys-dialog"
			aria-labelledby="keys-title"
			onClose={() => board.getState().showKeys(false)}
		>
			{isShown && (
				<>
					<header className="keys-head">
						<h2 id="keys-title">Keys of the canvas</h2>
						<form method="dialog">
							<button type="submit" className="btn btn-sm">
								Close
							</button>
						</form>
					</header>
					<div className="keys-groups">
						{GROUPS.map((group) => (
							<section key={group} aria-label={group}>
								<h3>{group}</h3>
								<dl>
									{[...KEYS, ...CLIPBOARD_KEYS]
										.filter((keyed) => keyed.group === group)
										.map(({ keys, words }) => (
											<div key={keys[0]}>
												<dt>
													{keys.map((key) => (
														<Pressed key={key} text={key} />
													))}
												</dt>
												<dd>{words}</dd>
											</div>
										))}
								</dl>
							</section>
						))}
					</div>
				</>
			)}
		</dialog>
	);
}

function Pressed({ text }: { text: string }) {
	const parts = text === "+" ? ["+"] : text.split("+");
	return (
		<span className="pressed">
			{parts.map((part) => (
				<kbd key={part} className="kbd kbd-sm">
					{SIGNS[part] ?? part}
				</kbd>
			))}
		</span>
	);
}
