"""Intervals that hold what they promise."""

from __future__ import annotations

import math
import random

import pytest

from studio.engine.statistics import (
    Interval,
    between,
    clustered_interval,
    count_signs,
    holm,
    mean_interval,
    optimism,
    paired_bootstrap,
    permutation_test,
    sign_test,
)


def test_the_value_is_the_mean_of_the_differences() -> None:
    found = paired_bootstrap([0.0, 1.0, 0.0, 0.5], [1.0, 1.0, 0.0, 0.0])
    assert found.value == pytest.approx(0.125)
    assert found.low <= found.value <= found.high


def test_it_is_the_interval_that_very_many_resamples_would_give() -> None:
    rng = random.Random(0)
    graded = [rng.random() ** 2 - 0.2 for _ in range(60)]
    right_or_wrong = [rng.choice((-1.0, 0.0, 0.0, 1.0, 1.0)) for _ in range(60)]
    for differences in (graded, right_or_wrong):
        a = [max(0.0, -each) for each in differences]
        b = [max(0.0, each) for each in differences]
        widest = max(abs(each) for each in differences)
        values = [*differences, widest, -widest]
        means = sorted(sum(rng.choices(values, k=62)) / 62 for _ in range(20_000))
        found = paired_bootstrap(a, b)
        assert found.low == pytest.approx(means[500], abs=0.012)
        assert found.high == pytest.approx(means[-500], abs=0.012)


def test_the_order_of_the_examples_does_not_matter() -> None:
    rng = random.Random(1)
    pairs = [(rng.random(), rng.random()) for _ in range(50)]
    turned = pairs[::-1]
    there, back = (paired_bootstrap(*zip(*each, strict=True)) for each in (pairs, turned))
    assert there.low == pytest.approx(back.low)
    assert there.high == pytest.approx(back.high)


def test_turned_round_it_is_the_mirror_image() -> None:
    a, b = [0.0] * 30 + [1.0] * 10, [1.0] * 20 + [0.0] * 20
    there, back = paired_bootstrap(a, b), paired_bootstrap(b, a)
    assert there.low == pytest.approx(-back.high, abs=1e-9)
    assert there.high == pytest.approx(-back.low, abs=1e-9)


def test_very_many_examples_are_no_trouble() -> None:
    found = paired_bootstrap([0.0] * 20_000, [1.0, 0.0] * 10_000)
    assert found.low == pytest.approx(0.493, abs=0.003)


def test_a_few_examples_prove_nothing() -> None:
    assert paired_bootstrap([0.0], [1.0]).verdict == "not distinguishable"
    assert paired_bootstrap([0.0] * 3, [1.0] * 3).verdict == "not distinguishable"
    assert paired_bootstrap([0.0] * 12, [1.0] * 12).verdict == "improved"


def test_small_differences_of_graded_scores_are_not_drowned() -> None:
    rng = random.Random(3)
    a = [0.3 + 0.4 * rng.random() for _ in range(160)]
    b = [score + 0.02 + 0.02 * rng.random() for score in a]
    found = paired_bootstrap(a, b)
    assert found.verdict == "improved"
    assert found.high - found.low < 0.03
    few = paired_bootstrap(a[:3], b[:3])
    assert few.verdict == "not distinguishable"
    assert few.high - few.low > 0.3


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
    rng, held, trials = random.Random(11), 0, 1_000
    for _ in range(trials):
        draws = [rng.random() for _ in range(n)]
        b = [1.0 if draw < wins else -1.0 if draw < wins + losses else 0.0 for draw in draws]
        before = [float(each < 0) for each in b]
        found = paired_bootstrap(before, [was + each for was, each in zip(before, b, strict=True)])
        held += found.low <= wins - losses <= found.high
    assert 0.93 <= held / trials <= 0.985


def test_the_interval_of_a_mean_holds_the_truth_too() -> None:
    rng, held, trials = random.Random(5), 0, 1_000
    for _ in range(trials):
        values = [float(rng.random() < 0.8) for _ in range(40)]
        found = mean_interval(values)
        held += found.low <= 0.8 <= found.high
    assert held / trials >= 0.93
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


def picked(candidates: int, seed: int, spread: float = 0.0) -> tuple[list[dict[str, float]], int]:
    """Scores of candidates that are equally good but for the spread, and the place of the best."""
    rng = random.Random(seed)
    true = [min(0.95, max(0.05, rng.gauss(0.5, spread))) for _ in range(candidates)]
    scores = [{f"e{n}": float(rng.random() < each) for n in range(80)} for each in true]
    sums = [sum(each.values()) for each in scores]
    return scores, sums.index(max(sums))


