"""The confirmation: who is compared with whom, on which examples, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from studio.engine.compilers.confirm import UNCOMPILED, compare
from studio.engine.compilers.events import CandidateMade, Confirmation, Event, ExampleScored
from studio.engine.example import Candidate, Demo
from studio.engine.lm.prompt_reader import Prompt
from tests.engine.compilers.builders import (
    StrictLedger,
    chance,
    gold,
    learner,
    make_examples,
    make_world,
    result_of,
    run,
    spoiled,
    writes,
)


def scored_on(values: list[float]) -> dict[str, float]:
    return {f"example {number}": value for number, value in enumerate(values)}


def said(before: list[float], after: list[float]) -> str:
    return compare(scored_on(before), scored_on(after), UNCOMPILED).sentence


def release_of(count: int) -> Candidate:
    """A release that shows so many demos."""
    program = make_world(writes(learner)).task.program
    demos = tuple(
        Demo(values=example.values, source=example.id) for example in make_examples(500, count)
    )
    states = {
        path: replace(state, demos=demos) for path, state in program.candidate().states.items()
    }
    return Candidate(states)


def with_release(
    mind: Callable[[Prompt], str], release: Candidate, **changes: Any
) -> tuple[list[Event], StrictLedger]:
    world = make_world(writes(mind), release=release, compiler="labeled", **changes)
    return run(world.task), world.ledger


def test_right_and_wrong_answers_are_told_in_numbers_of_examples() -> None:
    assert said([0.0] * 30 + [1.0] * 30, [1.0] * 20 + [0.0] * 10 + [1.0] * 30).startswith(
        "Improved: right on 20 more of 60 held-out examples than the uncompiled program; the 95 % "
        "interval of the difference goes from +"
    )
    assert said([1.0] * 30, [1.0] * 15 + [0.0] * 15).startswith(
        "Worse: right on 15 fewer of 30 held-out examples than the uncompiled program; "
    )
    assert said([1.0, 0.0] * 10, [0.0, 1.0] * 10).startswith(
        "Not distinguishable: right on as many of 20 held-out examples as the uncompiled program; "
    )
    assert "right on 1 more of 1 held-out example than" in said([0.0], [1.0])


def test_graded_scores_are_told_in_points() -> None:
    assert said([0.5] * 40, [0.75] * 40).startswith(
        "Improved: the mean score on 40 held-out examples is 25.0 points higher than that of the "
        "uncompiled program; the 95 % interval of the difference goes from +"
    )
    assert "is 25.0 points lower than that of" in said([0.75] * 40, [0.5] * 40)


def test_the_sentence_and_the_verdict_never_disagree() -> None:
    for wins in range(13):
        found = compare(
            scored_on([0.0] * 12), scored_on([1.0] * wins + [0.0] * (12 - wins)), UNCOMPILED
        )
        assert found.sentence.lower().startswith(found.verdict)
        assert found.difference is not None
        assert ("from +" in found.sentence) == (found.difference.low > 0.0005)


def test_only_examples_that_both_were_scored_on_count() -> None:
    found = compare({"a": 0.0, "b": 1.0, "c": 1.0}, {"b": 1.0, "c": 0.0, "d": 1.0}, UNCOMPILED)
    assert (found.confirmed_on, found.wins, found.losses) == (2, 0, 1)
    assert (found.baseline, found.compiled) == (1.0, 0.5)
    none = compare({"a": 0.0}, {"b": 1.0}, UNCOMPILED)
    assert none.difference is None
    assert none.sentence == "Not confirmed: no held-out example was scored."


def test_without_a_release_nothing_is_said_of_one() -> None:
    result = result_of(run(make_world(writes(learner)).task))
    assert result.against_release is None
    assert "release" not in result.note


def test_the_release_is_run_on_the_same_test_examples() -> None:
    release = release_of(3)
    events, _ = with_release(learner, release)
    tested: dict[str, list[str]] = {}
    for event in events:
        if isinstance(event, ExampleScored) and event.part == "test":
            tested.setdefault(event.candidate, []).append(event.example)
    assert len(tested) == 3
    assert len({tuple(examples) for examples in tested.values()}) == 1
    assert release.hash in tested
    made = {event.number: event for event in events if isinstance(event, CandidateMade)}
    assert [made[number].origin for number in sorted(made)][-1] == "the current release"
    against = result_of(events).against_release
    assert against is not None
    assert against.confirmed_on == 40
    assert against.compiled == result_of(events).compiled
    assert "than the current release" in against.sentence
    assert "the current release" in result_of(events).note


def test_a_release_that_is_better_is_named_so() -> None:
    def knows_the_release(prompt: Prompt) -> str:
        text = prompt.inputs[-1]
        return gold(text) if len(prompt.demos) == 3 or chance(text) < 0.4 else "none"

    result = result_of(with_release(knows_the_release, release_of(3))[0])
    assert result.against_release is not None
    assert result.against_release.verdict == "worse"
    assert "worse than the current release on 40 held-out examples" in result.note


def test_a_release_that_shows_test_examples_is_not_compared_on_those() -> None:
    test = make_examples(200, 40)
    shown = tuple(Demo(values=example.values, source=example.id) for example in test[:5])
    program = make_world(writes(learner)).task.program
    states = {
        path: replace(state, demos=shown) for path, state in program.candidate().states.items()
    }
    result = result_of(with_release(learner, Candidate(states), test=test)[0])
    assert result.confirmed_on == 35
    assert "5 test examples stand among the demos" in result.note


def test_a_release_that_is_the_uncompiled_program_is_not_run_twice() -> None:
    program = make_world(writes(learner)).task.program
    events, ledger = with_release(learner, program.candidate())
    result = result_of(events)
    assert result.against_release is not None
    assert result.against_release.difference == result.difference
    assert sum(key[0] == program.candidate().hash for key in ledger.scores) <= 24 + 40


def test_when_nothing_is_better_the_release_is_still_compared() -> None:
    result = result_of(with_release(spoiled, release_of(3))[0])
    assert result.number == 0
    assert result.confirmation.sentence == "Unchanged: the result is the uncompiled program."
    assert result.against_release is not None
    assert result.against_release.verdict == "improved"
    assert "better than the current release" in result.note


def test_a_result_that_is_the_release_is_said_to_be_the_same() -> None:
    program = make_world(writes(learner)).task.program
    result = result_of(with_release(spoiled, program.candidate())[0])
    assert result.against_release is not None
    assert result.against_release.difference is not None
    assert result.against_release.difference.value == 0
    assert "the same as the current release" in result.note


def test_the_budget_is_kept_for_the_release_too() -> None:
    world = make_world(writes(learner), release=release_of(3), max_calls=24 + 24 + 120 + 130)
    result = result_of(run(world.task))
    assert result.against_release is not None
    assert result.against_release.confirmed_on == result.confirmed_on == 40


def test_the_gain_on_dev_is_corrected_for_having_picked_the_best() -> None:
    def no_matter_which(prompt: Prompt) -> str:
        """All sets of demos are equally good: what the winner has on the others is luck."""
        text = prompt.inputs[-1]
        shown = tuple(demo.text for demo in prompt.demos)
        return gold(text) if chance(shown, text) < (0.6 if shown else 0.3) else "none"

    world = make_world(
        writes(no_matter_which),
        params={"candidates": 12, "dev_limit": 0},
        train=make_examples(1000, 60),
        dev=make_examples(100, 60),
    )
    result = result_of(run(world.task))
    assert result.candidates == 15
    assert result.dev_gain is not None
    assert result.dev_gain.low < result.dev_gain.value < result.dev_gain.high
    dev: dict[str, dict[str, float]] = {}
    for (candidate, example), scored in world.ledger.scores.items():
        if example in {item.id for item in world.task.dev} and scored.score.value is not None:
            dev.setdefault(candidate, {})[example] = scored.score.value
    before, after = dev[world.task.program.candidate().hash], dev[result.candidate.hash]
    shared = [key for key in before if key in after]
    looked = sum(after[key] - before[key] for key in shared) / len(shared)
    assert result.dev_gain.value < looked - 0.01


def test_all_of_it_is_json() -> None:
    data = result_of(with_release(learner, release_of(3))[0]).to_dict()
    assert json.loads(json.dumps(data)) == data
    assert set(data) >= {"against_release", "dev_gain", "candidates", "sentence", "verdict"}
    assert data["against_release"]["sentence"]
    assert set(data["dev_gain"]) == {"value", "low", "high"}
    assert Confirmation().to_dict()["sentence"] == ""


@pytest.mark.parametrize("seed", range(3))
def test_with_a_release_it_is_still_the_same_every_time(seed: int) -> None:
    found = [with_release(learner, release_of(3), seed=seed)[0] for _ in range(2)]
    assert found[0] == found[1]
