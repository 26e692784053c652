// The pipeline as code, beside the drawing: each follows the other.

import { type RefObject, useEffect, useRef, useState } from "react";
import { Icon } from "../nodes/Icon";
import type { Tongue } from "../store/code";
import { useCode, useEditor, useStores } from "../store/hooks";
import { CodeBox, goToLine } from "./CodeBox";
import { PanelHead } from "./PanelHead";

const TONGUES: Readonly<Record<Tongue, { title: string; file(pipeline: string): string }>> = {
	python: { title: "Python", file: (pipeline) => `${pipeline.replaceAll("-", "_")}.py` },
	// The name by which its own words import it.
	dspy: { title: "DSPy", file: () => "program.py" },
};

export function CodePanel() {
	const { code } = useStores();
	const tongue = useCode((state) => state.tongue);
	useEffect(() => {
		code.getState().open();
		return () => code.getState().close();
	}, [code]);
	useLeaving();
	return (
		<section className="panel-below code-panel" aria-label="The pipeline as code">
			<PanelHead title={<Tabs />}>
				<Take />
			</PanelHead>
			<div
				className="code-body"
				role="tabpanel"
				id="code-sheet"
				aria-labelledby={`code-tab-${tongue}`}
			>
				{tongue === "python" ? <Python /> : <Dspy />}
			</div>
		</section>
	);
}

/** The browser asks before a page is left with code in it that no drawing has. */
function useLeaving(): void {
	const { code } = useStores();
	useEffect(() => {
		const ask = (event: BeforeUnloadEvent) => {
			if (code.getState().phase !== "fresh") event.preventDefault();
		};
		window.addEventListener("beforeunload", ask);
		return () => window.removeEventListener("beforeunload", ask);
	}, [code]);
}

function Tabs() {
	const { code } = useStores();
	const tongue = useCode((state) => state.tongue);
	const names = Object.keys(TONGUES) as Tongue[];
	const choose = (name: Tongue) => {
		code.getState().choose(name);
		document.getElementById(`code-tab-${name}`)?.focus();
	};
	return (
		<div
			className="code-tabs"
			role="tablist"
			aria-label="Language of the code"
			onKeyDown={(event) => {
				if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
				event.preventDefault();
				choose(names.find((name) => name !== tongue) ?? tongue);
			}}
		>
			{names.map((name) => (
				<button
					key={name}
					id={`code-tab-${name}`}
					type="button"
					role="tab"
					aria-selected={tongue === name}
					aria-controls="code-sheet"
					tabIndex={tongue === name ? 0 : -1}
					className={`btn btn-ghost btn-sm ${tongue === name ? "btn-active" : ""}`}
					onClick={() => choose(name)}
				>
					{TONGUES[name].title}
				</button>
			))}
		</div>
	);
}

/** Take the code along. */
function Take() {
	const { page, editor } = useStores();
	const tongue = useCode((state) => state.tongue);
	const text = useCode((state) => (state.tongue === "python" ? state.text : state.dspy));
	const [isCopied, setCopied] = useState(false);
	useEffect(() => {
		if (!isCopied) return;
		const timer = setTimeout(() => setCopied(false), 2_000);
		return () => clearTimeout(timer);
	}, [isCopied]);
	const copy = async () => {
		try {
			await navigator.clipboard.writeText(text);
			setCopied(true);
			editor.getState().say("The code was copied.");
		} catch {
			editor
				.getState()
				.say(
					"The browser does not let the page copy: select the code and press Ctrl+C.",
					"refusal",
				);
		}
	};
	const download = () => {
		const link = document.createElement("a");
		const url = URL.createObjectURL(new Blob([text], { type: "text/x-python" }));
		link.href = url;
		link.download = TONGUES[tongue].file(page.pipeline);
		link.click();
		URL.revokeObjectURL(url);
	};
	return (
		<>
			<button
				type="button"
				className="btn btn-ghost btn-sm"
				disabled={!text}
				onClick={() => void copy()}
			>
				<Icon name={isCopied ? "check" : "copy"} /> {isCopied ? "Copied" : "Copy"}
			</button>
			<button type="button" className="btn btn-ghost btn-sm" disabled={!text} onClick={download}>
				<Icon name="output" /> Download
			</button>
		</>
	);
}

function Python() {
	const { code } = useStores();
	const box = useRef<HTMLTextAreaElement>(null);
	const text = useCode((state) => state.text);
	const problem = useCode((state) => state.pythonProblem);
	const problems = useCode((state) => state.problems);
	const phase = useCode((state) => state.phase);
	const readOnly = useEditor((state) => state.readOnly);
	if (problem && phase === "fresh") return <Refusal title="No code" words={problem} />;
	return (
		<>
			<CodeBox
				label="Python of the pipeline"
				text={text}
				readOnly={readOnly || text === ""}
				problems={problems}
				box={box}
				onEdit={(next) => code.getState().edit(next)}
				onLeave={() => code.getState().settle()}
			/>
			<Says box={box} />
		</>
	);
}

const WORDS = {
	fresh: "The code is the drawing’s: change one, and the other follows.",
	edited: "Edited…",
	reading: "Reading…",
	broken: "The code does not read, so the drawing stays as it was.",
	clash: "The drawing has changed meanwhile. Your edits of the code are not in it.",
} as const;

/** How the code and the drawing stand to each other. */
function Says({ box }: { box: RefObject<HTMLTextAreaElement | null> }) {
	const { code } = useStores();
	const phase = useCode((state) => state.phase);
	const problems = useCode((state) => state.problems);
	const message = useCode((state) => state.message);
	const readOnly = useEditor((state) => state.readOnly);
	const isStuck = phase === "broken" || phase === "clash";
	return (
		<div className={`code-says is-${phase}`}>
			<div role="status">
				<p>{readOnly ? "You may read the code, not change it." : WORDS[phase]}</p>
				{message && <p className="field-problem">{message}</p>}
				{phase === "broken" && problems.length > 0 && (
					<ul className="code-problems">
						{problems.map(({ line, message: words }) => (
							<li key={`${line} ${words}`}>
								{line > 0 && (
									<button
										type="button"
										className="text-link"
										onClick={() => goToLine(box.current, line)}
									>
										Line {line}
									</button>
								)}
								<span>{words}</span>
							</li>
						))}
					</ul>
				)}
			</div>
			{isStuck && (
				<div className="button-row">
					<button
						type="button"
						className="btn btn-sm"
						onClick={() => code.getState().takeDrawing()}
					>
						Take the drawing’s code
					</button>
					{(phase === "clash" || problems.length === 0) && (
						<button
							type="button"
							className="btn btn-sm"
							onClick={() => void code.getState().takeText()}
						>
							{phase === "clash" ? "Draw my code" : "Try again"}
						</button>
					)}
				</div>
			)}
		</div>
	);
}

function Dspy() {
	const text = useCode((state) => state.dspy);
	const problem = useCode((state) => state.dspyProblem);
	const message = useCode((state) => state.message);
	if (problem) return <Refusal title="No DSPy code" words={problem} />;
	return (
		<>
			<CodeBox label="DSPy code of the pipeline" text={text} readOnly />
			<div className="code-says">
				<div role="status">
					<p>It needs DSPy and nothing of this studio. It follows the drawing.</p>
					{message && <p className="field-problem">{message}</p>}
				</div>
			</div>
		</>
	);
}

function Refusal({ title, words }: { title: string; words: string }) {
	return (
		<div className="code-refusal" role="status">
			<p className="empty-title">{title}</p>
			<p>{words}</p>
		</div>
	);
}
