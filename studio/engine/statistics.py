"""How sure one can be of a difference between two candidates."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["improved", "not distinguishable", "worse"]

_DRAWS = 4_000_000
"""Draws that one interval may take: a second or less."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A value, and the range in which the truth lies as often as the level says."""

    value: float
    low: float
    high: float

    @property
    def verdict(self) -> Verdict:
        """What it says of a difference, in words."""
        if self.low > 0:
            return "improved"
        return "worse" if self.high < 0 else "not distinguishable"

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return {"value": self.value, "low": self.low, "high": self.high}


def paired_bootstrap(
    a: Sequence[float],
    b: Sequence[float],
    *,
    seed: int = 0,
    resamples: int = 10_000,
    level: float = 0.95,
) -> Interval:
    """The mean of `b` minus `a` with its bootstrap interval; `a[i]` and `b[i]` are of one example.

    Two made-up pairs, one that speaks for `a` and one for `b`, are added for the interval (Bonett
    and Price 2012): with few examples, or with differences that are all alike, the plain bootstrap
    is far too sure of itself.
    """
    if len(a) != len(b):
        raise ValueError("Both sides need a score for each example.")
    if not a:
        raise ValueError("There is nothing to compare.")
    differences = [right - left for left, right in zip(a, b, strict=True)]
    widest = max(1.0, *(abs(difference) for difference in differences))
    low, high = _bootstrap([*differences, widest, -widest], seed, resamples, level)
    value = math.fsum(differences) / len(differences)
    return Interval(value, min(low, value), max(high, value))


def mean_interval(
    values: Sequence[float], *, seed: int = 0, resamples: int = 10_000, level: float = 0.95
) -> Interval:
    """The mean of scores between 0 and 1 with its bootstrap interval.

    Two successes and two failures are added for the interval (Agresti and Coull 1998), for the
    reason given at `paired_bootstrap`.
    """
    if not values:
        raise ValueError("There is nothing to take the mean of.")
    low, high = _bootstrap([*values, 1.0, 1.0, 0.0, 0.0], seed, resamples, level)
    value = math.fsum(values) / len(values)
    return Interval(value, min(low, value), max(high, value))


def sign_test(wins: int, losses: int) -> float:
    """Exact two-sided p-value that wins and losses are equally likely; ties are left out.

    On right and wrong answers this is McNemar's exact test.
    """
    n, k = wins + losses, min(wins, losses)
    if n == 0:
        return 1.0
    tail = math.fsum(
        math.exp(
            math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) - n * math.log(2)
        )
        for i in range(k + 1)
    )
    return min(1.0, 2 * tail)


def count_signs(a: Sequence[float], b: Sequence[float]) -> tuple[int, int]:
    """On how many examples `b` is better than `a`, and on how many it is worse."""
    pairs = list(zip(a, b, strict=True))
    return sum(right > left for left, right in pairs), sum(right < left for left, right in pairs)


def _bootstrap(
    values: Sequence[float], seed: int, resamples: int, level: float
) -> tuple[float, float]:
    """Percentiles of the means of resamples; fewer resamples where there are very many values."""
    n = len(values)
    resamples = max(1_000, min(resamples, _DRAWS // n))
    if all(value == values[0] for value in values):
        return values[0], values[0]
    choices = random.Random(seed).choices
    means = sorted(math.fsum(choices(values, k=n)) / n for _ in range(resamples))
    tail = (1 - level) / 2
    return _quantile(means, tail), _quantile(means, 1 - tail)


def _quantile(ordered: Sequence[float], share: float) -> float:
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])
