"""Drawing splits: whole units of rows into parts of given sizes, as near as their sizes allow."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy

from studio.datasets.splits.splitting import Numbers, first_of

_SMALL = 50
"""A unit is large when the smallest part is not so many times as large."""
_POLISHED = 2_000
"""So many units at the most are moved about to come nearer."""
_ROUNDS = 200


def number(keys: Numbers) -> Numbers:
    """For each key its number, from 0, in the order in which different keys come."""
    first = first_of(keys)
    new = first == numpy.arange(len(first))
    return (numpy.cumsum(new) - 1)[first]


def join(one: Numbers, other: Numbers) -> Numbers:
    """For each row the number of its unit: rows that agree in one of the two belong together."""
    groups = number(one)
    order = numpy.argsort(other, kind="stable")
    pairs = numpy.flatnonzero(
        (other[order][1:] == other[order][:-1]) & (groups[order][1:] != groups[order][:-1])
    )
    parent = list(range(int(groups.max()) + 1 if len(groups) else 0))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for at in pairs:
        a, b = root(int(groups[order[at]])), root(int(groups[order[at + 1]]))
        parent[max(a, b)] = min(a, b)
    if not len(pairs):
        return groups
    roots = numpy.array([root(node) for node in range(len(parent))])
    return number(roots[groups])


def draw(
    sizes: Numbers, targets: Sequence[float], seed: int, strata: Numbers | None = None
) -> Numbers:
    """For each unit the part that it goes to; the same for the same seed, on every machine.

    `sizes` are the rows of each unit, `targets` the rows that each part should have. Units of one
    stratum are spread over the parts as all rows are.
    """
    wanted = numpy.array(targets, numpy.float64)
    parts = numpy.zeros(len(sizes), numpy.uint8)
    shuffled = numpy.random.RandomState(seed).permutation(len(sizes))
    limit = max(1.0, wanted[wanted > 0].min() / _SMALL) if (wanted > 0).any() else 1.0
    large = shuffled[sizes[shuffled] > limit]
    small = shuffled[sizes[shuffled] <= limit]
    left = _place_large(sizes, large, wanted, parts)
    _place_small(sizes, small, left, parts, strata)
    moving = large if strata is not None else numpy.concatenate([large, small])
    if len(large):
        _polish(sizes, moving[:_POLISHED], wanted, parts)
    return parts


def _place_large(sizes: Numbers, units: Numbers, wanted: Numbers, parts: Numbers) -> Numbers:
    """The largest first, each to the part that lacks most; what each part lacks then."""
    left = wanted.copy()
    rough = numpy.floor(numpy.log2(numpy.maximum(sizes[units], 1)))
    for unit in units[numpy.argsort(-rough, kind="stable")]:
        part = int(numpy.argmax(left))
        parts[unit] = part
        left[part] -= sizes[unit]
    return left


def _place_small(
    sizes: Numbers, units: Numbers, left: Numbers, parts: Numbers, strata: Numbers | None
) -> None:
    """Stratum by stratum; what one leaves over is owed to the next."""
    if not len(units):
        return
    share = numpy.maximum(left, 0.0)
    share = share / share.sum() if share.sum() else numpy.ones(len(left)) / len(left)
    owed = numpy.zeros(len(left))
    if strata is None:
        runs = [units]
    else:
        units = units[numpy.argsort(strata[units], kind="stable")]
        cuts = numpy.flatnonzero(numpy.diff(strata[units])) + 1
        runs = numpy.split(units, cuts)
    for run in runs:
        rows = sizes[run]
        owed += rows.sum() * share
        ends = numpy.cumsum(_whole(owed, int(rows.sum())))
        middles = numpy.cumsum(rows) - rows / 2
        parts[run] = numpy.minimum(numpy.searchsorted(ends, middles, side="right"), len(left) - 1)
        owed -= numpy.bincount(parts[run], weights=rows, minlength=len(left))


def _whole(owed: Numbers, total: int) -> Numbers:
    """Whole numbers that add up to `total`, as near to what is owed as can be."""
    wanted = numpy.maximum(owed, 0.0)
    if not wanted.sum():
        return numpy.array([total, *[0] * (len(owed) - 1)])
    wanted *= total / wanted.sum()
    counts = numpy.floor(wanted + 1e-9).astype(numpy.int64)
    rest = numpy.argsort(-(wanted - counts), kind="stable")[: total - int(counts.sum())]
    counts[rest] += 1
    return counts


def _polish(sizes: Numbers, units: Numbers, wanted: Numbers, parts: Numbers) -> None:
    """Move or exchange units while that brings the parts nearer to what is wanted."""
    rows = numpy.bincount(parts, weights=sizes, minlength=len(wanted))
    over = rows - wanted
    for _round in range(_ROUNDS):
        best: tuple[float, int, int, int, int] | None = None
        for a in range(len(wanted)):
            for b in range(len(wanted)):
                if over[a] > over[b] and wanted[b] > 0:
                    found = _exchange(sizes, units, parts, a, b, (over[a] - over[b]) / 2)
                    if found and (best is None or found[0] > best[0]):
                        best = (*found, a, b)
        if best is None:
            return
        _gain, give, take, a, b = best
        moved = sizes[give] - (sizes[take] if take >= 0 else 0)
        parts[give] = b
        if take >= 0:
            parts[take] = a
        over[a] -= moved
        over[b] += moved


def _exchange(
    sizes: Numbers, units: Numbers, parts: Numbers, a: int, b: int, half: float
) -> tuple[float, int, int] | None:
    """(gain, unit of a, unit of b or -1) that brings both nearest, of all; None: nothing does."""
    giving = units[parts[units] == a]
    taking = units[parts[units] == b]
    taking = taking[numpy.argsort(sizes[taking], kind="stable")]
    backs = [0, *map(int, sizes[taking])]
    best: tuple[float, int, int] | None = None
    known: set[int] = set()
    for unit in giving:
        size = int(sizes[unit])
        if size in known:
            continue
        known.add(size)
        at = bisect_left(backs, size - half)
        for index in (at - 1, at):
            if 0 <= index < len(backs):
                moved = size - backs[index]
                # By so much the sum of squares falls; see `draw` for what is wanted.
                gain = 2 * moved * (2 * half - moved)
                if moved > 0 and gain > 1e-6 and (best is None or gain > best[0]):
                    best = gain, int(unit), int(taking[index - 1]) if index else -1
    return best
