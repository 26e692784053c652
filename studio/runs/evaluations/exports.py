"""An evaluation as a file: a line for each answer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from studio.datasets.models import Split
from studio.datasets.splits.sealing import Hidden
from studio.runs.evaluations.finding import scores_of
from studio.runs.models import Run, ScoreRow

AT_ONCE = 500
_PLACES = ("row", "split", "repetition")
_FIGURES = ("score", "state", "reason", "calls", "seconds", "cost", "taken_over")


def columns_of(run: Run) -> list[str]:
    """The columns of the table: inputs, what was expected, what was answered, the figures."""
    inputs, outputs = ends_of(run)
    return [
        *_PLACES,
        *(f"input_{name}" for name in inputs),
        *(f"expected_{name}" for name in outputs),
        *(f"answer_{name}" for name in outputs),
        *_FIGURES,
    ]


def table_rows(run: Run) -> Iterator[dict[str, Any]]:
    """The lines of the table, one at a time."""
    inputs, outputs = ends_of(run)
    for score in _scores(run):
        answer = _finite(score.prediction.get("values", {}))
        yield {
            **_place(score),
            **{f"input_{name}": score.gold.get(name) for name in inputs},
            **{f"expected_{name}": score.gold.get(name) for name in outputs},
            **{f"answer_{name}": answer.get(name) for name in outputs},
            **_figures(score),
        }


def whole_rows(run: Run) -> Iterator[dict[str, Any]]:
    """The same as objects, with every step of the program."""
    inputs, outputs = ends_of(run)
    for score in _scores(run):
        yield {
            **_place(score),
            "inputs": {name: score.gold.get(name) for name in inputs},
            "expected": {name: score.gold[name] for name in outputs if name in score.gold},
            "answer": _finite(score.prediction.get("values", {})),
            **_figures(score),
            "steps": _finite(score.prediction.get("steps", [])),
        }


def ends_of(run: Run) -> tuple[list[str], list[str]]:
    """The names of the pipeline's inputs and outputs."""
    spec = run.version.spec

    def names(kind: str) -> list[str]:
        nodes = [node for node in spec["nodes"] if node["kind"] == kind]
        return [str(field["name"]) for node in nodes for field in node["fields"]]

    return names("input"), names("output")


def state_of(score: ScoreRow) -> str:
    """Where one answer stands."""
    if score.failed:
        return "failed"
    if score.value is None:
        return "unscored"
    return "right" if score.value >= 1 else "wrong" if score.value <= 0 else "partly"


def _scores(run: Run) -> Iterable[ScoreRow]:
    sealed = run.dataset is not None and run.dataset.sealed
    hidden = Hidden(run.dataset) if run.dataset is not None and sealed else None
    rows = scores_of(run).order_by("number", "example", "repeat").defer("words")
    for score in rows.iterator(chunk_size=AT_ONCE):
        if hidden is not None and (
            score.split == Split.TEST or (score.number and hidden.number(score.number))
        ):
            continue
        yield score


def _place(score: ScoreRow) -> dict[str, Any]:
    return {"row": score.number, "split": score.split, "repetition": score.repeat + 1}


def _figures(score: ScoreRow) -> dict[str, Any]:
    return {
        "score": score.value,
        "state": state_of(score),
        "reason": score.reason,
        "calls": score.calls,
        "seconds": score.seconds,
        "cost": score.cost,
        "taken_over": score.borrowed,
    }


def _finite(value: Any) -> Any:
    """JSON without the numbers that it has no word for, such as a log-probability of nothing."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return value
