"""How often something is called: fewest, expected and most times."""

from __future__ import annotations

from collections.abc import Iterable

Often = tuple[float, float, float]
"""Fewest, expected, most."""

NEVER: Often = (0.0, 0.0, 0.0)
ONCE: Often = (1.0, 1.0, 1.0)


def exactly(count: float) -> Often:
    """Always so often."""
    return (count, count, count)


def until_good(most: int) -> Often:
    """Tries up to the first good one, when nothing is known of how good they are."""
    return (1.0, (1 + most) / 2, float(most))


def times(one: Often, other: Often) -> Often:
    """`other`, for each of `one`."""
    return (one[0] * other[0], one[1] * other[1], one[2] * other[2])


def all_of(parts: Iterable[Often]) -> Often:
    """Everything together."""
    low, expected, high = NEVER
    for part in parts:
        low, expected, high = low + part[0], expected + part[1], high + part[2]
    return (low, expected, high)


def one_of(shares: Iterable[tuple[float, Often]]) -> Often:
    """One of several, each with how likely it is; at least one."""
    found = list(shares)
    whole = sum(share for share, _ in found) or 1.0
    return (
        min(part[0] for _, part in found),
        sum(share * part[1] for share, part in found) / whole,
        max(part[2] for _, part in found),
    )
