"""How sure one can be of a difference between two candidates."""

from __future__ import annotations

import math
import operator
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal, Self

Verdict = Literal["improved", "not distinguishable", "worse"]

_RESAMPLES = 200
_FEW = 500_000
"""Differences times the sum of their units: up to this the signs are flipped in all ways."""
_PARTS = 61
_SHORT = 12
"""The same of differences that have no common unit."""
_NORMAL = NormalDist()


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

    def less(self, amount: float) -> Self:
        """The interval moved down by so much."""
        return type(self)(self.value - amount, self.low - amount, self.high - amount)

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return {"value": self.value, "low": self.low, "high": self.high}


def paired_bootstrap(a: Sequence[float], b: Sequence[float], *, level: float = 0.95) -> Interval:
    """The mean of `b` minus `a` with its bootstrap interval; `a[i]` and `b[i]` are of one example.

    Two made-up pairs, one that speaks for `a` and one for `b`, are added for the interval (Bonett
    and Price 2012, https://doi.org/10.3102/1076998611411915): with few examples, or with
    differences that are all alike, the plain bootstrap is far too sure of itself. They are as far
    apart as right and wrong; of graded scores, as far as the widest of the differences.
    """
    if len(a) != len(b):
        raise ValueError("Both sides need a score for each example.")
    if not a:
        raise ValueError("There is nothing to compare.")
    differences = [right - left for left, right in zip(a, b, strict=True)]
    widest = max(abs(difference) for difference in differences)
    if widest == 0 or all(value in (0, 1) for value in (*a, *b)):
        widest = max(1.0, widest)
    widest = max(widest, len(a) ** -0.5)
    low, high = _bootstrap([*differences, widest, -widest], level)
    value = math.fsum(differences) / len(differences)
    return Interval(value, min(low, value), max(high, value))


def mean_interval(values: Sequence[float], *, level: float = 0.95) -> Interval:
    """The mean of scores between 0 and 1 with its bootstrap interval.

    Two successes and two failures are added for the interval (Agresti and Coull 1998), for the
    reason given at `paired_bootstrap`.
    """
    if not values:
        raise ValueError("There is nothing to take the mean of.")
    low, high = _bootstrap([*values, 1.0, 1.0, 0.0, 0.0], level)
    value = math.fsum(values) / len(values)
    return Interval(value, min(low, value), max(high, value))


def clustered_interval(groups: Sequence[Sequence[float]], *, level: float = 0.95) -> Interval:
    """The mean over examples of which each was scored several times, with its interval.

    Repetitions of one example are no new examples, so examples are resampled, each as the mean of
    its repetitions (Miller 2024, https://arxiv.org/abs/2411.00640, section 3.1, after Liang and
    Zeger 1986): the interval gets no narrower than the examples allow, however often one repeats.
    """
    return mean_interval([math.fsum(group) / len(group) for group in groups], level=level)


def between(a: Interval, b: Interval) -> Interval:
    """`b` minus `a` of two independent means, from their own intervals.

    The distances to the limits are added as variances are (MOVER: Zou and Donner 2008,
    https://doi.org/10.1002/sim.3095).
    """
    value = b.value - a.value
    return Interval(
        value,
        value - math.hypot(b.value - b.low, a.high - a.value),
        value + math.hypot(b.high - b.value, a.value - a.low),
    )


def optimism(best: Mapping[str, float], others: Sequence[Mapping[str, float]], seed: int) -> float:
    """By how much the best of several looks better than it is, because it was picked.

    Scores by example id; `best` is the one picked. The picking is repeated on resamples of the
    examples: what those picked have there beyond what they have on all examples is due to chance
    (the bootstrap's estimate of optimism: Efron 1983,
    https://doi.org/10.1080/01621459.1983.10477973).
    """
    ids = sorted(best)
    places = {id_: place for place, id_ in enumerate(ids)}
    rows = []
    for values in others:
        shared = sorted(places[id_] for id_ in values if id_ in places)
        if shared:
            leads = [values[ids[place]] - best[ids[place]] for place in shared]
            rows.append((shared, leads, math.fsum(leads) / len(leads)))
    choices = random.Random(f"{seed}/optimism").choices
    found = []
    for _ in range(_RESAMPLES if rows else 0):
        drawn = Counter(choices(range(len(ids)), k=len(ids)))
        counts = [drawn[place] for place in range(len(ids))]
        top, beyond = 0.0, 0.0
        for shared, leads, mean in rows:
            weights = [counts[place] for place in shared]
            lead = sum(map(operator.mul, weights, leads)) / (sum(weights) or 1)
            if lead > top:
                top, beyond = lead, lead - mean
        found.append(beyond)
    return math.fsum(found) / len(found) if found else 0.0


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


