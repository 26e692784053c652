// What the browser tells of: the page is hidden, shown again, left; the network is back.

import type { Remembering } from "./memory";
import type { Saver } from "./saver";

const LOOK_MS = 20_000;

/** Save and look again whenever there is reason to; ends with what it returns. */
export function watchPage(saver: Saver, memory: Remembering): () => void {
	const goOn = () => {
		const { phase, saveNow, lookAgain } = saver.getState();
		if (phase === "failed" || phase === "signed-out") void saveNow();
		else void lookAgain();
	};
	const onVisible = () => {
		if (document.visibilityState === "visible") {
			goOn();
			return;
		}
		// It may be the last that this page does. The save names its revision: it is never stale.
		if (saver.getState().phase === "unsaved") void saver.getState().saveNow();
		void memory.flush();
	};
	const onLeave = () => void memory.flush();
	const timer = setInterval(() => {
		if (document.visibilityState === "visible") void saver.getState().lookAgain();
	}, LOOK_MS);
	document.addEventListener("visibilitychange", onVisible);
	window.addEventListener("focus", goOn);
	window.addEventListener("online", goOn);
	window.addEventListener("pagehide", onLeave);
	return () => {
		clearInterval(timer);
		document.removeEventListener("visibilitychange", onVisible);
		window.removeEventListener("focus", goOn);
		window.removeEventListener("online", goOn);
		window.removeEventListener("pagehide", onLeave);
	};
}
