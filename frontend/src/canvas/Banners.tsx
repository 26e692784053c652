// What has to be decided: two versions, edits from an earlier visit, a version that gave way.

import { type ReactNode, useState } from "react";
import { Icon } from "../nodes/Icon";
import { useSaver, useStores } from "../store/hooks";

export function Banners({ repairs }: { repairs: readonly string[] }) {
	const { saver, page } = useStores();
	const conflict = useSaver((state) => state.conflict);
	const draft = useSaver((state) => state.draft);
	const kept = useSaver((state) => state.kept);
	const [isRead, setRead] = useState(false);
	return (
		<div className="banners">
			{conflict && (
				<Banner tone="warning" title="Somebody else has saved this pipeline">
					<p>
						It is at revision {conflict.revision} now. Whichever you choose, the other version is
						kept in this browser, and you can download it.
					</p>
					<div className="button-row">
						<button
							type="button"
							className="btn btn-sm"
							onClick={() => saver.getState().loadTheirs()}
						>
							Load theirs
						</button>
						<button
							type="button"
							className="btn btn-sm"
							onClick={() => void saver.getState().keepMine()}
						>
							Keep mine (save over it as a new revision)
						</button>
					</div>
				</Banner>
			)}
			{draft && !conflict && (
				<Banner tone="info" title="You have edits that were never saved">
					<p>They are from {new Date(draft.at).toLocaleString()}, kept in this browser.</p>
					<div className="button-row">
						<button
							type="button"
							className="btn btn-sm btn-primary"
							onClick={() => saver.getState().restoreDraft()}
						>
							Bring them back
						</button>
						<button
							type="button"
							className="btn btn-sm"
							onClick={() => download(page.pipeline, draft.spec)}
						>
							Download
						</button>
						<button
							type="button"
							className="btn btn-sm btn-ghost"
							onClick={() => saver.getState().dropDraft()}
						>
							Leave them
						</button>
					</div>
				</Banner>
			)}
			{kept && !conflict && (
				<Banner
					tone="info"
					title={kept.whose === "mine" ? "Their version is loaded" : "Your version is saved"}
				>
					<p>
						{kept.whose === "mine"
							? "Yours is kept in this browser; Ctrl+Z brings it back."
							: `Theirs, revision ${kept.base_revision}, is kept in this browser.`}
					</p>
					<div className="button-row">
						<button
							type="button"
							className="btn btn-sm"
							onClick={() => download(page.pipeline, kept.spec)}
						>
							Download {kept.whose === "mine" ? "mine" : "theirs"}
						</button>
						<button
							type="button"
							className="btn btn-sm btn-ghost"
							onClick={() => saver.getState().forgetKept()}
						>
							Fine
						</button>
					</div>
				</Banner>
			)}
			{repairs.length > 0 && !isRead && (
				<Banner tone="warning" title="Something in this pipeline had to be mended">
					<ul>
						{[...new Set(repairs)].slice(0, 5).map((repair) => (
							<li key={repair}>{repair}</li>
						))}
					</ul>
					<div className="button-row">
						<button type="button" className="btn btn-sm btn-ghost" onClick={() => setRead(true)}>
							Fine
						</button>
					</div>
				</Banner>
			)}
		</div>
	);
}

interface BannerProps {
	tone: "info" | "warning";
	title: string;
	children: ReactNode;
}

function Banner({ tone, title, children }: BannerProps) {
	return (
		<section className={`banner banner-${tone}`} role={tone === "warning" ? "alert" : "status"}>
			<Icon name="warning" />
			<div>
				<p className="banner-title">{title}</p>
				{children}
			</div>
		</section>
	);
}

function download(name: string, spec: unknown): void {
	const blob = new Blob([JSON.stringify(spec, null, 2)], { type: "application/json" });
	const link = document.createElement("a");
	link.href = URL.createObjectURL(blob);
	link.download = `${name}.json`;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
}
