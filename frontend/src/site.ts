// The few things of a page that HTML and htmx cannot do. Loaded in the head without `defer`, so that
// a chosen theme is set before the first paint; everything else waits for events.

import { onListKey } from "./list-keys";

type Choice = "system" | "light" | "dark";

const KEY = "studio-theme";
const NEXT: Record<Choice, Choice> = { system: "light", light: "dark", dark: "system" };

function isChoice(text: string | null): text is Choice {
	return text === "system" || text === "light" || text === "dark";
}

function readTheme(): Choice {
	try {
		const stored = localStorage.getItem(KEY);
		return isChoice(stored) ? stored : "system";
	} catch {
		// Storage may be forbidden; the system's theme is a good answer.
		return "system";
	}
}

function showTheme(choice: Choice): void {
	if (choice === "system") delete document.documentElement.dataset.theme;
	else document.documentElement.dataset.theme = `studio-${choice}`;
}

function keepTheme(choice: Choice): void {
	try {
		localStorage.setItem(KEY, choice);
	} catch {
		// It then lasts for this page only.
	}
	showTheme(choice);
}

async function copy(button: HTMLElement): Promise<void> {
	const selector = button.dataset.copy ?? "";
	const source = selector ? document.querySelector<HTMLElement>(selector) : null;
	const text =
		source instanceof HTMLInputElement || source instanceof HTMLTextAreaElement
			? source.value
			: (source?.textContent ?? button.dataset.copyText ?? "");
	const label = button.querySelector<HTMLElement>("[data-copy-label]") ?? button;
	const before = label.textContent;
	try {
		await navigator.clipboard.writeText(text.trim());
		label.textContent = "Copied";
	} catch {
		label.textContent = "Select it and copy by hand";
	}
	setTimeout(() => {
		label.textContent = before;
	}, 2000);
}

function closeMenus(except: Element | null): void {
	for (const menu of document.querySelectorAll<HTMLDetailsElement>("details[data-menu][open]")) {
		if (menu !== except) menu.open = false;
	}
}

function onClick(event: MouseEvent): void {
	const target = event.target instanceof Element ? event.target : null;
	if (!target) return;
	closeMenus(target.closest("details[data-menu]"));

	if (target.closest("[data-theme-toggle]")) keepTheme(NEXT[readTheme()]);

	const copyButton = target.closest<HTMLElement>("[data-copy], [data-copy-text]");
	if (copyButton) void copy(copyButton);

	const opener = target.closest<HTMLElement>("[data-dialog]");
	if (opener) {
		const dialog = document.getElementById(opener.dataset.dialog ?? "");
		if (dialog instanceof HTMLDialogElement) dialog.showModal();
	}
	if (target instanceof HTMLDialogElement && target.open) target.close(); // the backdrop
	if (target.closest("[data-dialog-close]")) target.closest("dialog")?.close();

	const remover = target.closest<HTMLElement>("[data-remove]");
	if (remover) remover.closest(remover.dataset.remove || ".note")?.remove();
}

function onKey(event: KeyboardEvent): void {
	if (event.key !== "Escape") return;
	const open = document.querySelector<HTMLDetailsElement>("details[data-menu][open]");
	if (!open) return;
	open.open = false;
	open.querySelector("summary")?.focus();
}

/** A sentence in the corner for what htmx could not show. */
function tell(sentence: string): void {
	const corner = document.getElementById("problems");
	if (!corner) return;
	const note = document.createElement("p");
	note.className = "note note-error";
	note.setAttribute("role", "alert");
	note.textContent = sentence;
	corner.replaceChildren(note);
}

type SwapDetail = { xhr: XMLHttpRequest; shouldSwap: boolean };

/** A whole page must not land inside of a page: it is a sign-in form, or an error's page. */
function onSwap(event: Event): void {
	const { detail } = event as CustomEvent<SwapDetail>;
	if (detail.xhr.status >= 500) {
		tell("The server could not answer. Nothing was lost; try again in a moment.");
	} else if (/^\s*<!doctype/i.test(detail.xhr.responseText)) {
		detail.shouldSwap = false;
		tell("This page is out of date, or your session has ended. Reload it and try again.");
	}
}

const inFlight = new Set<XMLHttpRequest>();

function onSend(event: Event): void {
	const { xhr } = (event as CustomEvent<{ xhr: XMLHttpRequest }>).detail;
	inFlight.add(xhr);
	xhr.addEventListener("loadend", () => inFlight.delete(xhr));
}

/** What leaving the page cuts off has not failed: nobody is to be told. */
function onLeave(): void {
	for (const xhr of inFlight) {
		xhr.onabort = null;
		xhr.onerror = null;
	}
}

document.documentElement.classList.add("js");
showTheme(readTheme());
document.addEventListener("click", onClick);
document.addEventListener("keydown", onKey);
document.addEventListener("keydown", onListKey);
document.addEventListener("htmx:beforeSwap", onSwap);
document.addEventListener("htmx:beforeSend", onSend);
window.addEventListener("beforeunload", onLeave);
document.addEventListener("htmx:sendError", () =>
	tell("The server cannot be reached. Check that it is running, then try again."),
);
