"""How far two judges agree, against worked examples and by what must always hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.agreement import (
    cohens_kappa,
    compare,
    confusion,
    kappa_interval,
    kappa_words,
)

LABELS = 3
LABEL = st.integers(0, LABELS - 1)
PAIRS = st.lists(st.tuples(LABEL, LABEL), min_size=1, max_size=40)


def pairs_of(matrix: list[list[int]]) -> list[tuple[int, int]]:
    return [
        (row, column)
        for row, counts in enumerate(matrix)
        for column, count in enumerate(counts)
        for _ in range(count)
    ]


def test_a_worked_example() -> None:
    # 20 and 15 of one mind among 50: 0.7 observed, 0.5 by chance.
    found = compare(pairs_of([[20, 5], [10, 15]]), 2)
    assert found.accuracy == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4)
    assert found.matrix == ((20, 5), (10, 15))
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.4 < found.high
    assert found.words == "fair"


def test_a_near_miss_weighs_less_than_a_far_one() -> None:
    near, far = (
        pairs_of([[5, 1, 0], [1, 5, 1], [0, 1, 5]]),
        pairs_of([[5, 0, 2], [0, 5, 0], [2, 0, 5]]),
    )
    assert cohens_kappa(near, 3) == pytest.approx(cohens_kappa(far, 3), abs=0.02)
    near_weighted, far_weighted = (cohens_kappa(one, 3, "quadratic") for one in (near, far))
    assert near_weighted is not None
    assert far_weighted is not None
    assert near_weighted > far_weighted + 0.2


def test_a_weighted_example_by_hand() -> None:
    # Observed: 1/4 · 1 (one pair a step apart). Expected by hand from margins (2,1,1) and (1,2,1):
    # (2·2·1 + 2·1·4 + 1·1·1 + 1·1·1 + 1·1·4 + 1·2·1) / 16 = 20 / 16.
    pairs = [(0, 0), (0, 1), (1, 1), (2, 2)]
    assert cohens_kappa(pairs, 3, "quadratic") == pytest.approx(1 - (1 / 4) / (20 / 16))


def test_where_chance_cannot_be_told_from_agreement_there_is_no_kappa() -> None:
    found = compare([(1, 1)] * 8, 2)
    assert found.kappa is None
    assert found.accuracy == 1.0
    assert found.words == "cannot be told"
    assert found.to_dict()["low"] is None


@pytest.mark.parametrize("weights", ["none", "quadratic"])
def test_a_few_rows_of_one_mind_are_not_certainty(weights: str) -> None:
    few, many = [(0, 0), (1, 1)], [(0, 0), (1, 1)] * 150
    found = compare(few, 2, weights)  # type: ignore[arg-type]
    assert found.kappa == 1.0
    assert found.low is not None
    assert found.low <= 0
    sure = compare(many, 2, weights)  # type: ignore[arg-type]
    assert sure.low is not None
    assert 0.9 < sure.low < 1


def test_nothing_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="nothing to compare"):
        compare([], 2)
    assert cohens_kappa([], 2) is None


@given(pairs=PAIRS, weights=st.sampled_from(["none", "quadratic"]))
def test_kappa_is_at_most_one_and_the_same_both_ways(
    pairs: list[tuple[int, int]], weights: str
) -> None:
    kappa = cohens_kappa(pairs, LABELS, weights)  # type: ignore[arg-type]
    swapped = cohens_kappa([(b, a) for a, b in pairs], LABELS, weights)  # type: ignore[arg-type]
    if kappa is None:
        assert swapped is None
        return
    assert kappa <= 1 + 1e-12
    assert kappa == pytest.approx(swapped)
    assert (abs(kappa - 1) < 1e-12) == all(a == b for a, b in pairs)


@given(pairs=PAIRS, order=st.permutations(range(LABELS)))
def test_the_names_of_the_labels_do_not_matter(
    pairs: list[tuple[int, int]], order: list[int]
) -> None:
    renamed = [(order[a], order[b]) for a, b in pairs]
    found, other = cohens_kappa(pairs, LABELS), cohens_kappa(renamed, LABELS)
    assert found == (other if other is None else pytest.approx(other))


@given(pairs=PAIRS)
def test_the_matrix_counts_every_pair_once(pairs: list[tuple[int, int]]) -> None:
    matrix = confusion(pairs, LABELS)
    assert sum(map(sum, matrix)) == len(pairs)
    assert sum(matrix[i][i] for i in range(LABELS)) == sum(a == b for a, b in pairs)


@given(pairs=PAIRS)
def test_the_interval_holds_the_value_and_is_the_same_each_time(
    pairs: list[tuple[int, int]],
) -> None:
    interval = kappa_interval(pairs, LABELS)
    if interval is not None:
        assert interval.low <= interval.value <= interval.high
        assert interval == kappa_interval(pairs, LABELS)


@pytest.mark.parametrize(
    ("kappa", "words"),
    [(-0.3, "no better than chance"), (0.1, "slight"), (0.5, "moderate"), (1.0, "almost perfect")],
)
def test_kappa_in_words(kappa: float, words: str) -> None:
    assert kappa_words(kappa) == words
