"""The Pareto front over examples, for any scores that a compile may come to know."""

from __future__ import annotations

import random
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from studio.engine.compilers.pareto import draw_parents, front

Values = Mapping[int, Mapping[str, float]]

values_of_a_compile = st.dictionaries(
    st.integers(0, 7),
    st.dictionaries(st.sampled_from("abcdef"), st.sampled_from([0.0, 0.25, 0.5, 1.0])),
    max_size=6,
)
"""Of a candidate that was dropped fewer scores are known, or none."""


def outdoes(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Better somewhere and worse nowhere, wherever the other was scored."""
    return (
        bool(other)
        and all(key in one and one[key] >= value for key, value in other.items())
        and any(one[key] > value for key, value in other.items())
    )


@given(values_of_a_compile)
def test_who_is_outdone_is_never_in_the_front(values: Values) -> None:
    found = front(values)
    for number in found:
        assert not any(outdoes(other, values[number]) for other in values.values())


@given(values_of_a_compile)
def test_every_example_has_its_best_in_the_front(values: Values) -> None:
    found = front(values)
    for example in {key for scores in values.values() for key in scores}:
        best = max(scores[example] for scores in values.values() if example in scores)
        there = [number for number in found if example in found[number]]
        assert there
        assert all(values[number][example] == best for number in there)


@given(values_of_a_compile, st.integers(0, 5), st.integers())
def test_only_members_of_the_front_are_drawn(values: Values, count: int, seed: int) -> None:
    found = front(values)
    drawn = draw_parents(random.Random(seed), found, count)
    assert set(drawn) <= set(found)
    assert len(drawn) == (count if found else 0)
    assert drawn == draw_parents(random.Random(seed), found, count)


def test_a_specialist_stays_beside_a_better_mean() -> None:
    found = front(
        {
            0: {"a": 0.0, "b": 0.0, "c": 0.0},
            1: {"a": 1.0, "b": 1.0, "c": 0.0},
            2: {"a": 0.0, "b": 0.0, "c": 1.0},
            3: {"a": 1.0, "b": 0.0, "c": 0.0},
        }
    )
    assert found == {1: {"a", "b"}, 2: {"c"}}


def test_who_is_best_on_more_examples_is_drawn_more_often() -> None:
    found = {4: frozenset("abc"), 9: frozenset("d")}
    drawn = draw_parents(random.Random(0), found, 4_000)
    assert 2_800 < drawn.count(4) < 3_200


def test_of_equals_there_is_one_the_first() -> None:
    same = {"a": 1.0, "b": 0.5}
    assert front({3: same, 1: dict(same), 2: dict(same)}) == {1: {"a", "b"}}
