// Why nothing can be saved now, when it is tried again, and what people can do about it.

import { useEffect, useState } from "react";
import { useSaver, useStores } from "../store/hooks";
import { Banner } from "./Banners";

export function TroubleBanner() {
	const { saver, page } = useStores();
	const phase = useSaver((state) => state.phase);
	const message = useSaver((state) => state.message);
	const isSignedOut = useSaver((state) => state.isSignedOut);
	// While it is tried again the banner stays where it is.
	const isShown = message !== "" && ["failed", "signed-out", "saving"].includes(phase);
	if (!isShown) return null;
	return (
		<Banner tone="warning" title={isSignedOut ? "You are signed out" : "Not saved"}>
			<p>
				{isSignedOut ? "Saving goes on by itself when you have signed in again." : message} Your
				edits are kept in this browser meanwhile: go on drawing.
			</p>
			<div className="button-row">
				{isSignedOut && (
					<a
						className="btn btn-sm btn-primary"
						href={page.urls.sign_in}
						target="_blank"
						rel="noopener opener"
					>
						Sign in in a new tab
					</a>
				)}
				<button
					type="button"
					className="btn btn-sm"
					onClick={() => void saver.getState().saveNow()}
				>
					Try now
				</button>
				<Countdown />
			</div>
		</Banner>
	);
}

/** Not read out: it changes every second. */
function Countdown() {
	const nextTry = useSaver((state) => state.nextTry);
	const phase = useSaver((state) => state.phase);
	const [now, setNow] = useState(Date.now);
	useEffect(() => {
		if (nextTry === null) return;
		setNow(Date.now());
		const timer = setInterval(() => setNow(Date.now()), 500);
		return () => clearInterval(timer);
	}, [nextTry]);
	const seconds = nextTry === null ? 0 : Math.max(0, Math.ceil((nextTry - now) / 1_000));
	const words = seconds > 0 ? `Next try in ${seconds} s` : phase === "saving" ? "Trying…" : "";
	return (
		<span className="save-next" aria-hidden="true">
			{words}
		</span>
	);
}