def test_the_best_of_many_that_are_alike_looks_better_than_it_is_by_about_the_optimism() -> None:
    looks, estimates = [], []
    for seed in range(40):
        scores, place = picked(15, seed)
        others = [each for other, each in enumerate(scores) if other != place]
        looks.append(sum(scores[place].values()) / 80 - 0.5)
        estimates.append(optimism(scores[place], others, seed))
    bias, estimate = sum(looks) / 40, sum(estimates) / 40
    assert bias > 0.05
    assert estimate == pytest.approx(bias, rel=0.5)


def test_a_winner_that_stands_alone_owes_nothing_to_chance() -> None:
    best = {f"e{n}": 1.0 for n in range(60)}
    poor = {f"e{n}": float(n % 5 == 0) for n in range(60)}
    assert optimism(best, [poor, poor], 0) == 0.0
    assert optimism(best, [], 0) == optimism(best, [{}], 0) == 0.0


def test_the_more_it_was_picked_from_the_greater_the_optimism() -> None:
    scores, place = picked(20, 3)
    others = [each for other, each in enumerate(scores) if other != place]
    found = [optimism(scores[place], others[:count], 0) for count in (1, 5, 19)]
    assert found == sorted(found)
    assert optimism(scores[place], others, 0) == found[-1]


def test_an_interval_can_be_moved_down() -> None:
    moved = Interval(0.2, 0.1, 0.3).less(0.15)
    assert (moved.value, moved.low, moved.high) == pytest.approx((0.05, -0.05, 0.15))
    assert moved.verdict == "not distinguishable"


def test_few_differences_are_flipped_in_all_ways() -> None:
    assert permutation_test([0.0, 0.0, 0.0], [1.0, 0.5, 0.25]) == pytest.approx(2 / 8)
    assert permutation_test([0.0, 1.0], [1.0, 0.0]) == 1.0
    assert permutation_test([0.3, 0.7], [0.3, 0.7]) == 1.0
    assert permutation_test([], []) == 1.0


def test_of_right_and_wrong_answers_the_permutation_test_is_mcnemars() -> None:
    a = [0.0] * 9 + [1.0] * 2 + [1.0] * 30
    b = [1.0] * 9 + [0.0] * 2 + [1.0] * 30
    assert permutation_test(a, b) == pytest.approx(sign_test(9, 2))


@pytest.mark.parametrize("parts", [0, 2, 3])
def test_many_differences_are_tested_as_by_drawing(parts: int) -> None:
    rng = random.Random(parts)
    found = [rng.random() * 1.6 - 0.6 for _ in range(25)]
    if parts:
        found = [round(each * parts) / parts for each in found]
    seen = abs(math.fsum(found))
    drawn = 40_000
    further = sum(
        abs(math.fsum(each if rng.random() < 0.5 else -each for each in found)) >= seen - 1e-9
        for _ in range(drawn)
    )
    assert permutation_test([0.0] * 25, found) == pytest.approx(further / drawn, abs=0.012)


def test_the_permutation_test_does_not_care_for_order_or_side() -> None:
    rng = random.Random(3)
    a, b = [rng.random() for _ in range(60)], [rng.random() for _ in range(60)]
    assert permutation_test(a, b) == pytest.approx(permutation_test(b, a))
    assert permutation_test(a, b) == pytest.approx(permutation_test(a[::-1], b[::-1]))
    assert permutation_test(a, [each + 0.5 for each in a]) < 1e-15


def test_without_a_difference_one_test_in_twenty_gives_a_false_alarm() -> None:
    rng = random.Random(11)
    false = 0
    for _ in range(400):
        a = [rng.choice((0.0, 0.5, 1.0)) for _ in range(30)]
        b = [rng.choice((0.0, 0.5, 1.0)) for _ in range(30)]
        false += permutation_test(a, b) < 0.05
    assert 4 <= false <= 32


def test_holm_corrects_for_there_being_several() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


def test_repetitions_of_an_example_make_the_interval_no_narrower() -> None:
    means = [0.0, 1.0, 1.0, 0.0, 1.0, 1.0]
    assert clustered_interval([[mean] * 9 for mean in means]) == mean_interval(means)
    assert clustered_interval([[0.0, 1.0], [1.0]]).value == 0.75


def test_a_difference_between_two_groups_holds_what_it_promises() -> None:
    rng = random.Random(5)
    held = 0
    for _ in range(300):
        a = [float(rng.random() < 0.8) for _ in range(40)]
        b = [float(rng.random() < 0.6) for _ in range(25)]
        found = between(mean_interval(a), mean_interval(b))
        held += found.low <= -0.2 <= found.high
    assert held >= 0.92 * 300
    assert between(Interval(0.5, 0.4, 0.6), Interval(0.5, 0.4, 0.6)).value == 0
