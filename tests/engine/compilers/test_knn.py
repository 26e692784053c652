"""Nearest demos: the pool, how many a question sees, what they are calibrated on."""

from __future__ import annotations

import asyncio

import pytest

from studio.engine.compilers.base import Situation
from studio.engine.compilers.events import (
    CandidateMade,
    CandidateScored,
    Event,
    ExampleScored,
    TraceTried,
)
from studio.engine.compilers.knn import KNN, KnnParams
from studio.engine.example import Example
from studio.engine.lm.prompt_reader import Prompt
from studio.engine.modules import Predict, chain_of_thought
from studio.engine.program import Program
from studio.engine.saving.programs import dump_state, load_state
from tests.engine.compilers.builders import (
    ENUM,
    LABELS,
    World,
    copier,
    learner,
    make_examples,
    make_world,
    result_of,
    run,
    scores,
    two_steps,
    writes,
)

TOPICS = {
    "red": ("rose", "blood", "tomato", "ruby", "cherry"),
    "green": ("grass", "frog", "emerald", "spinach", "leaf"),
    "blue": ("sea", "sky", "sapphire", "whale", "ink"),
}


def about(start: int, count: int) -> list[Example]:
    """Messages about something of one colour: the same few things come again and again."""
    return [
        Example(
            {
                "message": f"{TOPICS[label][number // 3 % 5]} number {number}",
                "label": label,
            }
        )
        for number in range(start, start + count)
        for label in [LABELS[number % 3]]
    ]


def last_demo(prompt: Prompt) -> str:
    """Says what the demo next to the question says."""
    return prompt.demos[-1].outputs["label"] if prompt.demos else LABELS[0]


def world_of(mind: object = learner, **changes: object) -> World:
    return make_world(writes(mind), compiler="knn", **changes)  # type: ignore[arg-type]


def made_in(events: list[Event]) -> list[CandidateMade]:
    return [event for event in events if isinstance(event, CandidateMade)]


def test_each_number_of_demos_is_a_candidate_with_all_training_examples() -> None:
    world = world_of(params={"nearest": 12, "sizes": 3})
    made = made_in(run(world.task))
    assert [event.origin for event in made] == [
        "uncompiled",
        "the 12 nearest of 30 demos",
        "the 6 nearest of 30 demos",
        "the 3 nearest of 30 demos",
    ]
    states = [event.candidate.states["classify"] for event in made[1:]]
    assert [state.nearest for state in states] == [12, 6, 3]
    for state in states:
        assert {demo.source for demo in state.demos} == {item.id for item in world.task.train}
        assert not any(demo.bootstrapped for demo in state.demos)


def test_a_question_sees_those_that_are_most_like_it() -> None:
    train, dev, test = about(0, 60), about(100, 30), about(200, 40)
    world = world_of(last_demo, train=train, dev=dev, test=test)
    result = result_of(run(world.task))
    assert result.improved
    assert result.compiled == 1.0
    # The same demos for everybody say nothing to this model.
    fixed = make_world(writes(last_demo), compiler="labeled", train=train, dev=dev, test=test)
    assert not result_of(run(fixed.task)).improved


def test_a_model_that_only_copies_gains_nothing() -> None:
    world = world_of(copier, train=make_examples(0, 120), dev=make_examples(300, 90))
    scored = [event for event in run(world.task) if isinstance(event, CandidateScored)]
    assert len(scored) > 1
    for event in scored:
        assert event.value is not None
        assert event.value < 0.5


def test_dev_examples_are_no_demos_as_long_as_others_are_there() -> None:
    train = make_examples(0, 60)
    world = world_of(train=train, dev=train[:20])
    events = run(world.task)
    sources = {demo.source for demo in made_in(events)[1].candidate.states["classify"].demos}
    assert sources == {example.id for example in train[20:]}
    assert all(event.own == 0 for event in events if isinstance(event, CandidateScored))


def test_when_all_are_dev_examples_half_of_them_are_demos() -> None:
    train = make_examples(0, 30)
    events = run(world_of(train=train, dev=train).task)
    scored = [event for event in events if isinstance(event, CandidateScored)]
    assert [len(event.candidate.states["classify"].demos) for event in made_in(events)][1:]
    assert all(len(e.candidate.states["classify"].demos) == 15 for e in made_in(events)[1:])
    assert {event.own for event in scored if event.number} == {15}


