// The versions of the pipeline: who saved what when, what differs, and the way back.

import { type FormEvent, useEffect, useId, useState } from "react";
import type { VersionRow } from "../api/versions";
import { diff, summary } from "../graph/diff";
import { useEditor, useSaver, useStores, useVersions } from "../store/hooks";
import { download } from "./download";
import { Changes } from "./MergeView";
import { PanelHead } from "./PanelHead";
import { useComparison } from "./VersionsBoard";

export function VersionsPanel() {
	const { versions, page } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	const message = useVersions((state) => state.message);
	const revision = useSaver((state) => state.revision);
	useEffect(() => () => versions.getState().clear(), [versions]);
	// biome-ignore lint/correctness/useExhaustiveDependencies: which version is drawn now changes with every save.
	useEffect(() => void versions.getState().load(), [versions, revision]);
	return (
		<section className="panel-below versions" aria-label="Versions">
			<PanelHead title={<h2>Versions</h2>}>
				<a className="text-link versions-page" href={page.urls.versions_page}>
					All of them on a page
				</a>
			</PanelHead>
			<div className="panel-below-body">
				<div className="versions-list">
					{!readOnly && <SaveForm />}
					{message && (
						<p className="field-problem" role="alert">
							{message}
						</p>
					)}
					<VersionList />
					<KeptHere />
				</div>
				<div className="versions-words">
					<Comparison />
				</div>
			</div>
		</section>
	);
}

function SaveForm() {
	const { versions } = useStores();
	const isBusy = useVersions((state) => state.isBusy);
	const [message, setMessage] = useState("");
	const id = useId();
	const submit = (event: FormEvent) => {
		event.preventDefault();
		void versions
			.getState()
			.save(message.trim())
			.then((isMade) => {
				if (isMade) setMessage("");
			});
	};
	return (
		<form className="versions-form" onSubmit={submit}>
			<label className="form-label" htmlFor={`${id}-message`}>
				What is new in it
			</label>
			<div className="versions-save">
				<input
					id={`${id}-message`}
					className="input input-sm"
					maxLength={200}
					value={message}
					onChange={(event) => setMessage(event.target.value)}
				/>
				<button type="submit" className="btn btn-sm btn-primary" disabled={isBusy}>
					Save a version
				</button>
			</div>
		</form>
	);
}

function VersionList() {
	const { versions } = useStores();
	const phase = useVersions((state) => state.phase);
	const rows = useVersions((state) => state.versions);
	const hasMore = useVersions((state) => state.hasMore);
	if (phase === "loading") return <p className="panel-note">Looking for versions…</p>;
	if (phase === "ready" && rows.length === 0) {
		return (
			<p className="panel-note">
				There is none yet. A version is a state of the drawing under a number: runs refer to it,
				and it can be brought back.
			</p>
		);
	}
	return (
		<>
			<ul className="versions-rows">
				{rows.map((version) => (
					<VersionItem key={version.number} version={version} />
				))}
			</ul>
			{hasMore && (
				<button
					type="button"
					className="btn btn-sm"
					onClick={() => void versions.getState().loadOlder()}
				>
					Older ones
				</button>
			)}
		</>
	);
}

function VersionItem({ version }: { version: VersionRow }) {
	const { versions } = useStores();
	const isChosen = useVersions((state) => state.chosen.includes(version.number));
	const { number, message, by, at, runs, is_current, restored_from } = version;
	const says = [
		by,
		new Date(at).toLocaleString(),
		runs > 0 ? `${runs} ${runs === 1 ? "run" : "runs"}` : "",
		restored_from ? `brought back from version ${restored_from}` : "",
	].filter(Boolean);
	return (
		<li>
			<label className={`version-row ${isChosen ? "is-chosen" : ""}`}>
				<input
					type="checkbox"
					className="checkbox checkbox-sm"
					checked={isChosen}
					onChange={() => void versions.getState().choose(number)}
				/>
				<span className="version-text">
					<span className="version-title">
						<b>Version {number}</b> {message || "made for a run"}
						{is_current && <span className="version-now">as drawn now</span>}
					</span>
					<span className="version-says">{says.join(" · ")}</span>
				</span>
			</label>
		</li>
	);
}

/** Drawings that gave way to others, and drafts that were left: nothing of them is gone. */
function KeptHere() {
	const { drafts, page } = useStores();
	// What is kept grows when something is merged, loaded or left, which this is told of.
	useSaver((state) => [state.kept, state.draft, state.revision]);
	const kept = drafts.kept();
	if (kept.length === 0) return null;
	return (
		<details className="more">
			<summary>Kept in this browser: {kept.length}</summary>
			<ul className="versions-kept">
				{kept.map(({ whose, at, base_revision, spec }, index) => (
					<li key={`${whose} ${at}`}>
						<span>
							{whose === "mine" ? "Mine" : "Theirs"}, {new Date(at).toLocaleString()}, of revision{" "}
							{base_revision}
						</span>
						<button
							type="button"
							className="btn btn-xs"
							aria-label={`Download number ${index + 1} of what is kept`}
							onClick={() => download(`${page.pipeline}-${whose}`, spec)}
						>
							Download
						</button>
					</li>
				))}
			</ul>
		</details>
	);
}

/** What differs between what is chosen, in words; the board shows it as a picture. */
function Comparison() {
	const { versions } = useStores();
	const found = useComparison();
	if (!found) {
		return (
			<p className="panel-note">
				Choose a version to compare it with the drawing, or two to compare them with each other.
			</p>
		);
	}
	const changes = diff(found.before, found.after);
	return (
		<>
			<Changes title={found.title} changes={changes} onShow={found.onPath} />
			<div className="button-row">
				{found.single !== null && (
					<Restore number={found.single} says={summary(diff(found.after, found.before))} />
				)}
				<button
					type="button"
					className="btn btn-sm btn-ghost"
					onClick={() => versions.getState().clear()}
				>
					Stop comparing
				</button>
			</div>
		</>
	);
}

function Restore({ number, says }: { number: number; says: string }) {
	const { versions } = useStores();
	const readOnly = useEditor((state) => state.readOnly);
	const isBusy = useVersions((state) => state.isBusy);
	const [isAsked, setAsked] = useState(false);
	if (readOnly || !says) return null;
	if (!isAsked) {
		return (
			<button type="button" className="btn btn-sm" onClick={() => setAsked(true)}>
				Restore as a new version
			</button>
		);
	}
	return (
		<section className="versions-ask" aria-label={`Restore version ${number}`}>
			<p>
				The drawing becomes what version {number} was: {says}. What is drawn now stays among the
				revisions, and Ctrl+Z brings it back.
			</p>
			<div className="button-row">
				<button
					type="button"
					className="btn btn-sm btn-primary"
					disabled={isBusy}
					onClick={() => void versions.getState().restore(number)}
				>
					Restore version {number}
				</button>
				<button type="button" className="btn btn-sm" onClick={() => setAsked(false)}>
					Leave it
				</button>
			</div>
		</section>
	);
}
