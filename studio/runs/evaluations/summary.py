"""An evaluation in one line: what, on what, by what, and the score."""

from __future__ import annotations

from dataclasses import dataclass

from studio.engine.statistics import Interval
from studio.runs.evaluations.asked import Asked
from studio.runs.evaluations.results import read_results
from studio.runs.evaluations.subjects import words_of_run
from studio.runs.models import Run
from studio.runs.states import State


@dataclass(frozen=True, slots=True)
class Line:
    """One evaluation of a list."""

    run: Run
    what: str
    data: str
    metric: str
    score: Interval | None
    scored: int
    rows: int | None
    """Rows that are to be scored; None before that is known."""
    repeats: int
    is_final: bool


def summarise(run: Run) -> Line:
    """The line; of a run that has not ended from its rows."""
    asked = Asked.of(run)
    told, report = run.report.get("score"), run.report
    score: Interval | None
    if told is not None:
        score = Interval(told["value"], told["low"], told["high"])
        scored = int(report.get("scored", 0))
    else:
        results = read_results(run)
        score, scored = results.mean, results.scored
    return Line(
        run=run,
        what=words_of_run(run),
        data=words_of_data(run),
        metric=words_of_metric(run),
        score=score,
        scored=scored,
        rows=(report.get("plan") or {}).get("rows"),
        repeats=asked.repeats if asked else 1,
        is_final=State(run.state).is_final,
    )


def words_of_data(run: Run) -> str:
    """Which rows: the dataset, its version, the split, and how they were chosen."""
    asked = Asked.of(run)
    name = run.dataset.name if run.dataset else "a deleted dataset"
    version = f" v{run.dataset_number}" if run.dataset_number else ""
    split = str(run.params.get("split") or "")
    chosen = ""
    if asked is not None and asked.rows == "first":
        chosen = f", the first {asked.count:,} rows"
    elif asked is not None and asked.rows == "random":
        chosen = f", {asked.count:,} rows drawn with seed {run.seed}"
    return f"{name}{version}, {'all rows' if split == 'all' else split}{chosen}"


def words_of_metric(run: Run) -> str:
    """The metric and its version."""
    if run.metric is None:
        return "a deleted metric"
    version = f" v{run.metric_version.number}" if run.metric_version else ""
    return f"{run.metric.name}{version}"