def test_the_pool_is_bounded_and_balanced() -> None:
    events = run(world_of(train=make_examples(0, 90), params={"max_demos": 12}).task)
    demos = made_in(events)[1].candidate.states["classify"].demos
    assert len(demos) == 12
    labels = [demo.values["label"] for demo in demos]
    assert {label: labels.count(label) for label in LABELS} == dict.fromkeys(LABELS, 4)


def test_sizes_beyond_the_pool_are_one() -> None:
    events = run(world_of(train=make_examples(0, 2)).task)
    origins = [event.origin for event in made_in(events)]
    assert origins == ["uncompiled", "the 2 nearest of 2 demos", "the 1 nearest of 2 demos"]


def test_nothing_is_bootstrapped_where_labels_are_enough() -> None:
    for program in (
        Program.of(Predict.of(f"message -> label: {ENUM}"), "classify"),
        Program.of(chain_of_thought(f"message -> label: {ENUM}"), "classify"),
    ):
        events = run(world_of(program=program).task)
        assert not any(isinstance(event, TraceTried) for event in events)


def test_steps_without_labels_have_demos_from_traces() -> None:
    world = world_of(program=two_steps(), params={"max_traces": 5, "nearest": 4})
    events = run(world.task)
    tried = [event for event in events if isinstance(event, TraceTried)]
    assert len({event.example for event in tried}) == len(tried)
    states = made_in(events)[1].candidate.states
    found = {path: {demo.source for demo in state.demos} for path, state in states.items()}
    assert len(found["shorten"]) >= 5
    assert found["shorten"] == found["classify"] == {e.example for e in tried if e.passed}
    assert all(state.nearest == 4 for state in states.values())


def test_a_step_with_labels_keeps_them_beside_one_without() -> None:
    train = [
        Example({**example.values, "summary": f"short {example.values['message']}"})
        for example in make_examples(0, 30)
    ]
    events = run(world_of(program=two_steps(), train=train).task)
    assert not any(isinstance(event, TraceTried) for event in events)
    states = made_in(events)[1].candidate.states
    assert [len(state.demos) for state in states.values()] == [30, 30]


def test_biases_are_fitted_on_examples_that_are_out_of_sight_and_then_become_demos() -> None:
    bias = {"red": 2.0, "green": 0.0, "blue": 0.0}
    world = make_world(scores(learner, bias, noise=0.5), compiler="knn", train=about(0, 60))
    events = run(world.task)
    made = made_in(events)[1:]
    for event in made:
        state = event.candidate.states["classify"]
        assert len(state.demos) == 60
        assert state.calibration["label"]["red"] < -0.5
    train = {example.id for example in world.task.train}
    fitted = [e for e in events if isinstance(e, ExampleScored) and e.part == "train"]
    assert {e.example for e in fitted} <= train
    assert len(fitted) == 3 * 30
    assert not {e.candidate for e in fitted} & {e.candidate.hash for e in made}


@pytest.mark.parametrize("params", [{"calibrate": False}, {"calibration_examples": 5}])
def test_too_few_examples_for_the_labels_fit_nothing(params: dict[str, object]) -> None:
    world = make_world(scores(learner, {}, noise=0.5), compiler="knn", params=params)
    for event in made_in(run(world.task)):
        assert not event.candidate.states["classify"].calibration


def test_examples_that_are_no_demos_are_what_is_calibrated_on() -> None:
    world = make_world(scores(learner, {"red": 2.0}), compiler="knn", params={"max_demos": 12})
    made = made_in(run(world.task))[1:]
    raced = [event.origin for event in made if not event.parents]
    assert raced
    assert all(origin.endswith("calibrated on 18 examples") for origin in raced)


def test_the_result_is_saved_and_read_back() -> None:
    world = world_of(last_demo, train=about(0, 60), dev=about(100, 30), test=about(200, 40))
    candidate = result_of(run(world.task)).candidate
    assert candidate.states["classify"].nearest
    program = load_state(world.task.program, dump_state(world.task.program, candidate))
    assert program.candidate() == candidate
    found = asyncio.run(program({"message": "a whale"}, world.task.runtime))
    assert found.values == {"label": "blue"}


def test_the_plan_counts_traces_only_for_several_steps() -> None:
    one = KNN.plan(KnnParams(), Situation(train=100, dev=50))
    assert (one.races, one.traces) == ((3,), (0, 0, 0))
    two = KNN.plan(KnnParams(nearest=2, sizes=5), Situation(train=100, dev=50, predictors=2))
    assert two.races == (2,)
    assert 0 < two.traces[0] <= two.traces[1] <= two.traces[2]
