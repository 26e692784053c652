"""Races: who may be dropped, what is asked, and that nothing depends on the order of answers."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.engine.racing import (
    FEW,
    FINALISTS,
    OVERTIME,
    Entry,
    Race,
    Rung,
    expected_runs,
    mean_lead,
    schedule,
)

Table = Mapping[int, Mapping[str, float | None]]
NEVER_SURE = (math.inf, math.inf)


def ids(count: int, part: str = "e") -> list[str]:
    return [f"{part}{number}" for number in range(count)]


def run(race: Race, table: Table, rng: random.Random | None = None) -> list[tuple[int, str]]:
    """Answer from the table, in an order of one's own; what was asked."""
    asked = []
    while pairs := race.next():
        asked += pairs
        told = list(pairs)
        if rng:
            rng.shuffle(told)
        for number, example in told:
            race.tell(number, example, table[number][example])
    return asked


def entries(count: int) -> list[Entry]:
    return [Entry(number) for number in range(count)]


@st.composite
def tables(draw: st.DrawFn, unscored: bool = False, most: int = 8) -> dict[int, dict[str, float]]:
    """Scores of several candidates on several examples."""
    candidates, examples = draw(st.integers(1, most)), draw(st.integers(1, 60))
    rng = random.Random(draw(st.integers(0, 10**6)))
    graded = draw(st.booleans())
    skill = [rng.random() for _ in range(candidates)]
    table: dict[int, dict[str, float]] = {}
    for number in range(candidates):
        scores: dict[str, float] = {}
        for example in ids(examples):
            score = float(rng.random() < skill[number])
            scores[example] = rng.choice((score, 0.25, 0.5)) if graded else score
        table[number] = scores
    if unscored:
        for number, example in [(n, e) for n in table for e in table[n] if rng.random() < 0.15]:
            table[number][example] = None  # type: ignore[assignment]
    return table


def bound_only(examples: int) -> tuple[Rung, ...]:
    """Looks often, and drops nobody for his place."""
    return (*(Rung(size, 1000) for size in range(1, examples)), Rung(examples, 1))


@given(tables())
@settings(max_examples=150, deadline=None)
def test_the_bound_never_drops_who_would_have_won_the_full_evaluation(table: Table) -> None:
    examples = list(table[0])
    race = Race(entries(len(table)), examples, rungs=bound_only(len(examples)), sure=NEVER_SURE)
    run(race, table)
    sums = [math.fsum(value or 0.0 for value in table[number].values()) for number in table]
    best = max(round(total, 9) for total in sums)
    assert race.ranking()[0].number == [round(total, 9) for total in sums].index(best)


@given(tables(unscored=True, most=2), st.data())
@settings(max_examples=150, deadline=None)
def test_nor_does_it_between_two_that_were_left_out_of_different_examples(
    table: Table, data: st.DataObject
) -> None:
    examples = list(table[0])
    own = [frozenset(data.draw(st.sets(st.sampled_from(examples), max_size=10))) for _ in table]
    everything = [
        {
            key: value
            for key, value in table[number].items()
            if value is not None and key not in own[number]
        }
        for number in table
    ]
    field = [Entry(number, skip=own[number]) for number in table]
    race = Race(field, examples, rungs=bound_only(len(examples)), sure=NEVER_SURE)
    run(race, table)
    winner = race.ranking()[0].number
    if len(table) == 2:
        lead = mean_lead(everything[1], everything[0])
        assert winner == (1 if lead > 1e-9 else 0)


