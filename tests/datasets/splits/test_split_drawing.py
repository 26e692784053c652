"""Drawing whole units into parts: exact where that can be, as near as sizes allow elsewhere."""

from __future__ import annotations

import itertools

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.datasets.splits.drawing import draw, join, number


def rows_of_parts(sizes: list[int], targets: tuple[float, ...], seed: int = 0) -> list[int]:
    found = numpy.array(sizes)
    parts = draw(found, targets, seed)
    return [int(found[parts == part].sum()) for part in range(len(targets))]


def test_units_of_one_row_are_drawn_exactly() -> None:
    assert rows_of_parts([1] * 1000, (600, 200, 200)) == [600, 200, 200]


def test_strata_are_spread_evenly_and_the_whole_is_exact() -> None:
    strata = numpy.arange(1000) % 7
    parts = draw(numpy.ones(1000, int), (600, 200, 200), 3, strata)
    assert numpy.bincount(parts).tolist() == [600, 200, 200]
    for stratum in range(7):
        inside = numpy.bincount(parts[strata == stratum], minlength=3)
        size = int((strata == stratum).sum())
        assert numpy.abs(inside - size * numpy.array([0.6, 0.2, 0.2])).max() < 2


def test_the_seed_says_what_is_drawn_on_every_machine() -> None:
    parts = draw(numpy.ones(12, int), (6, 3, 3), 5)
    assert parts.tolist() == draw(numpy.ones(12, int), (6, 3, 3), 5).tolist()
    assert parts.tolist() != draw(numpy.ones(12, int), (6, 3, 3), 6).tolist()
    assert parts.tolist() == [1, 1, 0, 2, 0, 0, 2, 0, 1, 0, 2, 0]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([98, 1, 1], [98, 1, 1]),
        ([50, *[1] * 50], [60, 20, 20]),
        ([100], [100, 0, 0]),
        ([5] * 20, [60, 20, 20]),
        ([20, 60, 20], [60, 20, 20]),
    ],
)
def test_large_units_come_as_near_as_they_can(sizes: list[int], expected: list[int]) -> None:
    assert rows_of_parts(sizes, (60, 20, 20)) == expected


@given(
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=40),
    shares=st.tuples(st.integers(0, 50), st.integers(0, 50)),
    seed=st.integers(0, 3),
)
def test_no_move_and_no_exchange_of_two_units_would_bring_the_parts_nearer(
    sizes: list[int], shares: tuple[int, int], seed: int
) -> None:
    total = sum(sizes)
    targets = [total * share / 100 for share in (100 - sum(shares), *shares)]
    parts = draw(numpy.array(sizes), targets, seed)
    if max(sizes) <= max(1.0, min(t for t in targets if t > 0) / 50):
        return  # all are small: they are drawn, not moved about
    rows = [sum(s for s, p in zip(sizes, parts, strict=True) if p == part) for part in range(3)]

    def away(some: list[int]) -> float:
        return sum((got - wanted) ** 2 for got, wanted in zip(some, targets, strict=True))

    units = [(size, int(part)) for size, part in zip(sizes, parts, strict=True)]
    for (one, a), (other, b) in itertools.product(units, [*units, (0, 0), (0, 1), (0, 2)]):
        if a == b or not targets[b]:
            continue
        moved = list(rows)
        moved[a] += other - one
        moved[b] += one - other
        assert away(moved) >= away(rows) - 1e-3


@given(
    sizes=st.lists(st.integers(1, 300), min_size=0, max_size=60),
    shares=st.tuples(st.integers(0, 50), st.integers(0, 50)),
)
def test_a_part_that_should_get_nothing_gets_nothing(
    sizes: list[int], shares: tuple[int, int]
) -> None:
    given_ = (100 - sum(shares), *shares)
    targets = [sum(sizes) * share / 100 for share in given_]
    parts = draw(numpy.array(sizes, int), targets, 0)
    assert len(parts) == len(sizes)
    for part, share in enumerate(given_):
        assert share or part not in parts


def test_numbers_stand_in_the_order_in_which_keys_come() -> None:
    assert number(numpy.array([7, -3, 7, 99, -3])).tolist() == [0, 1, 0, 2, 1]


def test_rows_that_agree_in_one_of_two_keys_belong_together() -> None:
    groups = numpy.array([1, 1, 2, 3, 4, 5])
    inputs = numpy.array([10, 20, 20, 30, 30, 40])
    assert join(groups, inputs).tolist() == [0, 0, 0, 1, 1, 2]


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=40))
def test_units_are_what_one_can_reach_from_row_to_row(pairs: list[tuple[int, int]]) -> None:
    one = numpy.array([a for a, _b in pairs], int)
    other = numpy.array([b for _a, b in pairs], int)
    units = join(one, other).tolist()
    reached = {n: {n} for n in range(len(pairs))}
    for _round in pairs:
        for a, b in itertools.combinations(range(len(pairs)), 2):
            if one[a] == one[b] or other[a] == other[b]:
                reached[a] |= reached[b]
                reached[b] |= reached[a]
    for a, b in itertools.combinations(range(len(pairs)), 2):
        assert (units[a] == units[b]) == (b in reached[a])
