// Lists that people go through item by item: `j` and `k` move between the items of `[data-keys]`,
// the arrows too once one of them has the focus, and a letter presses the button of the item that
// has the focus which carries it as `data-key`.
// A link that carries a letter as `data-page-key` is followed from anywhere on the page.

function items(): HTMLElement[] {
	return [...document.querySelectorAll<HTMLElement>("[data-keys] [data-key-item]")];
}

function isTyping(target: EventTarget | null): boolean {
	return (
		target instanceof Element && target.closest("input, textarea, select, dialog[open]") !== null
	);
}

function isArrow(key: string): boolean {
	return key === "ArrowDown" || key === "ArrowUp";
}

function move(list: HTMLElement[], at: number, step: number): void {
	const next = list[at < 0 ? 0 : Math.min(Math.max(at + step, 0), list.length - 1)];
	next?.focus({ preventScroll: true });
	next?.scrollIntoView({ block: "nearest" });
}

export function onListKey(event: KeyboardEvent): void {
	if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
	const follows = `a[data-page-key="${CSS.escape(event.key)}"]`;
	const near = document.activeElement?.closest("section")?.querySelector<HTMLElement>(follows);
	const link = near ?? document.querySelector<HTMLElement>(follows);
	if (link) {
		link.click();
		return;
	}
	const list = items();
	const at = list.findIndex((item) => item.contains(document.activeElement));
	if (event.key === "j") move(list, at, 1);
	else if (event.key === "k") move(list, at, -1);
	else if (at >= 0 && isArrow(event.key)) {
		event.preventDefault();
		move(list, at, event.key === "ArrowDown" ? 1 : -1);
	} else if (at >= 0 && event.key.length === 1) {
		const button = `button[data-key="${CSS.escape(event.key)}"]`;
		list[at]?.querySelector<HTMLElement>(button)?.click();
	}
}
