"""How alike two sequences are, many cells of the table at once.

A long whole number holds a column of the dynamic program, one bit a row, so that a step costs
`m / 64` machine words instead of `m` cells: M. Crochemore et al., A fast and practical bit-vector
algorithm for the longest common subsequence problem, 2001; H. Hyyrö, A bit-vector algorithm for
computing Levenshtein and Damerau edit distances, 2003 (after G. Myers, 1999).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def common_length(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """The length of the longest common subsequence."""
    same, one, other = _trimmed(one, other)
    if not one or not other:
        return same
    places = _places(one)
    full = (1 << len(one)) - 1
    column = full
    for item in other:
        hits = places.get(item, 0)
        met = column & hits
        column = ((column + met) | (column - met)) & full
    return same + len(one) - column.bit_count()


def edit_distance(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """The fewest insertions, deletions and replacements between the two (Levenshtein 1966)."""
    _, one, other = _trimmed(one, other)
    if len(one) > len(other):
        one, other = other, one
    if not one:
        return len(other)
    places = _places(one)
    full = (1 << len(one)) - 1
    last = 1 << (len(one) - 1)
    ups, downs, distance = full, 0, len(one)
    for item in other:
        hits = places.get(item, 0)
        diagonal = (((hits & ups) + ups) ^ ups) | hits | downs
        right_ups = downs | (full & ~(diagonal | ups))
        right_downs = diagonal & ups
        if right_ups & last:
            distance += 1
        elif right_downs & last:
            distance -= 1
        right_ups = (right_ups << 1) | 1
        right_downs <<= 1
        ups = (right_downs | ~(diagonal | right_ups)) & full
        downs = right_ups & diagonal & full
    return distance


def _places(items: Sequence[Hashable]) -> dict[Hashable, int]:
    """For each item the bits of its places."""
    where: dict[Hashable, list[int]] = {}
    for at, item in enumerate(items):
        where.setdefault(item, []).append(at)
    places = {}
    for item, found in where.items():
        bits = bytearray(len(items) // 8 + 1)
        for at in found:
            bits[at >> 3] |= 1 << (at & 7)
        places[item] = int.from_bytes(bits, "little")
    return places


def _trimmed(
    one: Sequence[Hashable], other: Sequence[Hashable]
) -> tuple[int, Sequence[Hashable], Sequence[Hashable]]:
    """How much of both ends is equal, and the two without that."""
    if one == other:
        return len(one), one[:0], other[:0]
    most = min(len(one), len(other))
    start = _common_start(one, other, most)
    end = 0
    while end < most - start and one[-1 - end] == other[-1 - end]:
        end += 1
    return start + end, one[start : len(one) - end], other[start : len(other) - end]


def _common_start(one: Sequence[Hashable], other: Sequence[Hashable], most: int) -> int:
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), most)
