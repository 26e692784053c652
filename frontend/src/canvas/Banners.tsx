// What has to be decided: two who have saved, edits from an earlier visit, what others did.

import { type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { diff, told } from "../graph/diff";
import { Icon } from "../nodes/Icon";
import { useSaver, useStores } from "../store/hooks";
import { download } from "./download";
import { handFocusOn } from "./focus";
import { MergeBanner } from "./MergeBanner";
import { TroubleBanner } from "./TroubleBanner";

export function Banners({ repairs }: { repairs: readonly string[] }) {
	const conflict = useSaver((state) => state.conflict);
	const [isRead, setRead] = useState(false);
	return (
		<div className="banners">
			{conflict ? (
				<MergeBanner conflict={conflict} />
			) : (
				<>
					<TroubleBanner />
					<DraftBanner />
					<KeptBanner />
					<NewsBanner />
				</>
			)}
			{repairs.length > 0 && !isRead && (
				<Banner tone="warning" title="Something in this pipeline had to be mended">
					<ul>
						{[...new Set(repairs)].slice(0, 5).map((repair) => (
							<li key={repair}>{repair}</li>
						))}
					</ul>
					<div className="button-row">
						<Fine onClick={() => setRead(true)} />
					</div>
				</Banner>
			)}
		</div>
	);
}

function DraftBanner() {
	const { saver, page } = useStores();
	const draft = useSaver((state) => state.draft);
	if (!draft) return null;
	return (
		<Banner tone="info" title="You have edits that were never saved">
			<p>They are from {new Date(draft.at).toLocaleString()}, kept in this browser.</p>
			<div className="button-row">
				<button
					type="button"
					className="btn btn-sm btn-primary"
					onClick={() => void saver.getState().restoreDraft()}
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
	);
}

function KeptBanner() {
	const { saver, page } = useStores();
	const kept = useSaver((state) => state.kept);
	if (kept.length === 0) return null;
	const isMerged = kept.length > 1;
	return (
		<Banner
			tone="info"
			title={isMerged ? "Both are in one drawing now" : "Their version is loaded"}
		>
			<p>
				{isMerged
					? "Yours and theirs, as they were before, are kept in this browser."
					: "Yours is kept in this browser; Ctrl+Z brings it back."}
			</p>
			<div className="button-row">
				{kept.map(({ whose, spec }) => (
					<button
						key={whose}
						type="button"
						className="btn btn-sm"
						onClick={() => download(`${page.pipeline}-${whose}`, spec)}
					>
						Download {whose}
					</button>
				))}
				<Fine onClick={() => saver.getState().forgetKept()} />
			</div>
		</Banner>
	);
}

function NewsBanner() {
	const { saver } = useStores();
	const news = useSaver((state) => state.news);
	if (!news) return null;
	const entries = told(diff(news.before, news.after));
	return (
		<Banner tone="info" title={`${news.by || "Somebody else"} has saved: it is shown here now`}>
			<ul className="banner-list">
				{entries.slice(0, 4).map(({ says }) => (
					<li key={says}>{says}</li>
				))}
				{entries.length > 4 && <li>and {entries.length - 4} more</li>}
			</ul>
			<div className="button-row">
				<Fine onClick={() => saver.getState().forgetNews()} />
			</div>
		</Banner>
	);
}

function Fine({ onClick }: { onClick(): void }) {
	return (
		<button type="button" className="btn btn-sm btn-ghost" onClick={onClick}>
			Fine
		</button>
	);
}

interface BannerProps {
	tone: "info" | "warning";
	title: string;
	children: ReactNode;
}

export function Banner({ tone, title, children }: BannerProps) {
	const banner = useRef<HTMLElement>(null);
	useFocusHandedOn(banner);
	return (
		<section
			ref={banner}
			className={`banner banner-${tone}`}
			role={tone === "warning" ? "alert" : "status"}
		>
			<Icon name="warning" />
			<div>
				<p className="banner-title">{title}</p>
				{children}
			</div>
		</section>
	);
}

/** A banner goes with the press of its button: the focus goes to the board then, not nowhere. */
function useFocusHandedOn(banner: { readonly current: HTMLElement | null }): void {
	useLayoutEffect(() => {
		const own = banner.current;
		return () => {
			if (own?.contains(document.activeElement)) handFocusOn();
		};
	}, [banner]);
}