@given(tables(unscored=True), st.integers(0, 1000))
@settings(max_examples=80, deadline=None)
def test_the_order_in_which_it_is_told_makes_no_difference(table: Table, seed: int) -> None:
    examples = list(table[0])
    cut = max(1, len(examples) * 2 // 3)
    found = []
    for rng in (None, random.Random(seed)):
        race = Race(entries(len(table)), examples[:cut], examples[cut:])
        asked = run(race, table, rng)
        standing = [entry.number for entry in race.ranking()]
        found.append((asked, standing, [entry.dropped for entry in race.entries]))
    assert found[0] == found[1]


@given(tables(unscored=True), st.data())
@settings(max_examples=80, deadline=None)
def test_every_pair_is_asked_once_at_the_most_and_own_examples_never(
    table: Table, data: st.DataObject
) -> None:
    examples = list(table[0])
    field = []
    for number in table:
        own = data.draw(st.sets(st.sampled_from(examples), max_size=8))
        known = {
            key: value
            for key in data.draw(st.sets(st.sampled_from(examples), max_size=8))
            if (value := table[number][key]) is not None
        }
        field.append(Entry(number, dict(known), frozenset(own)))
    before = [set(entry.values) for entry in field]
    race = Race(field, examples)
    asked = run(race, table)
    assert max(Counter(asked).values(), default=0) <= 1
    for number, example in asked:
        assert example not in field[number].skip
        assert example not in before[number]
    winner = race.ranking()[0]
    assert all(not winner.asks(example) for example in examples)


@given(tables(unscored=True))
@settings(max_examples=50, deadline=None)
def test_a_race_runs_no_more_than_is_expected_at_the_most(table: Table) -> None:
    fewest, expected, most = expected_runs(len(table), len(table[0]))
    assert fewest <= expected <= most <= len(table) * len(table[0])
    race = Race(entries(len(table)), list(table[0]))
    assert fewest <= len(run(race, table)) <= most


def test_ties_go_to_the_one_that_stands_first() -> None:
    values = {example: float(place % 2) for place, example in enumerate(ids(60))}
    race = Race(entries(9), ids(60))
    run(race, dict.fromkeys(range(9), values))
    assert race.ranking()[0].number == 0


def test_a_tie_that_the_first_one_can_still_reach_does_not_end_it() -> None:
    table = {0: dict.fromkeys(ids(4), 1.0), 1: dict.fromkeys(ids(4), 1.0)}
    table[0] |= {"e0": 0.0, "e1": 0.0}
    table[1] |= {"e2": 0.0, "e3": 0.0}
    race = Race(entries(2), ids(4), rungs=bound_only(4), sure=NEVER_SURE)
    run(race, table)
    assert race.ranking()[0].number == 0


def test_unscored_examples_count_for_nobody() -> None:
    table: dict[int, dict[str, float | None]] = {
        0: dict.fromkeys(ids(30), 0.5),
        1: {example: 0.6 if place % 2 else None for place, example in enumerate(ids(30))},
        2: dict.fromkeys(ids(30)),
    }
    race = Race(entries(3), ids(30), sure=NEVER_SURE)
    run(race, table)
    assert race.ranking()[0].number == 1
    assert race.entries[2].values == {}


def test_one_candidate_is_run_on_everything() -> None:
    race = Race(entries(1), ids(7), ids(20, "x"))
    assert len(run(race, {0: dict.fromkeys(ids(7), 1.0)})) == 7
    assert race.settled


def test_one_example_decides_if_there_are_no_more() -> None:
    race = Race(entries(3), ids(1))
    run(race, {0: {"e0": 0.0}, 1: {"e0": 1.0}, 2: {"e0": 1.0}})
    assert race.ranking()[0].number == 1


def test_what_is_known_is_not_run_again_and_counts() -> None:
    known = dict.fromkeys(ids(80), 1.0)
    race = Race([Entry(0, dict(known)), Entry(1)], ids(80))
    asked = run(race, {0: known, 1: dict.fromkeys(ids(80), 0.0)})
    assert {number for number, _ in asked} == {1}
    assert len(asked) == 20
    assert "even with everything right" in race.entries[1].dropped


def test_a_lead_that_chance_hardly_explains_is_enough() -> None:
    table = {0: dict.fromkeys(ids(80), 0.0), 1: dict.fromkeys(ids(80), 0.0)}
    table[1] |= dict.fromkeys(ids(14), 1.0)
    race = Race(entries(2), ids(80))
    run(race, table)
    assert race.entries[0].dropped.startswith("dropped after 20 examples")
    assert "hardly have caught up" in race.entries[0].dropped


def test_nobody_is_ranked_on_more_examples_than_the_others() -> None:
    """The incumbent's weak end does not speak against it before others have been there."""
    weak_end = {example: float(place < 20) for place, example in enumerate(ids(80))}
    race = Race([Entry(0, weak_end), Entry(1)], ids(80))
    for number, example in race.next():
        race.tell(number, example, 0.9)
    race.next()
    assert race.ranking()[0].number == 0


def test_of_many_that_are_alike_a_few_see_everything() -> None:
    rng = random.Random(4)
    table = {n: {e: float(rng.random() < 0.6) for e in ids(300)} for n in range(19)}
    race = Race(entries(19), ids(300))
    asked = Counter(number for number, _ in run(race, table))
    assert sum(count == 300 for count in asked.values()) <= FINALISTS + 1
    assert sum(asked.values()) < 0.4 * 19 * 300
    reasons = [entry.dropped for entry in race.entries if entry.dropped]
    assert len(reasons) >= 18 - FINALISTS
    assert all(reason.startswith("dropped after ") for reason in reasons)


def test_finalists_that_are_close_meet_extra_examples() -> None:
    examples, extra = ids(60), ids(100, "x")
    table = {
        number: {e: float((place + number) % 2) for place, e in enumerate((*examples, *extra))}
        for number in range(2)
    }
    table[1] |= dict.fromkeys(extra, 1.0)
    race = Race(entries(2), examples, extra)
    asked = run(race, table)
    beyond = {example for _, example in asked if example.startswith("x")}
    assert 0 < len(beyond) <= int(OVERTIME * 60)
    assert race.ranking()[0].number == 1
    assert race.entries[0].dropped


def test_a_clear_winner_meets_none() -> None:
    table = {0: dict.fromkeys(ids(60), 0.0), 1: dict.fromkeys(ids(60), 1.0)}
    race = Race(entries(2), ids(60), ids(40, "x"))
    asked = run(race, table)
    assert not any(example.startswith("x") for _, example in asked)


def test_cut_short_it_says_who_is_ahead_once_a_rung_is_complete() -> None:
    race = Race(entries(4), ids(100))
    pairs = race.next()
    settled = [race.settled]
    for number, example in pairs:
        race.tell(number, example, 0.5 + number / 10)
    race.next()
    settled.append(race.settled)
    assert settled == [False, True]
    assert race.ranking()[0].number == 3


@pytest.mark.parametrize("candidates", [1, 2, 3, 4, 5, 9, 19, 64])
@pytest.mark.parametrize("examples", [1, 5, 12, 24, 60, 300, 1000])
@pytest.mark.parametrize("extra", [0, 7, 40, 200])
def test_rungs_go_up_and_keep_fewer_and_fewer(candidates: int, examples: int, extra: int) -> None:
    rungs = schedule(candidates, examples, extra)
    sizes = [rung.examples for rung in rungs]
    assert sizes == sorted(set(sizes))
    assert examples in sizes
    keeps = [rung.keep for rung in rungs]
    assert keeps == sorted(keeps, reverse=True)
    assert keeps[-1] == 1
    assert sizes[-1] == (examples + extra if extra and candidates > 1 else examples)
    if candidates <= FEW:
        assert sum(size <= examples for size in sizes) <= FEW


def test_rungs_are_long_enough_to_keep_sixteen_calls_in_flight() -> None:
    for candidates, examples in ((19, 300), (7, 100), (2, 100), (64, 1000)):
        before, left = 0, candidates
        for rung in schedule(candidates, examples, 200):
            assert left * (rung.examples - before) >= 32
            before, left = rung.examples, rung.keep


def test_racing_loses_next_to_nothing_and_runs_much_less() -> None:
    """The figures over many more races are the benchmark's."""
    regret = full_regret = 0.0
    runs, count = 0, 60
    for seed in range(count):
        rng = random.Random(seed)
        true = [min(0.95, max(0.05, rng.gauss(0.55, 0.08))) for _ in range(19)]
        table = {n: {e: float(rng.random() < p) for e in ids(300)} for n, p in enumerate(true)}
        race = Race(entries(19), ids(300))
        runs += len(run(race, table))
        sums = [sum(table[number].values()) for number in table]
        regret += max(true) - true[race.ranking()[0].number]
        full_regret += max(true) - true[sums.index(max(sums))]
    assert runs < 0.4 * count * 19 * 300
    assert regret / count < full_regret / count + 0.01


def leads(rows: Sequence[float]) -> dict[str, float]:
    return dict(zip(ids(len(rows)), rows, strict=True))


def test_a_lead_is_the_mean_over_what_both_have() -> None:
    assert mean_lead(leads([1, 0, 1]), leads([0, 0])) == 0.5
    assert mean_lead({}, leads([1.0])) == 0.0