def permutation_test(a: Sequence[float], b: Sequence[float]) -> float:
    """Two-sided p-value of the paired permutation test: which side is which makes no difference.

    Every difference may have either sign (Fisher 1935). On right and wrong answers this is
    McNemar's exact test. Few differences are flipped in all ways; for many their distribution is
    known by its saddlepoint approximation (Robinson 1982,
    https://doi.org/10.1111/j.2517-6161.1982.tb01191.x), so that nothing has to be drawn.
    """
    pairs = zip(a, b, strict=True)
    found = [right - left for left, right in pairs if right != left]
    sizes = [abs(difference) for difference in found]
    if not found:
        return 1.0
    if max(sizes) - min(sizes) < 1e-9:
        wins = sum(difference > 0 for difference in found)
        return sign_test(wins, len(found) - wins)
    seen = abs(math.fsum(found))
    if units := _in_units(sizes):
        return _flipped_share(units, round(seen * sum(units) / math.fsum(sizes)))
    if len(sizes) <= _SHORT:
        return _flipped_one_by_one(sizes, seen)
    return _flipped_tail(sizes, seen)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values, corrected for there being several, in their order.

    The chance of any false alarm among all of them stays below the level at which they are read
    (Holm 1979, https://www.jstor.org/stable/4615733).
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted, most = [1.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        most = max(most, (len(order) - rank) * p_values[place])
        adjusted[place] = min(1.0, most)
    return adjusted


def count_signs(a: Sequence[float], b: Sequence[float]) -> tuple[int, int]:
    """On how many examples `b` is better than `a`, and on how many it is worse."""
    pairs = list(zip(a, b, strict=True))
    return sum(right > left for left, right in pairs), sum(right < left for left, right in pairs)


def _flipped_share(units: Sequence[int], seen: int) -> float:
    """The share of all choices of signs whose sum is at least as far from 0; of whole numbers.

    How many choices give a sum is a coefficient of the product of all `1 + x^unit`, which is kept
    as one long number with room for a coefficient at each place.
    """
    total, room = sum(units), len(units) + 1
    ways = 1
    for unit in units:
        ways += ways << (room * unit)
    ways >>= room * ((total + seen) // 2)
    mask, far = (1 << room) - 1, 0
    while ways:
        far += ways & mask
        ways >>= room
    return min(1.0, 2 * far / (1 << len(units)))


def _flipped_one_by_one(sizes: Sequence[float], seen: float) -> float:
    """The same of a few differences of any size."""
    sums = [0.0]
    for size in sizes:
        sums = [one + signed for one in sums for signed in (size, -size)]
    slack = 1e-9 * math.fsum(sizes)
    return sum(abs(one) >= seen - slack for one in sums) / len(sums)


def _in_units(sizes: Sequence[float]) -> list[int]:
    """The sizes as multiples of one unit, as of repeated right and wrong answers; or nothing."""
    for parts in range(1, _PARTS):
        if all(abs(size * parts - round(size * parts)) < 1e-6 for size in sizes):
            units = [round(size * parts) for size in sizes]
            return units if len(units) * sum(units) <= _FEW else []
    return []


def _flipped_tail(sizes: Sequence[float], seen: float) -> float:
    """The same for many, by Lugannani and Rice's formula in the form of Barndorff-Nielsen."""
    counts = Counter(round(size, 6) for size in sizes)
    most = math.fsum(size * count for size, count in counts.items())
    if seen < 1e-9 * most:
        return 1.0
    if seen > (1 - 1e-6) * most:
        return math.ldexp(1.0, 1 - len(sizes))

    def slope(tilt: float) -> float:
        return math.fsum(count * size * math.tanh(tilt * size) for size, count in counts.items())

    below, above = 0.0, 1 / max(counts)
    while slope(above) < seen:
        below, above = above, 2 * above
    for _ in range(60):
        tilt = (below + above) / 2
        below, above = (tilt, above) if slope(tilt) < seen else (below, tilt)
    spread = math.fsum(
        count * size**2 / math.cosh(min(300.0, tilt * size)) ** 2 for size, count in counts.items()
    )
    log_cosh = math.fsum(
        count * (tilt * size + math.log1p(math.exp(-2 * tilt * size)) - math.log(2))
        for size, count in counts.items()
    )
    r = math.sqrt(max(0.0, 2 * (tilt * seen - log_cosh)))
    u = tilt * math.sqrt(spread)
    out = r + math.log(u / r) / r if r > 1e-4 and u > 0 else r
    return min(1.0, 2 * _NORMAL.cdf(-out))


def _bootstrap(values: Sequence[float], level: float) -> tuple[float, float]:
    """The percentiles that the means of infinitely many resamples of `values` would have.

    Their distribution is known so well by its saddlepoint approximation (Davison and Hinkley
    1988, https://doi.org/10.1093/biomet/75.3.417) that nothing has to be drawn.
    """
    if min(values) == max(values):
        return values[0], values[0]
    sure = _NORMAL.inv_cdf((1 + level) / 2)
    return -_upper([-value for value in values], sure), _upper(values, sure)


def _upper(values: Sequence[float], sure: float) -> float:
    """What the mean of a resample exceeds as rarely as a normal variable exceeds `sure`."""
    counts = Counter(values)
    n, most = len(values), max(values)
    middle = math.fsum(values) / n
    spread = math.sqrt(math.fsum((value - middle) ** 2 for value in values) / n)

    def at(tilt: float) -> tuple[float, float]:
        """The mean under exponential tilting, and how many standard normal deviates out it is."""
        weights = {
            value: count * math.exp(tilt * (value - most)) for value, count in counts.items()
        }
        total = math.fsum(weights.values())
        mean = math.fsum(value * weight for value, weight in weights.items()) / total
        square = (
            math.fsum((value - mean) ** 2 * weight for value, weight in weights.items()) / total
        )
        gain = tilt * mean - (math.log(total / n) + tilt * most)
        r = math.sqrt(max(0.0, 2 * n * gain))
        u = tilt * math.sqrt(n * square)
        return mean, r + math.log(u / r) / r if r > 1e-6 and u > 0 else r

    # Beyond the tilt at which nearly every draw is the greatest value there is nothing.
    tilt, step = 0.0, sure / (spread * math.sqrt(n)) / 2
    while True:
        mean, out = at(tilt + step)
        if out >= sure:
            break
        tilt += step
        if most - mean < 1e-6 * (most - middle):
            return most
    below, above = tilt, tilt + step
    for _ in range(40):
        tilt = (below + above) / 2
        mean, out = at(tilt)
        below, above = (tilt, above) if out < sure else (below, tilt)
    return mean
