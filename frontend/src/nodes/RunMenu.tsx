// The button in a node's head that runs it, and its menu.

import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { useEditor, useStores, useTry } from "../store/hooks";
import { Icon } from "./Icon";
import { keepKeys } from "./NodeFooter";
import { useWhyNot } from "./running";

/** Steps of the outermost pipeline have one; it shows itself when the node is pointed at. */
export function RunButton({ id, name }: { id: string; name: string }) {
	const isTop = useEditor((state) => state.path.length === 0);
	const readOnly = useEditor((state) => state.readOnly);
	const button = useRef<HTMLButtonElement>(null);
	const [isOpen, setOpen] = useState(false);
	if (!isTop || readOnly) return null;
	const close = (backToButton: boolean) => {
		setOpen(false);
		if (backToButton) button.current?.focus();
	};
	return (
		<>
			<button
				ref={button}
				type="button"
				className="node-run nodrag nopan nokey"
				aria-label={`Run ${name}`}
				title={`Run ${name} …`}
				aria-haspopup="menu"
				aria-expanded={isOpen}
				onClick={(event) => {
					event.stopPropagation();
					setOpen(!isOpen);
				}}
				onKeyDown={keepKeys}
			>
				<Icon name="run" />
			</button>
			{isOpen && <RunMenu id={id} name={name} button={button.current} onClose={close} />}
		</>
	);
}

interface RunMenuProps {
	id: string;
	name: string;
	button: HTMLElement | null;
	onClose(backToButton: boolean): void;
}

function RunMenu({ id, name, button, onClose }: RunMenuProps) {
	const menu = useRef<HTMLDivElement>(null);
	const place = usePlace(button, menu);
	const leave = useRef(onClose);
	leave.current = onClose;
	useEffect(() => {
		menu.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
		const onPress = (event: PointerEvent | WheelEvent) => {
			const target = event.target instanceof Node ? event.target : null;
			if (!menu.current?.contains(target) && !button?.contains(target)) leave.current(false);
		};
		const onKey = (event: KeyboardEvent) => {
			event.stopPropagation();
			if (event.key === "Escape" || event.key === "Tab") {
				event.preventDefault();
				leave.current(true);
			}
			const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
			if (!step || !menu.current) return;
			event.preventDefault();
			moveFocus(menu.current, step);
		};
		document.addEventListener("pointerdown", onPress, true);
		// The board moves away below it.
		document.addEventListener("wheel", onPress, { capture: true, passive: true });
		// Before the board, which has a use for these keys too.
		window.addEventListener("keydown", onKey, true);
		return () => {
			document.removeEventListener("pointerdown", onPress, true);
			document.removeEventListener("wheel", onPress, true);
			window.removeEventListener("keydown", onKey, true);
		};
	}, [button]);
	return createPortal(
		<div
			ref={menu}
			className="run-menu nokey"
			role="menu"
			tabIndex={-1}
			aria-label={`Run ${name}`}
			style={place}
		>
			<RunItems id={id} role="menuitem" onDone={() => onClose(true)} />
		</div>,
		document.querySelector(".canvas") ?? document.body,
	);
}

function moveFocus(menu: HTMLElement, step: number): void {
	const items = [...menu.querySelectorAll<HTMLElement>("[role=menuitem]")];
	const at = items.indexOf(document.activeElement as HTMLElement);
	items.at((at + step + items.length) % items.length)?.focus();
}

/** Below the button, or above it where there is no room. */
function usePlace(button: HTMLElement | null, menu: { current: HTMLElement | null }) {
	const [place, setPlace] = useState({ left: 0, top: 0 });
	useLayoutEffect(() => {
		const at = button?.getBoundingClientRect();
		const size = menu.current?.getBoundingClientRect();
		if (!at || !size) return;
		const isRoom = at.bottom + 4 + size.height < window.innerHeight;
		setPlace({
			left: Math.max(8, Math.min(at.left, window.innerWidth - size.width - 8)),
			top: Math.max(8, isRoom ? at.bottom + 4 : at.top - 4 - size.height),
		});
	}, [button, menu]);
	return place;
}

interface RunItemsProps {
	id: string;
	role?: "menuitem";
	onDone?(): void;
}

/** What can be run of one step, each with the reason when it cannot; also in the inspector. */
export function RunItems({ id, role, onDone = () => {} }: RunItemsProps) {
	const { trying } = useStores();
	const notUntil = useWhyNot({ kind: "until", node: id });
	const notOnly = useWhyNot({ kind: "only", node: id });
	const isRunning = useTry(({ phase }) => phase === "queued" || phase === "running");
	const doing = trying.getState();
	const shared = { role, onDone };
	return (
		<>
			<RunItem
				{...shared}
				label="Run until here"
				help="Runs every step before it anew, and nothing behind it."
				obstacle={notUntil}
				onRun={() => doing.runUntil(id)}
			/>
			<RunItem
				{...shared}
				label="Run only this step"
				help="Takes the last values of the steps before it."
				obstacle={notOnly}
				onRun={() => doing.runOnly(id)}
			/>
			{isRunning && (
				<RunItem
					{...shared}
					label="Cancel"
					help="Stops the run."
					obstacle=""
					onRun={() => doing.cancel()}
				/>
			)}
		</>
	);
}

interface RunItemProps {
	label: string;
	help: string;
	obstacle: string;
	role: "menuitem" | undefined;
	onRun(): Promise<void>;
	onDone(): void;
}

/** It keeps the focus when it cannot be pressed, so that the reason can be read. */
function RunItem({ label, help, obstacle, role, onRun, onDone }: RunItemProps) {
	return (
		<button
			type="button"
			role={role}
			className={role ? "run-item" : "btn btn-sm run-button"}
			aria-disabled={obstacle !== ""}
			onClick={() => {
				if (obstacle) return;
				onDone();
				void onRun();
			}}
		>
			<span className="run-item-label">
				<Icon name={label === "Cancel" ? "stop" : "run"} /> {label}
			</span>{" "}
			<span className={role || obstacle ? "run-item-help" : "sr-only"}>{obstacle || help}</span>
		</button>
	);
}
