"""Bit-parallel sequences against the tables of the textbook."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from studio.engine.metrics.edit_similarity import EXACT, bounded_distance
from studio.engine.metrics.sequences import common_length, edit_distance


def slow_distance(one: Sequence[object], other: Sequence[object]) -> int:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        above, row = row, [i]
        for j, b in enumerate(other, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (a != b)))
    return row[-1]


def slow_common(one: Sequence[object], other: Sequence[object]) -> int:
    row = [0] * (len(other) + 1)
    for a in one:
        above, row = row, [0]
        for j, b in enumerate(other, 1):
            row.append(above[j - 1] + 1 if a == b else max(above[j], row[-1]))
    return row[-1]


few = st.text("abc", max_size=14) | st.text(max_size=8)


@given(few, few)
def test_the_edit_distance_is_the_table_s(one: str, other: str) -> None:
    assert edit_distance(one, other) == slow_distance(one, other) == edit_distance(other, one)


@given(st.lists(st.integers(0, 3), max_size=14), st.lists(st.integers(0, 3), max_size=14))
def test_the_common_subsequence_is_the_table_s(one: list[int], other: list[int]) -> None:
    assert common_length(one, other) == slow_common(one, other) == common_length(other, one)


def test_beyond_one_machine_word() -> None:
    chance = random.Random(7)
    for size in (63, 64, 65, 128, 300):
        one, other = ("".join(chance.choices("abcd", k=size + n)) for n in (0, 5))
        assert edit_distance(one, other) == slow_distance(one, other)
        assert common_length(one, other) == slow_common(one, other)


def test_long_texts_have_at_least_their_distance() -> None:
    chance = random.Random(3)
    one = "".join(chance.choices("abcdefgh ", k=EXACT + 3_000))
    other = "x" + one
    assert edit_distance(one, other) == 1
    assert 1 <= bounded_distance(one, other) <= 20
    changed = one[:500] + "Q" + one[501:]
    assert bounded_distance(one, changed) == 1
    assert bounded_distance(one, one) == 0
    assert bounded_distance(one, "") == len(one)
    assert bounded_distance("", "") == 0
