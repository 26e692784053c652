"""What an evaluation found, row by row, from the light columns alone: no prompts, no answers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from studio.datasets.models import Split
from studio.datasets.splits.sealing import Hidden
from studio.engine.statistics import Interval, clustered_interval
from studio.runs.models import Run, ScoreRow

STATES = {
    "right": "Right",
    "partly": "Partly right",
    "wrong": "Wrong",
    "failed": "No answer",
    "unscored": "Unscored",
}
"""Where a row stands; each row in one place."""

_DISTINCT = 400
"""With more different scores than this they are rounded for the interval, to three digits."""

_COLUMNS = ("example", "repeat", "value", "number", "split", "failed", "calls", "seconds", "cost")


class Answered(NamedTuple):
    """One answer to a row; a tuple, because there are many of them."""

    repeat: int
    value: float | None
    """None: unscored."""
    failed: bool
    calls: int
    seconds: float
    cost: float
    mark: str
    """Equal for equal answers; empty without an answer."""


@dataclass(frozen=True)
class RowResult:
    """One row with all its answers."""

    example: str
    number: int | None
    """The dataset's row."""
    split: str
    answers: tuple[Answered, ...]

    @cached_property
    def values(self) -> tuple[float, ...]:
        """The scores of the answers that have one."""
        return tuple(one.value for one in self.answers if one.value is not None)

    @cached_property
    def mean(self) -> float | None:
        """Over its answers; None: none of them was scored."""
        return math.fsum(self.values) / len(self.values) if self.values else None

    @property
    def spread(self) -> float | None:
        """Standard deviation of its scores; None with fewer than two."""
        mean, values = self.mean, self.values
        if mean is None or len(values) < 2:
            return None
        return math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))

    @property
    def state(self) -> str:
        """One of `STATES`."""
        if self.mean is None:
            return "unscored"
        if all(one.failed for one in self.answers):
            return "failed"
        if self.mean >= 1 - 1e-9:
            return "right"
        return "wrong" if self.mean <= 1e-9 else "partly"

    @property
    def same(self) -> bool | None:
        """Whether it was answered alike each time; None with fewer than two answers."""
        if len(self.answers) < 2:
            return None
        return len({one.mark for one in self.answers}) == 1

    @property
    def calls(self) -> int:
        """Of all its answers."""
        return sum(one.calls for one in self.answers)

    @property
    def cost(self) -> float:
        """Of all its answers, in US dollars."""
        return math.fsum(one.cost for one in self.answers)

    @property
    def seconds(self) -> float:
        """Of one answer, on average."""
        return math.fsum(one.seconds for one in self.answers) / len(self.answers)


@dataclass(frozen=True)
class Results:
    """All rows of an evaluation that have an answer."""

    rows: tuple[RowResult, ...]

    @cached_property
    def by_example(self) -> Mapping[str, RowResult]:
        """The rows by the ids of their examples."""
        return {row.example: row for row in self.rows}

    @cached_property
    def counts(self) -> dict[str, int]:
        """Rows in each state."""
        counts = dict.fromkeys(STATES, 0)
        for row in self.rows:
            counts[row.state] += 1
        return counts

    @property
    def scored(self) -> int:
        """Rows with a score."""
        return len(self.rows) - self.counts["unscored"]

    @property
    def answers(self) -> int:
        """Answers, repetitions among them."""
        return sum(len(row.answers) for row in self.rows)

    @cached_property
    def mean(self) -> Interval | None:
        """The score with its 95 % interval; None when nothing was scored."""
        return interval_of(self.rows)

    @property
    def consistency(self) -> float | None:
        """The share of rows that were answered alike each time; None without repetitions."""
        told = [row.same for row in self.rows if row.same is not None]
        return sum(told) / len(told) if told else None

    @property
    def noise(self) -> float | None:
        """Standard deviation of a score from answer to answer of one row, over all rows."""
        squares = [spread**2 for row in self.rows if (spread := row.spread) is not None]
        return math.sqrt(math.fsum(squares) / len(squares)) if squares else None

    def only(self, examples: Iterable[str]) -> Results:
        """The rows of these examples."""
        wanted = set(examples)
        return Results(tuple(row for row in self.rows if row.example in wanted))

    def seen_by_people(self, run: Run) -> Results:
        """Without the rows of a sealed test split."""
        if run.dataset is None or not run.dataset.sealed:
            return self
        hidden = Hidden(run.dataset)
        return Results(
            tuple(
                row
                for row in self.rows
                if row.split != Split.TEST and not (row.number and hidden.number(row.number))
            )
        )


def interval_of(rows: Sequence[RowResult], *, level: float = 0.95) -> Interval | None:
    """The mean of the rows that have a score, with its interval; each row counts once."""
    groups = [row.values for row in rows if row.values]
    if not groups:
        return None
    means = [math.fsum(group) / len(group) for group in groups]
    if len(set(means)) <= _DISTINCT:
        return clustered_interval(groups, level=level)
    found = clustered_interval([(round(mean, 3),) for mean in means], level=level)
    value = math.fsum(means) / len(means)
    return Interval(value, min(found.low, value), max(found.high, value))


def candidate_of_run(run: Run) -> str:
    """The hash of the candidate whose scores are meant."""
    return str(run.params.get("candidate") or run.report.get("candidate") or "")


def read_results(run: Run) -> Results:
    """The rows in their order."""
    scores = ScoreRow.objects.filter(run=run)
    if candidate := candidate_of_run(run):
        scores = scores.filter(candidate=candidate)
    found: dict[str, list[Answered]] = {}
    places: dict[str, tuple[int | None, str]] = {}
    told = scores.order_by("number", "example", "repeat").values_list(*_COLUMNS, "answer")
    for example, repeat, value, number, split, failed, calls, seconds, cost, mark in told:
        answered = Answered(repeat, value, failed, calls, seconds or 0.0, cost, mark)
        if example in found:
            found[example].append(answered)
        else:
            found[example] = [answered]
            places[example] = number, split
    return Results(
        tuple(
            RowResult(example, *places[example], tuple(answers))
            for example, answers in found.items()
        )
    )
