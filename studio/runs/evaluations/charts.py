"""Scores with their intervals as dots and lines; places are percent of a lane's width."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from studio.engine.statistics import Interval


@dataclass(frozen=True, slots=True)
class Lane:
    """One dot with its interval."""

    at: float
    low: float
    high: float
    text: str

    @property
    def width(self) -> float:
        """Of the interval."""
        return round(self.high - self.low, 2)


@dataclass(frozen=True, slots=True)
class Tick:
    """A number below the lanes."""

    at: float
    label: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Scale:
    """What the left and the right end of every lane stand for."""

    start: float
    end: float

    def place(self, value: float) -> float:
        """A little room at both ends, so that dots there are whole."""
        share = (value - self.start) / (self.end - self.start)
        return round(3 + 94 * min(1.0, max(0.0, share)), 2)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """Both ends and the middle."""
        middle = (self.start + self.end) / 2
        return (
            Tick(self.place(self.start), _number(self.start), "start"),
            Tick(self.place(middle), _number(middle)),
            Tick(self.place(self.end), _number(self.end), "end"),
        )

    def lane(self, interval: Interval | None, about: str) -> Lane | None:
        """The lane; None when there is nothing to draw."""
        if interval is None:
            return None
        text = (
            f"{about}: {_number(interval.value, 3)}, 95 % interval {_number(interval.low, 3)} to "
            f"{_number(interval.high, 3)}."
        )
        low, high = self.place(interval.low), self.place(interval.high)
        return Lane(self.place(interval.value), low, high, text)


SCORES = Scale(0.0, 1.0)


def differences(intervals: Iterable[Interval | None]) -> Scale:
    """A scale with 0 in its middle that holds all of them."""
    ends = [abs(end) for one in intervals if one is not None for end in (one.low, one.high)]
    most = max([*ends, 0.05])
    most = min(1.0, math.ceil(most * 20) / 20) if most <= 1 else most
    return Scale(-most, most)


def _number(value: float, digits: int = 2) -> str:
    text = f"{abs(value):.{digits}f}"
    text = text.rstrip("0").rstrip(".") if digits == 2 else text
    return f"−{text}" if value < 0 and float(text) else text
