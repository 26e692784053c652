"""A metric tried on rows while somebody writes it: score, reason, time and line for each row."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from studio.accounts.models import Project, Role, User
from studio.accounts.services import require
from studio.engine.errors import BudgetSpent, EngineError, LMError, MetricError
from studio.engine.example import Example
from studio.engine.lm.metered import Budget
from studio.engine.metrics import METRICS, Score, check_metric
from studio.engine.metrics import Metric as EngineMetric
from studio.engine.metrics import judge as judge_one
from studio.engine.metrics.composite import Composite, Part
from studio.engine.metrics.judging import judgements
from studio.engine.metrics.python import line_of
from studio.engine.trace import Prediction
from studio.lms.models import Connection
from studio.metrics.services import make
from studio.runs.metric_rows import TrialRow

SECONDS = 5.0
"""For all rows together, while somebody writes."""
SECONDS_ASKED = 60.0
"""The same when a judge is asked, which somebody pressed a button for."""
SIDE_BY_SIDE = 4
"""Rows whose judge is asked at the same time."""
CAP = 2
"""A judge whose answer cannot be read is asked again: so many times the calls are the most."""


@dataclass(frozen=True, slots=True)
class PartResult:
    """What one part of a composite said."""

    part: Part
    score: Score | None
    problem: str = ""

    @property
    def title(self) -> str:
        """Its kind in words, and the field that it looks at."""
        named = str(self.part.params.get("field") or "")
        title = METRICS[self.part.kind].title
        return f"{title} of {named}" if named else title

    @property
    def is_short(self) -> bool:
        """Whether it did not reach its gate."""
        value = self.score.value if self.score else None
        return self.part.gate is not None and value is not None and value < self.part.gate


@dataclass(frozen=True, slots=True)
class Tried:
    """What the metric said of one row."""

    row: TrialRow
    score: Score | None = None
    """None: there is a problem instead."""
    problem: str = ""
    line: int | None = None
    """Of the author's code, where the problem is."""
    seconds: float | None = None
    parts: tuple[PartResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """What it said of all rows."""

    tried: tuple[Tried, ...]
    seconds: float

    @property
    def mean(self) -> float | None:
        """The mean of what was scored."""
        values = [
            one.score.value for one in self.tried if one.score and one.score.value is not None
        ]
        return sum(values) / len(values) if values else None

    @property
    def failed(self) -> int:
        """Rows with a problem."""
        return sum(bool(one.problem) for one in self.tried)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines that failed, each once, with a sentence and how many rows it is."""
        found: dict[tuple[int, str], int] = {}
        for one in self.tried:
            if one.line is not None:
                found[one.line, one.problem] = found.get((one.line, one.problem), 0) + 1
        return [
            {"line": line, "message": f"{problem} ({rows} of {len(self.tried)} rows)"}
            for (line, problem), rows in found.items()
        ]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of settings and rows."""

    trial: Trial | None = None
    """None: a judge has to be asked, and nobody has asked it."""
    calls: int = 0
    """How many questions a judge is asked about these rows."""
    asks: bool = False
    """Whether it needs a language model or embeddings."""

    @property
    def cap(self) -> int:
        """The most calls, with those that are made again."""
        return self.calls * CAP


def judge_rows(
    *,
    actor: User,
    project: Project,
    kind: str,
    params: Mapping[str, Any],
    judge: Connection | None,
    rows: Sequence[TrialRow],
    ask: bool,
) -> Verdict:
    """What a metric of these settings says of the rows.

    One that needs a language model or embeddings is run only when `ask` says so, which needs the
    role author. Raises `EngineError` that says what is wrong with the settings.
    """
    asks = bool(check_metric(kind, params) & {"lm", "embedder"})
    metric = make(kind, params, judge)
    calls = calls_for(metric, rows)
    if not asks:
        return Verdict(try_on(metric, rows))
    if not ask:
        return Verdict(None, calls, asks)
    require(user=actor, project=project, role=Role.AUTHOR)
    metric = make(kind, params, judge, Budget(max(len(rows), calls * CAP)))
    trial = try_on(metric, rows, seconds=SECONDS_ASKED, at_once=SIDE_BY_SIDE)
    return Verdict(trial, calls, asks)


def calls_for(metric: EngineMetric, rows: Sequence[TrialRow]) -> int:
    """How many questions its judges are asked about these rows."""
    return judgements(metric) * len(rows)


def try_on(
    metric: EngineMetric, rows: Sequence[TrialRow], *, seconds: float = SECONDS, at_once: int = 1
) -> Trial:
    """Judge every row, in `seconds` for all of them together.

    What goes wrong on a row stands beside it. Raises `EngineError` when nothing can be judged at
    all, such as without a sandbox, or when the judge does not answer.
    """
    return asyncio.run(_try_all(metric, rows, seconds, at_once))


@dataclass
class _Clock:
    """What is left of the time."""

    seconds: float
    begun: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        return self.seconds - (time.monotonic() - self.begun)


async def _try_all(
    metric: EngineMetric, rows: Sequence[TrialRow], seconds: float, at_once: int
) -> Trial:
    clock, turn = _Clock(seconds), asyncio.Semaphore(at_once)
    stopped: list[EngineError] = []

    async def one(row: TrialRow) -> Tried:
        async with turn:
            if stopped:
                return Tried(row, problem="Not asked: the judge failed on a row before.")
            try:
                return await _try_one(metric, row, clock)
            except (LMError, BudgetSpent) as error:
                stopped.append(error)
                return Tried(row, problem=str(error))

    tried = await asyncio.gather(*map(one, rows))
    return Trial(tuple(tried), time.monotonic() - clock.begun)


async def _try_one(metric: EngineMetric, row: TrialRow, clock: _Clock) -> Tried:
    if clock.left <= 0:
        return Tried(row, problem=f"Not run: the rows before it took {_most(clock)}.")
    example, prediction = Example(row.values), Prediction(row.prediction)
    begun = time.monotonic()
    try:
        async with asyncio.timeout(clock.left):
            if isinstance(metric, Composite):
                return await _try_parts(metric, row, example, prediction)
            score = await judge_one(metric, example, prediction)
    except TimeoutError:
        return Tried(row, problem=f"Stopped: it did not end within {_most(clock)}.")
    except MetricError as error:
        took = time.monotonic() - begun
        return Tried(row, problem=plain(error), line=line_of(error), seconds=took)
    return Tried(row, score, seconds=time.monotonic() - begun)


async def _try_parts(
    metric: Composite, row: TrialRow, example: Example, prediction: Prediction
) -> Tried:
    """Each part on its own, so that one that fails hides no other."""
    begun, found = time.monotonic(), []
    for part, inner in metric.parts:
        try:
            found.append(PartResult(part, await judge_one(inner, example, prediction)))
        except MetricError as error:
            line = line_of(error)
            where = f"Line {line}: " if line else ""
            found.append(PartResult(part, None, f"{where}{plain(error)}"))
    took, parts = time.monotonic() - begun, tuple(found)
    scores = [one.score for one in parts if one.score is not None]
    broken = next((one for one in parts if one.problem), None)
    if broken is not None:
        return Tried(row, None, f"{broken.title}: {broken.problem}", None, took, parts)
    return Tried(row, metric.combine(scores), seconds=took, parts=parts)


def plain(error: MetricError) -> str:
    """What went wrong, without the metric's and the example's names: both are in sight."""
    cause = error.__cause__
    if isinstance(cause, EngineError):
        line = line_of(error)
        return str(cause).removeprefix(f"Line {line}: ") if line else str(cause)
    return f"{type(cause).__name__}: {cause}" if cause is not None else str(error)


def _most(clock: _Clock) -> str:
    return f"the {clock.seconds:g} s that all rows have together"
