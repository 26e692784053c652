"""Where the marks of the baseline-and-compiled drawing stand, and what it says in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

LEFT, RIGHT = 12.0, 388.0
_LABEL_ROOM = 118.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A point on the line with its label."""

    x: float
    label: str
    label_x: float = 0.0
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Whisker:
    """The interval around the compiled score."""

    x: float
    end: float

    @property
    def width(self) -> float:
        """From end to end."""
        return round(self.end - self.x, 1)


@dataclass(frozen=True, slots=True)
class IntervalChart:
    """Everything that `components/interval.html` draws and says."""

    baseline: Mark
    compiled: Mark
    whisker: Whisker | None
    ticks: tuple[Mark, ...]
    verdict: str
    caption: str

    @property
    def text(self) -> str:
        """The drawing in words."""
        return (
            f"Baseline {self.baseline.label}, compiled {self.compiled.label}. "
            f"{self.verdict} {self.caption}"
        )


def draw_interval(baseline: float, compiled: float, low: float, high: float) -> IntervalChart:
    """Place two scores and the interval of their difference on one line.

    The line runs from 0 to 1 and grows when a value lies outside.
    """
    values = [baseline, compiled, baseline + low, baseline + high]
    start, end = min(0.0, *values), max(1.0, *values)

    def place(value: float) -> float:
        return round(LEFT + (value - start) / (end - start) * (RIGHT - LEFT), 1)

    whisker = None
    if math.isfinite(low) and math.isfinite(high):
        whisker = Whisker(place(baseline + low), place(baseline + high))
    first, second = _labels(place(baseline), place(compiled))
    difference = compiled - baseline
    sign = "−" if difference < 0 else "+"
    return IntervalChart(
        baseline=Mark(place(baseline), f"{baseline:.3f}", *first),
        compiled=Mark(place(compiled), f"{compiled:.3f}", *second),
        whisker=whisker,
        ticks=tuple(
            Mark(place(value), f"{round(value, 2):g}")
            for value in (start + (end - start) * part / 4 for part in range(5))
        ),
        verdict=_verdict(low, high),
        caption=(
            f"Difference {sign}{abs(difference):.3f}, "
            f"95 % interval {_number(low)} to {_number(high)}."
        ),
    )


def _number(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{abs(value):.3f}"


def _verdict(low: float, high: float) -> str:
    if low > 0:
        return "The compiled program is better."
    if high < 0:
        return "The compiled program is worse."
    return "Not distinguishable from the baseline."


def _labels(baseline: float, compiled: float) -> tuple[tuple[float, str], tuple[float, str]]:
    """Where the two labels stand, so that they neither meet nor leave the picture."""
    left, right = sorted((baseline, compiled))
    if right - left < _LABEL_ROOM:
        middle = (left + right) / 2
        middle = min(max(middle, LEFT + _LABEL_ROOM), RIGHT - _LABEL_ROOM)
        lower, upper = (round(middle - 6, 1), "end"), (round(middle + 6, 1), "start")
    else:
        lower, upper = _edge(left), _edge(right)
    return (lower, upper) if baseline <= compiled else (upper, lower)


def _edge(x: float) -> tuple[float, str]:
    half = _LABEL_ROOM / 2
    if x < LEFT + half:
        return LEFT, "start"
    if x > RIGHT - half:
        return RIGHT, "end"
    return x, "middle"
