"""Random search: what it makes, what it drops, what it spares."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from studio.engine.compilers.base import Situation
from studio.engine.compilers.events import (
    CandidateMade,
    CandidateScored,
    Event,
    ExampleScored,
    Finished,
    Planned,
    TraceTried,
)
from studio.engine.compilers.random_search import RANDOM_SEARCH, RandomSearchParams
from studio.engine.example import Candidate, Demo, Example
from studio.engine.lm.prompt_reader import Prompt
from tests.engine.compilers.builders import (
    LABELS,
    chance,
    gold,
    learner,
    make_examples,
    make_world,
    result_of,
    run,
    scores,
    spoiled,
    two_steps,
    with_params,
    writes,
)


def made_in(events: list[Event]) -> list[CandidateMade]:
    return [event for event in events if isinstance(event, CandidateMade)]


def test_uncompiled_then_labelled_then_bootstrapped_then_random_ones() -> None:
    world = make_world(writes(learner), params={"candidates": 5})
    made = made_in(run(world.task))
    assert [event.number for event in made] == list(range(8))
    assert made[0].candidate == world.task.program.candidate()
    assert made[0].origin == "uncompiled"
    assert made[1].origin == "labelled demos"
    demos = [event.candidate.states["classify"].demos for event in made]
    assert not any(demo.bootstrapped for demo in demos[1])
    assert sum(demo.bootstrapped for demo in demos[2]) == 4
    assert made[2].origin == "4 bootstrapped and 11 labelled demos"
    assert len({len(shown) for shown in demos[3:]}) > 1


def test_bootstrapped_demos_of_the_first_set_keep_the_order_of_the_dataset() -> None:
    world = make_world(writes(learner))
    order = [example.id for example in world.task.train]
    demos = made_in(run(world.task))[2].candidate.states["classify"].demos
    places = [order.index(demo.source) for demo in demos if demo.bootstrapped]
    assert places == sorted(places)


def test_demos_show_each_label_about_equally_often() -> None:
    labels = ["red"] * 40 + ["green"] * 12 + ["blue"] * 12
    train = [
        Example({"message": f"note {number}", "label": label})
        for number, label in enumerate(labels)
    ]
    world = make_world(writes(lambda prompt: "red"), train=train, params={"max_labeled": 9})
    events = run(world.task)
    counts = Counter(
        str(demo.values["label"]) for demo in made_in(events)[1].candidate.states["classify"].demos
    )
    assert counts == dict.fromkeys(LABELS, 3)
    # The model only gets red right, so the labelled demos make up for it.
    second = made_in(events)[2].candidate.states["classify"].demos
    counts = Counter(str(demo.values["label"]) for demo in second)
    assert counts["red"] == 5
    assert counts["green"] == counts["blue"] == 4


def test_bootstrapped_demos_are_answers_that_the_metric_liked() -> None:
    world = make_world(writes(learner), params={"max_labeled": 0})
    by_id = {example.id: example for example in world.task.train}
    for made in made_in(run(world.task))[1:]:
        for demo in made.candidate.states["classify"].demos:
            assert demo.bootstrapped
            assert demo.values["label"] == by_id[demo.source].values["label"]
            assert demo.reason.endswith("as expected")


def test_the_pool_tries_each_example_once_and_stops_when_it_has_enough() -> None:
    world = make_world(
        writes(lambda prompt: gold(prompt.inputs[-1])), train=make_examples(0, 90), seed=2
    )
    tried = [event for event in run(world.task) if isinstance(event, TraceTried)]
    assert len({event.example for event in tried}) == len(tried) == 16
    assert tried[-1].found == tried[-1].wanted == 16


def test_another_round_gives_the_failures_another_try() -> None:
    def moody(prompt: Prompt) -> str:
        return LABELS[0]

    world = make_world(writes(moody), params={"rounds": 2})
    tried = [event for event in run(world.task) if isinstance(event, TraceTried)]
    first = {event.example for event in tried if event.round == 0 and not event.passed}
    second = {event.example for event in tried if event.round == 1}
    assert second == first
    assert any(request.temperature == 1.0 for request in world.lm.requests)


def test_a_candidate_that_cannot_win_any_more_is_dropped_and_that_is_told() -> None:
    def sharp_then_blind(prompt: Prompt) -> str:
        text = prompt.inputs[-1]
        right = len(prompt.demos) >= 15 and chance(text) < 0.97
        return gold(text) if right else "red"

    world = make_world(
        writes(sharp_then_blind),
        dev=make_examples(100, 90),
        params={"max_labeled": 15, "max_bootstrapped": 1, "candidates": 6},
    )
    events = run(world.task)
    scored = [event for event in events if isinstance(event, CandidateScored)]
    dropped = [event for event in scored if event.dropped]
    assert dropped
    for event in dropped:
        assert 12 <= event.scored_on < 90
        assert not event.best
        assert event.note.startswith(f"dropped after {event.scored_on} examples: ")
    assert any("would hardly have caught up" in event.note for event in dropped)
    # Who is left at the end has seen everything, and the best of them has won.
    best = max(
        (event for event in scored if not event.dropped), key=lambda event: event.value or 0.0
    )
    assert result_of(events).candidate.hash == best.candidate


def test_training_examples_that_nobody_shows_decide_when_dev_does_not() -> None:
    def alike(prompt: Prompt) -> str:
        text = prompt.inputs[-1]
        sources = tuple(sorted(demo.text for demo in prompt.demos))
        right = bool(sources) and chance(sources, text) < 0.7
        return gold(text) if right else "red"

    world = make_world(
        writes(alike),
        train=make_examples(1000, 120),
        dev=make_examples(100, 60),
        params={"candidates": 4},
    )
    events = run(world.task)
    extra = [
        event for event in events if isinstance(event, ExampleScored) if event.part == "train"
    ]
    assert extra
    assert len({event.number for event in extra}) <= 3
    assert len({event.example for event in extra}) <= 40
    shown = {made.number: made.candidate.demo_sources for made in made_in(events)}
    assert not any(event.example in shown[event.number] for event in extra)
    scored = {event.number: event for event in events if isinstance(event, CandidateScored)}
    # What is told of a candidate is told of dev.
    assert all(scored[event.number].scored_on == 60 for event in extra)


def test_dev_limit_takes_the_same_beginning_for_everybody() -> None:
    world = make_world(writes(learner))
    events = run(with_params(world.task, dev_limit=9))
    assert {event.scored_on for event in events if isinstance(event, CandidateScored)} == {9}
    plan = events[0]
    assert isinstance(plan, Planned)
    assert plan.dev == 9


def test_without_demos_of_any_kind_the_program_stays_as_it_is() -> None:
    world = make_world(writes(learner), params={"max_labeled": 0, "max_bootstrapped": 0})
    events = run(world.task)
    assert len(made_in(events)) == 1
    assert not result_of(events).improved


def test_two_steps_without_a_label_for_the_first_one_learn_both() -> None:
    world = make_world(writes(learner), program=two_steps())
    events = run(world.task)
    last = events[-1]
    assert isinstance(last, Finished)
    states = made_in(events)[-1].candidate.states
    assert [demo.source for demo in states["shorten"].demos] == [
        demo.source for demo in states["classify"].demos if demo.bootstrapped
    ]


def test_a_winner_on_dev_that_is_worse_held_out_is_not_taken() -> None:
    def lucky_on_dev(prompt: Prompt) -> str:
        text = prompt.inputs[-1]
        on_dev = "number 1" in text and len(text) == len("message number 100")
        return gold(text) if bool(prompt.demos) == on_dev else "red"

    world = make_world(writes(lucky_on_dev), compiler="labeled")
    result = result_of(run(world.task))
    assert result.confirmation.verdict == "worse"
    assert not result.improved
    assert result.candidate == world.task.program.candidate()
    assert "was worse on 40 held-out examples" in result.note


def test_a_small_gain_is_called_what_it_is() -> None:
    def hardly(prompt: Prompt) -> str:
        text = prompt.inputs[-1]
        return gold(text) if chance(text) < 0.5 + 0.06 * bool(prompt.demos) else "red"

    world = make_world(writes(hardly), dev=make_examples(100, 90), compiler="labeled")
    result = result_of(run(world.task))
    assert result.number == 1
    assert result.confirmation.verdict == "not distinguishable"
    assert not result.improved
    assert "cannot be told from the uncompiled program" in result.note


def test_where_labels_are_scored_calibrating_alone_is_in_the_race() -> None:
    lm = scores(lambda prompt: gold(prompt.inputs[-1]), {"red": 2.0})
    world = make_world(lm)
    made = made_in(run(world.task))
    assert made[2].origin == "no demos, calibrated on 30 examples"
    state = made[2].candidate.states["classify"]
    assert not state.demos
    assert state.calibration["label"]["red"] < 0
    assert (
        len([event for event in made if not event.parents])
        == 1
        + RANDOM_SEARCH.plan(
            RandomSearchParams(), Situation(train=30, dev=24, calibrates=True)
        ).races[0]
    )
    for other in (with_params(world.task, calibrate=False), make_world(writes(learner)).task):
        assert not any(event.origin.startswith("no demos") for event in made_in(run(other)))


def test_the_start_is_without_its_demos_there() -> None:
    world = make_world(scores(spoiled, {"red": 0.5}, noise=0.2))
    state = world.task.program.candidate().states["classify"]
    demos = tuple(Demo(values=dict(example.values)) for example in make_examples(500, 3))
    start = Candidate({"classify": replace(state, instruction="Look.", demos=demos, nearest=2)})
    made = made_in(run(replace(world.task, start=start)))
    bare = next(event for event in made if event.origin.startswith("no demos"))
    found = bare.candidate.states["classify"]
    assert (found.instruction, found.demos, found.nearest) == ("Look.", (), 0)


def test_a_program_that_gets_worse_with_demos_is_left_alone() -> None:
    assert result_of(run(make_world(writes(spoiled)).task)).number == 0
