// Keys for the page on which people label answers: what carries `data-key` is pressed by it.

function onKey(event: KeyboardEvent): void {
	if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
	const target = event.target instanceof Element ? event.target : null;
	if (target?.closest("input, select, textarea, [contenteditable]")) return;
	const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
	const one = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
	if (!one) return;
	event.preventDefault();
	one.click();
}

document.addEventListener("keydown", onKey);
