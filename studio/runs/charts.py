"""The chart of a compile: candidates with their intervals, the best so far, the baseline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from studio.runs.progress import CandidateProgress

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 44, 16, 16, 34


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Dot:
    """One candidate."""

    x: float
    y: float
    low: float
    high: float
    number: int
    best: bool
    baseline: bool
    text: str


@dataclass(frozen=True)
class Chart:
    """Everything that the template draws, in the units of its view box."""

    dots: tuple[Dot, ...]
    best_line: str
    """Points of the line of the best so far."""
    baseline: float | None
    band: tuple[float, float] | None
    """Top and height of the baseline's interval."""
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    text: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM

    @property
    def inner_width(self) -> int:
        """Width of the plot."""
        return self.right - self.left


def draw_chart(candidates: Sequence[CandidateProgress]) -> Chart:
    """The chart of the candidates that have scores; empty when none has."""
    shown = [one for one in candidates if one.dev.value is not None]
    last = max([one.number for one in candidates], default=0)

    def x_of(number: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (number + 0.5) / (last + 1), 1)

    def y_of(score: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - score), 1)

    dots = tuple(
        Dot(
            x=x_of(one.number),
            y=y_of(one.dev.value or 0.0),
            low=y_of(one.dev.low),
            high=y_of(one.dev.high),
            number=one.number,
            best=one.best,
            baseline=one.baseline,
            text=f"Candidate {one.number}: {one.dev.value:.3f} on {one.dev.scored} examples, "
            f"95 % interval {one.dev.low:.3f} to {one.dev.high:.3f}",
        )
        for one in shown
    )
    plain = next((one for one in shown if one.baseline), None)
    return Chart(
        dots=dots,
        best_line=_steps(shown, x_of, y_of),
        baseline=y_of(plain.dev.value or 0.0) if plain else None,
        band=(
            (y_of(plain.dev.high), round(y_of(plain.dev.low) - y_of(plain.dev.high), 1))
            if plain
            else None
        ),
        x_ticks=tuple(Tick(x_of(n), str(n)) for n in range(0, last + 1, max(1, last // 12))),
        y_ticks=tuple(Tick(y_of(n / 4), f"{n / 4:.2f}") for n in range(5)),
        text=_in_words(shown),
    )


def _steps(
    shown: Sequence[CandidateProgress],
    x_of: Callable[[float], float],
    y_of: Callable[[float], float],
) -> str:
    points: list[str] = []
    best: float | None = None
    for one in shown:
        value = one.dev.value or 0.0
        if best is not None and (value <= best or one.dropped):
            points.append(f"{x_of(one.number)},{y_of(best)}")
            continue
        if best is not None:
            points.append(f"{x_of(one.number)},{y_of(best)}")
        points.append(f"{x_of(one.number)},{y_of(value)}")
        best = value
    return " ".join(points)


def _in_words(shown: Sequence[CandidateProgress]) -> str:
    if not shown:
        return "No candidate has been scored yet."
    best = max(shown, key=lambda one: one.dev.value or 0.0)
    return (
        f"Mean score on dev of {len(shown)} candidates. The best so far is candidate "
        f"{best.number} with {best.dev.value:.3f}."
    )
