"""One compiler after another: what the second one starts from, and what is refused."""

from __future__ import annotations

import pytest

from studio.engine.compilers import COMPILERS
from studio.engine.compilers.base import PRESETS, Situation
from studio.engine.compilers.chain import THEN, ThenParams
from studio.engine.compilers.events import CandidateMade, Event, ExampleScored
from studio.engine.errors import CompileError, EngineError
from studio.engine.params import read_params
from tests.engine.compilers.builders import (
    World,
    learner,
    make_examples,
    make_world,
    result_of,
    run,
    scores,
    spoiled,
    writes,
)


def world_of(*names: str, mind: object = learner, **params: object) -> World:
    places = ("first", "second", "third")
    chosen = dict(zip(places, names, strict=False))
    light = {f"{place}_preset": "light" for place in places}
    return make_world(
        writes(mind),  # type: ignore[arg-type]
        compiler="then",
        params={**light, **chosen, **params},
    )


def made_in(events: list[Event]) -> list[CandidateMade]:
    return [event for event in events if isinstance(event, CandidateMade)]


def test_the_second_compiler_improves_what_the_first_one_found() -> None:
    events = run(world_of("knn", "instructions").task)
    made = made_in(events)
    after = [event for event in made if not event.origin.startswith(("uncompiled", "the "))]
    assert after
    for event in after:
        state = event.candidate.states["classify"]
        assert state.nearest
        assert len(state.demos) == 30
    assert len({event.candidate.states["classify"].instruction for event in after}) > 1


def test_a_third_one_may_follow() -> None:
    events = run(world_of("labeled", "bootstrap", "ensemble").task)
    origins = [event.origin for event in made_in(events)]
    assert origins[:2] == ["uncompiled", "labelled demos"]
    assert "bootstrapped and" in origins[2]
    assert origins[-1].startswith("majority of the candidates")


def test_demos_of_the_first_one_make_room_for_those_of_the_second() -> None:
    made = made_in(run(world_of("knn", "labeled").task))
    last = made[-1].candidate.states["classify"]
    assert made[-1].origin == "labelled demos"
    assert (last.nearest, len(last.demos)) == (0, 8)


def test_all_stages_are_one_search() -> None:
    world = world_of("bootstrap", "random-search")
    events = run(world.task)
    numbers = [event.number for event in made_in(events)]
    assert numbers == list(range(len(numbers)))
    hashes = [event.candidate.hash for event in made_in(events)]
    assert len(set(hashes)) == len(hashes)
    runs = [
        (event.candidate, event.example) for event in events if isinstance(event, ExampleScored)
    ]
    uncompiled = [key for key in runs if key[0] == hashes[0]]
    assert len(uncompiled) == len(set(uncompiled))


def test_the_report_says_what_each_stage_came_to() -> None:
    note = result_of(run(world_of("labeled", "bootstrap").task)).note
    assert "After “labeled” the best candidate was number 1 (labelled demos)." in note
    assert "After “bootstrap” the best candidate was number" in note


def test_when_nothing_helps_each_starts_from_the_program_as_it_is() -> None:
    world = world_of("labeled", "instructions", mind=spoiled)
    events = run(world.task)
    assert result_of(events).number == 0
    later = made_in(events)[2:]
    assert later
    assert not any(event.candidate.states["classify"].demos for event in later)


def test_calibration_is_set_for_all_stages() -> None:
    params = {"first": "labeled", "second": "bootstrap", "calibrate": False}
    lm = scores(learner, {"red": 2.0})
    events = run(make_world(lm, compiler="then", params=params).task)
    assert not any(event.candidate.states["classify"].calibration for event in made_in(events))


def test_dev_examples_are_set_for_all_stages() -> None:
    events = run(world_of("labeled", "random-search", dev_limit=9).task)
    scored = {
        event.example
        for event in events
        if isinstance(event, ExampleScored) and event.part == "dev"
    }
    assert len(scored) == 9


def test_an_ensemble_is_the_last_one_or_refused() -> None:
    with pytest.raises(CompileError, match="Choose it as the last one"):
        run(world_of("ensemble", "labeled").task)
    with pytest.raises(CompileError, match="Choose it as the last one"):
        run(world_of("labeled", "ensemble", "knn").task)
    with pytest.raises(CompileError, match="Choose it as the last one"):
        THEN.plan(ThenParams(first="ensemble"), Situation(train=10, dev=10))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"first": "then"}, "First compiler: 'then' is none of"),
        ({"second": "magic"}, "Second compiler: 'magic' is none of.*random-search"),
        ({"first": ""}, "First compiler: '' is none of"),
        ({"third": "none"}, "Third compiler: 'none' is none of"),
        ({"second_preset": "huge"}, "Second compiler's preset: 'huge' is none of light, medium"),
    ],
)
def test_other_names_are_refused_with_those_that_are_known(
    values: dict[str, str], words: str
) -> None:
    with pytest.raises(EngineError, match=words):
        read_params(ThenParams, values)


def test_every_other_compiler_may_be_chosen() -> None:
    for name in COMPILERS:
        if name != "then":
            assert read_params(ThenParams, {"first": name, "third": name}).first == name
    assert read_params(ThenParams, {"third": ""}).third == ""


@pytest.mark.parametrize("preset", PRESETS)
def test_the_plan_is_the_sum_of_the_plans(preset: str) -> None:
    situation = Situation(train=80, dev=60, test=40, calibrates=True)
    params = ThenParams(
        first="bootstrap",
        first_preset=preset,
        second="knn",
        second_preset=preset,
        third="ensemble",
        third_preset=preset,
    )
    common = {"calibrate": True, "calibration_examples": 40, "dev_limit": 60}
    kinds = [COMPILERS[name] for name in ("bootstrap", "knn", "ensemble")]
    plans = [
        kind.plan(read_params(kind.params, {**kind.presets[preset], **common}), situation)  # type: ignore[index]
        for kind in kinds
    ]
    plan = THEN.plan(params, situation)
    assert plan.races == tuple(count for one in plans for count in one.races)
    assert plan.calibrations == 2 + sum(plans[1].races) + (plans[2].calibrations or 0)
    for name in ("traces", "runs", "asks"):
        parts = [getattr(one, name) for one in plans]
        assert getattr(plan, name) == tuple(map(sum, zip(*parts, strict=True)))


def test_more_dev_examples_than_there_are_is_all() -> None:
    world = make_world(
        writes(learner),
        compiler="then",
        dev=make_examples(100, 18),
        params={"first": "labeled", "second": "labeled", "dev_limit": 500},
    )
    assert result_of(run(world.task)).confirmed_on == 40
