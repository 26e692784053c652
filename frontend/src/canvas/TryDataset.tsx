// Take the inputs of a try from a row of a dataset.

import { useEffect, useId, useRef, useState } from "react";
import { ApiError } from "../api/client";
import { type ExampleRow, type Examples, readExamples } from "../api/runs";
import { useStores, useTry } from "../store/hooks";
import { showValue } from "../store/values";

const PAUSE_MS = 300;
const NOTHING: Examples = { datasets: [], rows: [], total: 0 };

export function TryDataset() {
	const row = useTry((state) => state.row);
	const details = useRef<HTMLDetailsElement>(null);
	const [isOpen, setOpen] = useState(false);
	return (
		<details
			className="more try-dataset"
			ref={details}
			onToggle={(event) => setOpen(event.currentTarget.open)}
		>
			<summary>
				{row ? `Row ${row.number} of ${row.dataset}` : "Take the inputs from a dataset"}
			</summary>
			{isOpen && (
				<Rows
					onPicked={() => {
						if (!details.current) return;
						details.current.open = false;
						details.current.querySelector("summary")?.focus();
					}}
				/>
			)}
		</details>
	);
}

function Rows({ onPicked }: { onPicked(): void }) {
	const { trying } = useStores();
	const [dataset, setDataset] = useState("");
	const [text, setText] = useState("");
	const { found, problem, isBusy, more } = useExamples(dataset, text);
	const id = useId();
	const chosen = dataset || (found.datasets[0]?.slug ?? "");
	if (problem) return <p className="field-problem">{problem}</p>;
	if (found.datasets.length === 0) {
		return (
			<p className="form-hint">
				{isBusy ? "Looking …" : "This project has no dataset whose columns are these inputs."}
			</p>
		);
	}
	const pick = (row: ExampleRow) => {
		const { name = chosen } = found.datasets.find(({ slug }) => slug === chosen) ?? {};
		const { number, values, expected } = row;
		trying.getState().pick({ dataset: name, number, values, expected });
		onPicked();
	};
	return (
		<div className="try-rows">
			<div className="try-search">
				<label className="sr-only" htmlFor={`${id}-dataset`}>
					Dataset
				</label>
				<select
					id={`${id}-dataset`}
					className="select select-sm"
					value={chosen}
					onChange={(event) => setDataset(event.target.value)}
				>
					{found.datasets.map(({ slug, name, rows }) => (
						<option key={slug} value={slug}>
							{name} ({rows} rows)
						</option>
					))}
				</select>
				<input
					type="search"
					className="input input-sm"
					aria-label="Rows that hold this text"
					placeholder="Rows that hold …"
					value={text}
					onChange={(event) => setText(event.target.value)}
				/>
			</div>
			<p className="form-hint" role="status">
				{found.total === 1 ? "1 row" : `${found.total} rows`}
			</p>
			<ul className="try-row-list" aria-busy={isBusy}>
				{found.rows.map((row) => (
					<li key={row.number}>
						<button type="button" onClick={() => pick(row)}>
							<span className="form-hint">
								Row {row.number}
								{row.split && ` · ${row.split}`}
							</span>
							<span className="try-row-text">
								{Object.values(row.values).map(showValue).join(" · ").slice(0, 300)}
							</span>
						</button>
					</li>
				))}
			</ul>
			{found.rows.length < found.total && (
				<button type="button" className="btn btn-sm btn-ghost" onClick={more}>
					More rows
				</button>
			)}
		</div>
	);
}

/** Rows of the dataset that hold the text; asked again when typing pauses. */
function useExamples(dataset: string, text: string) {
	const { page } = useStores();
	const [found, setFound] = useState(NOTHING);
	const [problem, setProblem] = useState("");
	const [isBusy, setBusy] = useState(true);
	const url = `${page.urls.pipeline}examples/`;
	const asked = useRef(0);
	const ask = async (chosen: string, offset: number) => {
		asked.current += 1;
		const mine = asked.current;
		setBusy(true);
		try {
			const answer = await readExamples(url, chosen, text, offset);
			if (mine !== asked.current) return;
			setFound((before) => ({
				...answer,
				rows: offset > 0 ? [...before.rows, ...answer.rows] : answer.rows,
			}));
			setProblem("");
		} catch (error) {
			if (!(error instanceof ApiError)) throw error;
			if (mine === asked.current) setProblem(error.message);
		}
		if (mine === asked.current) setBusy(false);
	};
	const latest = useRef(ask);
	latest.current = ask;
	const first = found.datasets[0]?.slug ?? "";
	const chosen = dataset || first;
	const isFirst = useRef(true);
	// biome-ignore lint/correctness/useExhaustiveDependencies: the text is asked for by `ask`
	useEffect(() => {
		const timer = setTimeout(() => void latest.current(chosen, 0), isFirst.current ? 0 : PAUSE_MS);
		isFirst.current = false;
		return () => clearTimeout(timer);
	}, [chosen, text]);
	return { found, problem, isBusy, more: () => void ask(chosen, found.rows.length) };
}
