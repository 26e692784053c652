"""The same compile for several language models: score, cost and latency side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from uuid import UUID

from studio.accounts.models import Project
from studio.lms.models import Connection
from studio.runs.models import Run, ScoreRow
from studio.runs.progress import NOTHING, Mean, mean_of
from studio.runs.states import State

_LOOKED_AT = 100
"""Held-out rows of which tokens, money and seconds are read: what a call takes hardly varies."""
_COUNTED = ("prompt_tokens", "completion_tokens", "cost")


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """The program compiled for one language model."""

    number: int
    """By which the pictures name it."""
    run: Run
    score: Mean
    """Of the compiled program on held-out examples."""
    baseline: float | None
    difference: Mapping[str, float] | None
    dollars: float | None
    """For 1,000 calls of the compiled program; None without a price."""
    seconds: float | None
    """The median call of the compiled program; None when every answer came from the cache."""
    tokens: float | None
    """Read and written in one call of the compiled program."""
    trade_off: bool = False
    """No other one is at least as good, as cheap and as quick, and better in one of these."""

    @property
    def name(self) -> str:
        """The language model."""
        return self.run.connection.name if self.run.connection else "a deleted language model"

    @property
    def verdict(self) -> str:
        """Compiled against uncompiled, in words; empty until it is known."""
        return str(self.run.report.get("verdict") or "")


@dataclass(frozen=True)
class Matrix:
    """All runs of a matrix, in the order of the form."""

    id: UUID
    rows: tuple[MatrixRow, ...]

    @property
    def first(self) -> Run:
        """Stands for what they share."""
        return self.rows[0].run

    @property
    def over(self) -> bool:
        """Whether every run has ended."""
        return all(State(row.run.state).is_final for row in self.rows)

    @property
    def ended(self) -> int:
        """How many have."""
        return sum(State(row.run.state).is_final for row in self.rows)

    @property
    def best(self) -> tuple[MatrixRow, ...]:
        """The best trade-offs."""
        return tuple(row for row in self.rows if row.trade_off)


def read_matrix(project: Project, matrix: UUID) -> Matrix | None:
    """The matrix of the project with this id; None when there is none."""
    runs = list(
        project.runs.filter(matrix=matrix)
        .select_related("project", "version__pipeline", "connection", "dataset", "metric")
        .defer("version__spec")
        .order_by("created_at", "pk")
    )
    if not runs:
        return None
    for run in runs:
        run.project = project
    scores = _scores(runs)
    rows = [_row(number, run, scores.get(run.pk, [])) for number, run in enumerate(runs, start=1)]
    return Matrix(matrix, tuple(_with_trade_offs(rows)))


def _scores(runs: Iterable[Run]) -> dict[UUID, list[float]]:
    """The held-out scores of each run's winner."""
    winners = {run.pk: run.report["candidate"] for run in runs if run.report.get("candidate")}
    rows = ScoreRow.objects.filter(
        run__in=winners, candidate__in=set(winners.values()), split="test"
    ).values_list("run", "candidate", "value")
    found: dict[UUID, list[float]] = {}
    for run, candidate, value in rows:
        if winners[run] == candidate and value is not None:
            found.setdefault(run, []).append(value)
    return found


def _row(number: int, run: Run, values: Sequence[float]) -> MatrixRow:
    used = _used(run) if values else None
    return MatrixRow(
        number=number,
        run=run,
        score=mean_of(len(values), sum(values) / len(values)) if values else NOTHING,
        baseline=run.report.get("baseline"),
        difference=run.report.get("difference"),
        dollars=_dollars(used, run.connection) if used else None,
        seconds=used.seconds if used else None,
        tokens=used.prompt_tokens + used.completion_tokens if used else None,
    )


@dataclass(frozen=True, slots=True)
class Used:
    """What one call of a compiled program takes: means, and the median of the seconds."""

    prompt_tokens: float
    completion_tokens: float
    cost: float
    seconds: float | None


