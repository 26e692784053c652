"""Intervals that hold what they promise."""

from __future__ import annotations

import math
import random
import time

import pytest

from studio.engine.statistics import (
    Interval,
    count_signs,
    mean_interval,
    paired_bootstrap,
    sign_test,
)


def test_the_value_is_the_mean_of_the_differences() -> None:
    found = paired_bootstrap([0.0, 1.0, 0.0, 0.5], [1.0, 1.0, 0.0, 0.0])
    assert found.value == pytest.approx(0.125)
    assert found.low <= found.value <= found.high


def test_the_same_seed_gives_the_same_interval() -> None:
    rng = random.Random(0)
    a, b = ([float(rng.random() < share) for _ in range(60)] for share in (0.4, 0.6))
    assert paired_bootstrap(a, b, seed=3) == paired_bootstrap(a, b, seed=3)
    assert paired_bootstrap(a, b, seed=3) != paired_bootstrap(a, b, seed=4)


def test_turned_round_it_is_the_mirror_image() -> None:
    a, b = [0.0] * 30 + [1.0] * 10, [1.0] * 20 + [0.0] * 20
    there, back = paired_bootstrap(a, b), paired_bootstrap(b, a)
    assert there.low == pytest.approx(-back.high, abs=0.02)
    assert there.high == pytest.approx(-back.low, abs=0.02)


def test_it_is_fast_enough_for_a_page() -> None:
    rng = random.Random(0)
    a, b = ([rng.random() for _ in range(160)] for _ in range(2))
    begun = time.process_time()
    paired_bootstrap(a, b)
    assert time.process_time() - begun < 5


def test_very_many_examples_are_no_trouble() -> None:
    begun = time.process_time()
    found = paired_bootstrap([0.0] * 20_000, [1.0, 0.0] * 10_000)
    assert time.process_time() - begun < 40
    assert found.low == pytest.approx(0.493, abs=0.003)


def test_a_few_examples_prove_nothing() -> None:
    assert paired_bootstrap([0.0], [1.0]).verdict == "not distinguishable"
    assert paired_bootstrap([0.0] * 3, [1.0] * 3).verdict == "not distinguishable"
    assert paired_bootstrap([0.0] * 12, [1.0] * 12).verdict == "improved"


def test_two_sides_that_are_alike_are_not_distinguishable() -> None:
    same = [1.0, 0.0] * 50
    found = paired_bootstrap(same, same)
    assert found.value == 0
    assert found.low < 0 < found.high
    assert found.verdict == "not distinguishable"


@pytest.mark.parametrize(("sizes", "message"), [((0, 0), "nothing"), ((2, 3), "Both sides")])
def test_it_needs_pairs(sizes: tuple[int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paired_bootstrap([0.0] * sizes[0], [0.0] * sizes[1])
    with pytest.raises(ValueError, match="mean"):
        mean_interval([])


@pytest.mark.parametrize(
    ("n", "wins", "losses"), [(20, 0.3, 0.1), (60, 0.1, 0.1), (100, 0.25, 0.08), (80, 0.05, 0.02)]
)
def test_the_interval_holds_the_truth_about_as_often_as_it_says(
    n: int, wins: float, losses: float
) -> None:
    rng, held, trials = random.Random(11), 0, 120
    for trial in range(trials):
        draws = [rng.random() for _ in range(n)]
        b = [1.0 if draw < wins else -1.0 if draw < wins + losses else 0.0 for draw in draws]
        found = paired_bootstrap([0.0] * n, b, seed=trial, resamples=1_000)
        held += found.low <= wins - losses <= found.high
    assert held / trials >= 0.91


def test_the_interval_of_a_mean_holds_the_truth_too() -> None:
    rng, held, trials = random.Random(5), 0, 150
    for trial in range(trials):
        values = [float(rng.random() < 0.8) for _ in range(40)]
        found = mean_interval(values, seed=trial, resamples=1_000)
        held += found.low <= 0.8 <= found.high
    assert held / trials >= 0.92
    sure = mean_interval([1.0] * 10)
    assert sure.value == sure.high == 1.0
    assert sure.low < 0.9


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.01, 0.2, "improved"), (-0.1, 0.2, "not distinguishable"), (-0.3, -0.1, "worse")],
)
def test_the_verdict_is_in_words(low: float, high: float, verdict: str) -> None:
    assert Interval((low + high) / 2, low, high).verdict == verdict


@pytest.mark.parametrize(
    ("wins", "losses", "p"),
    [(0, 0, 1.0), (5, 0, 0.0625), (8, 2, 0.109375), (5, 5, 1.0), (0, 1, 1.0)],
)
def test_the_sign_test_is_exact(wins: int, losses: int, p: float) -> None:
    assert sign_test(wins, losses) == pytest.approx(p)
    assert sign_test(losses, wins) == pytest.approx(p)


def test_the_sign_test_of_many_pairs_is_still_a_probability() -> None:
    assert 0 <= sign_test(20_000, 5_000) < 1e-300 or math.isclose(sign_test(20_000, 5_000), 0)
    assert 0.9 < sign_test(10_000, 10_000) <= 1


def test_wins_and_losses_are_counted() -> None:
    assert count_signs([0, 1, 0.5, 0.5], [1, 0, 0.5, 0.6]) == (2, 1)
