"""Biases for labels: found where they are, small where little is known."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.engine.compilers.calibrate import Row, calibrated, fit_bias, scored_fields
from studio.engine.compilers.events import CandidateMade, CandidateScored, ExampleScored
from studio.engine.evaluation import Scored
from studio.engine.example import Candidate, Example
from studio.engine.messages import Usage
from studio.engine.metrics import Score
from studio.engine.modules import chain_of_thought
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.engine.trace import Prediction, Step
from tests.engine.compilers.builders import (
    ENUM,
    gold,
    learner,
    make_examples,
    make_world,
    one_step,
    result_of,
    run,
    scores,
    two_steps,
    with_params,
    writes,
)

LABELS = ("a", "b", "c")


def make_rows(bias: Mapping[str, float], count: int, seed: int = 0) -> list[Row]:
    """What a good model would score, shifted by a bias that is to be taken back."""
    rng = random.Random(seed)
    rows: list[Row] = []
    for number in range(count):
        right = LABELS[number % 3]
        # The scores of a model that knows exactly how sure it may be.
        points = {label: 1.5 * rng.gauss(1.5 * (label == right), 1) for label in LABELS}
        shifted = {label: points[label] - bias[label] for label in LABELS}
        total = math.log(sum(map(math.exp, shifted.values())))
        rows.append(({label: value - total for label, value in shifted.items()}, right))
    return rows


def accuracy(rows: Sequence[Row], bias: Mapping[str, float]) -> float:
    return sum(
        max(row, key=lambda label: row[label] + bias.get(label, 0.0)) == right
        for row, right in rows
    ) / len(rows)


def likelihood(rows: Sequence[Row], bias: Mapping[str, float]) -> float:
    total = 0.0
    for row, right in rows:
        logits = {label: value + bias.get(label, 0.0) for label, value in row.items()}
        total += logits[right] - math.log(sum(map(math.exp, logits.values())))
    return total


def test_it_recovers_a_known_bias() -> None:
    bias = {"a": 2.0, "b": -0.5, "c": -1.5}
    found = fit_bias(make_rows(bias, 600))
    for label in LABELS:
        assert found[label] == pytest.approx(bias[label], abs=0.25)


def test_without_a_bias_it_stays_near_zero() -> None:
    found = fit_bias(make_rows(dict.fromkeys(LABELS, 0.0), 600))
    assert all(abs(value) < 0.25 for value in found.values())


def test_it_helps_on_examples_that_it_has_not_seen() -> None:
    bias = {"a": 2.0, "b": -0.5, "c": -1.5}
    unseen = make_rows(bias, 2000, seed=1)
    before = accuracy(unseen, {})
    assert before < 0.7
    assert accuracy(unseen, fit_bias(make_rows(bias, 40))) > before + 0.1


def test_one_example_moves_it_only_a_little() -> None:
    found = fit_bias([({"a": -0.1, "b": -3.0, "c": -3.0}, "b")])
    assert found["b"] > 0
    assert all(abs(value) < 3 for value in found.values())


def test_labels_that_never_are_right_do_not_run_away() -> None:
    rows: list[Row] = [({"a": -100.0, "b": 0.0, "c": -100.0}, "b")] * 50
    assert all(math.isfinite(value) and abs(value) < 20 for value in fit_bias(rows).values())


def test_nothing_known_is_no_bias() -> None:
    assert fit_bias([]) == {}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.fixed_dictionaries({label: st.floats(-30, 0) for label in LABELS}),
            st.sampled_from(LABELS),
        ),
        min_size=1,
        max_size=25,
    )
)
def test_it_never_makes_the_training_answers_less_likely(rows: list[Row]) -> None:
    assert likelihood(rows, fit_bias(rows)) >= likelihood(rows, {}) - 0.01


def test_seventy_labels_are_no_trouble() -> None:
    rng = random.Random(5)
    labels = [f"intent {number}" for number in range(70)]
    rows: list[Row] = [
        ({label: rng.gauss(-4, 1) for label in labels}, labels[number % 70])
        for number in range(140)
    ]
    assert set(fit_bias(rows)) == set(labels)


def step(path: str, output: str, scores: Mapping[str, float]) -> Step:
    return Step(
        path=path,
        inputs={},
        outputs={"label": output},
        prompt="",
        answer=output,
        scores={"label": scores},
        usage=Usage(),
    )


def outcome(score: float, *steps: Step) -> Scored:
    return Scored(Score(score), Prediction({}, steps))


def test_the_right_label_is_the_examples_or_that_of_a_trace_that_passed() -> None:
    program = one_step()
    red_always = {"red": -0.1, "green": -3.0, "blue": -3.0}
    labelled = [
        (
            Example({"message": str(number), "label": "blue"}),
            outcome(0.0, step("classify", "red", red_always)),
        )
        for number in range(20)
    ]
    state = calibrated(program, program.candidate(), labelled).states["classify"]
    assert state.calibration["label"]["blue"] > 1
    unlabelled = [
        (Example({"message": str(number)}), found) for number, (_, found) in enumerate(labelled)
    ]
    assert calibrated(program, program.candidate(), unlabelled) == program.candidate()
    passed = [
        (Example({"message": str(number)}), outcome(1.0, step("classify", "blue", red_always)))
        for number in range(20)
    ]
    state = calibrated(program, program.candidate(), passed).states["classify"]
    assert state.calibration["label"]["blue"] > 1


def test_only_enum_outputs_of_a_model_that_scores_them_are_calibrated() -> None:
    scoring, writing = Runtime(lm=scores(learner, {})), Runtime(lm=writes(learner))
    thinking = Program.of(chain_of_thought(f"message -> label: {ENUM}"), "think")
    assert scored_fields(one_step(), scoring) == {"classify": ("label",)}
    assert scored_fields(thinking, scoring) == {"think": ("label",)}
    assert scored_fields(two_steps(), scoring) == {"classify": ("label",)}
    assert scored_fields(one_step(), writing) == {}
    assert scored_fields(one_step(), Runtime(lm=scores(learner, {}), format="chat")) == {}


BIASED = {"red": 2.0, "green": -1.0, "blue": 0.0}


def test_calibration_lifts_a_model_with_favourites() -> None:
    def compile_with(calibrate: bool) -> float:
        world = make_world(
            scores(lambda prompt: gold(prompt.inputs[-1]), BIASED), compiler="labeled"
        )
        events = run(with_params(world.task, calibrate=calibrate))
        return next(
            event.value or 0.0
            for event in events
            if isinstance(event, CandidateScored) and event.number == 1
        )

    assert compile_with(False) == pytest.approx(1 / 3)
    assert compile_with(True) == 1.0


def test_it_uses_only_training_examples_that_are_nobodys_demo_and_in_no_other_split() -> None:
    shared = make_examples(0, 6)
    dev = [*shared, *make_examples(100, 24)]
    world = make_world(scores(learner, BIASED), compiler="random-search", dev=dev)
    events = run(world.task)
    used: dict[int, list[str]] = {}
    for event in events:
        if isinstance(event, ExampleScored) and event.part == "train":
            used.setdefault(event.number, []).append(event.example)
    train = {example.id for example in world.task.train}
    made: dict[int, Candidate] = {
        event.number: event.candidate
        for event in events
        if isinstance(event, CandidateMade) and not event.parents
    }
    assert set(used) == set(made) - {0}
    for number, examples in used.items():
        assert set(examples) <= train - {example.id for example in shared}
        assert not set(examples) & made[number].demo_sources
        assert Counter(examples).most_common(1)[0][1] == 1


def test_in_the_end_the_winner_is_fitted_on_all_that_it_was_scored_on_but_test() -> None:
    world = make_world(scores(learner, BIASED, noise=1.0), compiler="labeled")
    events = run(world.task)
    *_, winner, fitted = [event for event in events if isinstance(event, CandidateMade)]
    assert fitted.parents == (winner.number,)
    assert result_of(events).candidate == fitted.candidate
    before, after = (made.candidate.states["classify"] for made in (winner, fitted))
    assert after.demos == before.demos
    assert after.calibration != before.calibration
    seen = {
        event.example
        for event in events
        if isinstance(event, ExampleScored) and event.number == 1 and event.part != "test"
    }
    assert fitted.origin.endswith(f"in the end on {len(seen)}")
    assert {example.id for example in world.task.dev} < seen


def test_the_result_carries_its_calibration() -> None:
    world = make_world(scores(learner, BIASED), compiler="labeled")
    events = run(world.task)
    bias = result_of(events).candidate.states["classify"].calibration["label"]
    assert bias["red"] < bias["blue"] < bias["green"]
