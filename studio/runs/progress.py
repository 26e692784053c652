"""How far a compile is, derived from its rows: nothing is counted beside them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Avg, Count, Q
from django.utils import timezone

from studio.engine.compilers import COMPILERS
from studio.runs.models import CandidateRow, Run, ScoreRow, TraceRow
from studio.runs.states import State


@dataclass(frozen=True, slots=True)
class Stage:
    """One part of a compile: `done`, `now` or `todo`."""

    name: str
    title: str
    state: str
    note: str


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean score so far, with a 95 % interval."""

    scored: int
    value: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CandidateProgress:
    """One candidate as the page shows it."""

    number: int
    hash: str
    origin: str
    demos: int
    dev: Mean
    test: Mean
    best: bool
    baseline: bool
    dropped: bool
    """It could not have become the best any more, so it was not scored on all."""


@dataclass(frozen=True)
class Progress:
    """A compile as the page shows it."""

    stages: tuple[Stage, ...]
    tried: int
    passed: int
    candidates: tuple[CandidateProgress, ...]
    calls_share: int
    """Percent of the cap."""
    elapsed: timedelta | None

    @property
    def best(self) -> CandidateProgress | None:
        """The candidate with the best mean on dev so far."""
        return next((one for one in self.candidates if one.best), None)

    @property
    def baseline(self) -> CandidateProgress | None:
        """The uncompiled program."""
        return next((one for one in self.candidates if one.baseline), None)


NOTHING = Mean(0, None, 0.0, 1.0)


def read_progress(run: Run) -> Progress:
    """The progress of a compile or an evaluate."""
    traces = TraceRow.objects.filter(run=run).aggregate(
        tried=Count("pk"), passed=Count("pk", filter=Q(passed=True))
    )
    means = _means(run)
    planned = _planned(run)
    rows = list(run.candidates.order_by("number"))
    chosen = run.report.get("candidate", "")
    best = chosen if any(row.hash == chosen for row in rows) else _best(rows, means)
    dropped = _dropped(run)
    candidates = tuple(
        CandidateProgress(
            number=row.number,
            hash=row.hash,
            origin=row.origin,
            demos=sum(len(state.get("demos", ())) for state in row.states.values()),
            dev=means.get((row.hash, "dev"), NOTHING),
            test=means.get((row.hash, "test"), NOTHING),
            best=row.hash == best,
            baseline=row.number == 0,
            dropped=row.number in dropped,
        )
        for row in rows
    )
    return Progress(
        stages=_stages(run, traces, candidates, planned),
        tried=traces["tried"],
        passed=traces["passed"],
        candidates=candidates,
        calls_share=min(100, round(100 * run.calls / max(1, run.max_calls))),
        elapsed=elapsed_of(run),
    )


def elapsed_of(run: Run) -> timedelta | None:
    """How long it has been worked on."""
    if run.started_at is None:
        return None
    return (run.finished_at or timezone.now()) - run.started_at


def mean_of(scored: int, value: float | None) -> Mean:
    """A mean with an interval that is cheap enough for every second (Agresti and Coull 1998).

    It is that of a share: scores lie between 0 and 1, so their spread is no larger.
    """
    if not scored or value is None:
        return NOTHING
    n = scored + 4
    middle = (value * scored + 2) / n
    half = 1.96 * math.sqrt(middle * (1 - middle) / n)
    return Mean(
        scored, value, max(0.0, min(value, middle - half)), min(1.0, max(value, middle + half))
    )


def _means(run: Run) -> dict[tuple[str, str], Mean]:
    rows = (
        ScoreRow.objects.filter(run=run)
        .values("candidate", "split")
        .annotate(scored=Count("value"), mean=Avg("value"))
        .order_by()
    )
    return {(row["candidate"], row["split"]): mean_of(row["scored"], row["mean"]) for row in rows}


def _best(rows: list[CandidateRow], means: Mapping[tuple[str, str], Mean]) -> str:
    """Of those seen on most examples the one with the best mean; the uncompiled one counts too."""
    seen = [(means.get((row.hash, "dev"), NOTHING), row) for row in rows]
    scored = [(mean, row) for mean, row in seen if mean.value is not None]
    if not scored:
        return ""
    most = max(mean.scored for mean, _ in scored)
    full = [(mean, row) for mean, row in scored if mean.scored >= most]
    return max(full, key=lambda pair: (pair[0].value or 0.0, -pair[1].number))[1].hash


def _dropped(run: Run) -> set[int]:
    found = run.events.filter(kind="candidate-scored").values_list("data", flat=True)
    return {int(data["number"]) for data in found if data.get("dropped")}


def _planned(run: Run) -> Mapping[str, Any]:
    event = run.events.filter(kind="planned").first()
    return event.data if event else {}


def _stages(
    run: Run,
    traces: Mapping[str, int],
    candidates: tuple[CandidateProgress, ...],
    planned: Mapping[str, Any],
) -> tuple[Stage, ...]:
    confirming = sum(one.test.scored for one in candidates)
    scored = sum(one.dev.scored > 0 for one in candidates)
    over = run.state == State.SUCCEEDED
    bootstraps = any("bootstrapped" in one.origin for one in candidates)
    stages = []
    if _bootstraps(run):
        tried = traces["tried"]
        state = "done" if over or bootstraps or confirming else "now" if tried else "todo"
        note = f"{traces['passed']} of {tried} tries passed" if tried else ""
        stages.append(Stage("bootstrap", "Bootstrap demos", state, note))
    state = "done" if over or confirming else "now" if candidates else "todo"
    note = f"{scored} of up to {planned.get('candidates', scored)} scored" if candidates else ""
    stages.append(Stage("candidates", "Compare candidates", state, note))
    state = "done" if over else "now" if confirming else "todo"
    note = f"{confirming} answers on held-out examples" if confirming else ""
    stages.append(Stage("confirmation", "Confirm on held-out", state, note))
    return tuple(stages)


def _bootstraps(run: Run) -> bool:
    kind = COMPILERS.get(run.compiler)
    return kind is not None and any(
        field.name == "max_bootstrapped" for field in dataclasses.fields(kind.params)
    )
