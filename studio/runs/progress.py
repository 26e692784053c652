"""How far a compile is, derived from its rows: nothing is counted beside them.

The page asks every second, so the number of queries does not depend on the number of candidates,
and nothing long is read: no prompts, no demos.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db.models import Avg, Count, Q
from django.utils import timezone

from studio.runs.models import Run, ScoreRow, TraceRow
from studio.runs.stages import Done, Stage, read_stages

_TOLD = ("planned", "candidate-made", "candidate-scored")
"""The events that the page needs whole."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean score so far, with a 95 % interval."""

    scored: int
    value: float | None
    low: float
    high: float


NOTHING = Mean(0, None, 0.0, 1.0)


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
    """It left its race early, so it was not scored on all."""
    note: str = ""
    """Why it left, in words."""
    parents: tuple[int, ...] = ()
    """The numbers of the candidates that it was made from."""
    own: int = 0
    """Dev examples that it is not scored on, because its demos give them away."""


@dataclass(frozen=True)
class Progress:
    """A compile as the page shows it."""

    stages: tuple[Stage, ...]
    tried: int
    passed: int
    candidates: tuple[CandidateProgress, ...]
    planned: Mapping[str, Any]
    """The first event: how much was planned."""
    asked: int
    """Questions that were put to an LM."""
    elapsed: timedelta | None
    notes: tuple[str, ...] = field(default=())
    """What was left out of the data, and why."""

    @property
    def best(self) -> CandidateProgress | None:
        """The candidate with the best mean on dev so far."""
        return next((one for one in self.candidates if one.best), None)

    @property
    def baseline(self) -> CandidateProgress | None:
        """The uncompiled program."""
        return next((one for one in self.candidates if one.baseline), None)

    @property
    def dev(self) -> int:
        """Dev examples on which candidates are compared."""
        most = max((one.dev.scored + one.own for one in self.candidates), default=0)
        return int(self.planned.get("dev") or most)


def read_progress(run: Run) -> Progress:
    """The progress of a compile or an evaluate."""
    traces = TraceRow.objects.filter(run=run).aggregate(
        tried=Count("pk"), passed=Count("pk", filter=Q(passed=True))
    )
    means = _means(run)
    told = _told(run)
    planned = told["planned"].get(0, {})
    rows = list(run.candidates.order_by("number").values_list("number", "hash", "origin"))
    chosen = run.report.get("candidate", "")
    known = {hash_ for _, hash_, _ in rows}
    best = chosen if chosen in known else _best(rows, means)
    candidates = tuple(
        _candidate(number, hash_, origin, means, told, best) for number, hash_, origin in rows
    )
    asked = run.events.filter(kind="asked").count()
    done = Done(
        tried=traces["tried"],
        passed=traces["passed"],
        asked=asked,
        made=len(candidates),
        scored=sum(one.dev.scored > 0 for one in candidates),
        bootstrapped=any(data.get("bootstrapped") for data in told["candidate-made"].values()),
        confirming=sum(one.test.scored for one in candidates),
    )
    return Progress(
        stages=read_stages(run, done, planned),
        tried=done.tried,
        passed=done.passed,
        candidates=candidates,
        planned=planned,
        asked=asked,
        elapsed=elapsed_of(run),
        notes=tuple(planned.get("notes", ())),
    )


def elapsed_of(run: Run) -> timedelta | None:
    """How long it has been worked on; before that is counted, since it was begun."""
    if run.seconds and run.finished_at is not None:
        return timedelta(seconds=run.seconds)
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
    half = 1.96 * math.sqrt(max(0.0, middle * (1 - middle)) / n)
    return Mean(
        scored, value, max(0.0, min(value, middle - half)), min(1.0, max(value, middle + half))
    )


def _candidate(
    number: int,
    hash_: str,
    origin: str,
    means: Mapping[tuple[str, str], Mean],
    told: Mapping[str, Mapping[int, Mapping[str, Any]]],
    best: str,
) -> CandidateProgress:
    made = told["candidate-made"].get(number, {})
    scored = told["candidate-scored"].get(number, {})
    return CandidateProgress(
        number=number,
        hash=hash_,
        origin=origin,
        demos=int(made.get("demos") or 0),
        dev=means.get((hash_, "dev"), NOTHING),
        test=means.get((hash_, "test"), NOTHING),
        best=hash_ == best,
        baseline=number == 0,
        dropped=bool(scored.get("dropped")),
        note=str(scored.get("note") or ""),
        parents=tuple(made.get("parents") or ()),
        own=int(scored.get("own") or 0),
    )


def _told(run: Run) -> dict[str, dict[int, Mapping[str, Any]]]:
    """The events by kind and by the candidate's number; of several the last one."""
    found: dict[str, dict[int, Mapping[str, Any]]] = {kind: {} for kind in _TOLD}
    events = run.events.filter(kind__in=_TOLD).order_by("number")
    for kind, data in events.values_list("kind", "data"):
        found[kind][int(data.get("number") or 0)] = data
    return found


def _means(run: Run) -> dict[tuple[str, str], Mean]:
    rows = (
        ScoreRow.objects.filter(run=run, split__in=("dev", "test"))
        .values("candidate", "split")
        .annotate(scored=Count("value"), mean=Avg("value"))
        .order_by()
    )
    return {(row["candidate"], row["split"]): mean_of(row["scored"], row["mean"]) for row in rows}


def _best(rows: list[tuple[int, str, str]], means: Mapping[tuple[str, str], Mean]) -> str:
    """Of those seen on most examples the one with the best mean; the uncompiled one counts too."""
    seen = [(means.get((hash_, "dev"), NOTHING), number, hash_) for number, hash_, _ in rows]
    scored = [(mean, number, hash_) for mean, number, hash_ in seen if mean.value is not None]
    if not scored:
        return ""
    most = max(mean.scored for mean, _, _ in scored)
    # One that lacks its own examples only has met them all.
    full = [one for one in scored if one[0].scored >= 0.9 * most]
    return max(full, key=lambda one: (one[0].value or 0.0, -one[1]))[2]