def _used(run: Run) -> Used | None:
    """From the held-out rows that reached an LM, here or in the run that they were taken from.

    None when every answer came from the cache.
    """
    rows = ScoreRow.objects.filter(
        run=run, candidate=run.report["candidate"], split="test"
    ).values_list("prediction", "seconds")[:_LOOKED_AT]
    usages, seconds = [], []
    for prediction, took in rows:
        steps = [step.get("usage", {}) for step in prediction.get("steps", ())]
        if any(usage.get("calls") for usage in steps):
            usages.append({name: sum(u.get(name) or 0 for u in steps) for name in _COUNTED})
            if took is not None:
                seconds.append(took)
    if not usages:
        return None
    means = {name: sum(usage[name] for usage in usages) / len(usages) for name in _COUNTED}
    return Used(**means, seconds=median(seconds) if seconds else None)


def _dollars(used: Used, lm: Connection | None) -> float | None:
    """For 1,000 calls: what was charged, else what the tokens cost by the connection's prices."""
    if used.cost:
        return 1_000 * used.cost
    if lm is None or (lm.prompt_price is None and lm.completion_price is None):
        return None
    price = used.prompt_tokens * float(lm.prompt_price or 0)
    price += used.completion_tokens * float(lm.completion_price or 0)
    return price / 1_000


def _with_trade_offs(rows: Sequence[MatrixRow]) -> list[MatrixRow]:
    measured = [row for row in rows if row.score.value is not None]
    return [
        replace(
            row,
            trade_off=row in measured and not any(_dominates(other, row) for other in measured),
        )
        for row in rows
    ]


_GAINS: tuple[Callable[[MatrixRow], float | None], ...] = (
    lambda row: row.score.value,
    lambda row: None if row.dollars is None else -row.dollars,
    lambda row: None if row.seconds is None else -row.seconds,
)


def _dominates(other: MatrixRow, row: MatrixRow) -> bool:
    """As good in everything that is known of both, and better in something."""
    better = False
    for gain in _GAINS:
        theirs, ours = gain(other), gain(row)
        if theirs is None or ours is None:
            continue
        if theirs < ours:
            return False
        better = better or theirs > ours
    return better


# ---- the pictures


@dataclass(frozen=True, slots=True)
class Point:
    """One language model; places are percent of the picture."""

    x: float
    y: float
    low: float
    high: float
    row: MatrixRow
    text: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Scatter:
    """Score over cost, or over latency."""

    title: str
    axis: str
    points: tuple[Point, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    text: str


_AXES: dict[str, tuple[str, str, Callable[[MatrixRow], float | None], Callable[[float], str]]] = {
    "cost": (
        "Score over cost",
        "US dollars for 1,000 calls",
        lambda row: row.dollars,
        lambda value: f"${value:.2f}" if value >= 0.1 or not value else f"${value:.4f}",
    ),
    "latency": (
        "Score over latency",
        "seconds a call, median",
        lambda row: row.seconds,
        lambda value: f"{value:.2f} s" if value >= 0.1 or not value else f"{1000 * value:.0f} ms",
    ),
}
LEFT, RIGHT, TOP, BOTTOM = 9.0, 97.0, 5.0, 82.0


def draw_scatter(matrix: Matrix, axis: str) -> Scatter:
    """The picture over `cost` or `latency`; without points when nothing is known of that."""
    title, words, of, in_words = _AXES[axis]
    shown = [
        (row, value)
        for row in matrix.rows
        if (value := of(row)) is not None and row.score.value is not None
    ]
    most = max((value for _, value in shown), default=0.0) * 1.15 or 1.0

    def x_of(value: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * value / most, 2)

    def y_of(score: float) -> float:
        return round(TOP + (BOTTOM - TOP) * (1 - score), 2)

    points = tuple(
        Point(
            x=x_of(value),
            y=y_of(row.score.value or 0.0),
            low=y_of(row.score.low),
            high=y_of(row.score.high),
            row=row,
            text=f"{row.number}, {row.name}: {row.score.value or 0.0:.3f}, {in_words(value)}",
        )
        for row, value in shown
    )
    return Scatter(
        title=title,
        axis=words,
        points=points,
        x_ticks=tuple(Tick(x_of(most * n / 4), in_words(most * n / 4)) for n in (0, 2, 4)),
        y_ticks=tuple(Tick(y_of(n / 4), f"{n / 4:.2f}") for n in range(5)),
        text=f"{title}. " + (". ".join(point.text for point in points) or "Nothing is known yet"),
    )
