"""Ensembles of a search's best candidates: who is in, what it costs, what wins."""

from __future__ import annotations

import asyncio

import pytest

from studio.engine.compilers import compile_program
from studio.engine.compilers.base import Situation
from studio.engine.compilers.ensemble import ENSEMBLE, EnsembleParams
from studio.engine.compilers.events import (
    CandidateMade,
    CandidateScored,
    Event,
    ExampleScored,
    Planned,
    TraceTried,
)
from studio.engine.ensembles import Ensemble
from studio.engine.errors import LMRefused
from studio.engine.example import Candidate
from studio.engine.lm.prompt_reader import Prompt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Request
from studio.engine.runtime import Runtime
from studio.engine.saving.programs import dump_state, load_state
from tests.engine.compilers.builders import (
    LABELS,
    World,
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
    writes,
)


def independent(prompt: Prompt) -> str:
    """Right three times in four with demos, and other demos make it right elsewhere."""
    text, shown = prompt.inputs[-1], [demo.text for demo in prompt.demos]
    right = chance("independent", text, shown) < (0.75 if shown else 0.3)
    return gold(text) if right else LABELS[(LABELS.index(gold(text)) + 1) % 3]


def world_of(**changes: object) -> World:
    changes = {"dev": make_examples(100, 60), "test": make_examples(200, 90), **changes}
    lm = changes.pop("lm", None) or writes(independent)
    return make_world(lm, compiler="ensemble", **changes)  # type: ignore[arg-type]


def made_in(events: list[Event]) -> list[CandidateMade]:
    return [event for event in events if isinstance(event, CandidateMade)]


def ensembles_in(events: list[Event]) -> list[CandidateMade]:
    return [event for event in made_in(events) if event.candidate.members]


def test_three_and_five_of_the_best_candidates_answer_together() -> None:
    events = run(world_of(params={"candidates": 6}).task)
    three, five = ensembles_in(events)
    made = {event.number: event.candidate for event in made_in(events)}
    for event, size in ((three, 3), (five, 5)):
        assert len(event.parents) == size
        assert event.candidate == Candidate.ensemble([made[number] for number in event.parents])
        listed = ", ".join(map(str, event.parents))
        assert event.origin == f"majority of the candidates {listed}"
    assert five.parents[:3] == three.parents
    scored = {e.number: e for e in events if isinstance(e, CandidateScored)}
    dropped = {number for number, event in scored.items() if event.dropped}
    assert not dropped & set(three.parents[:2])


def test_members_that_err_independently_are_better_together() -> None:
    world = world_of(params={"candidates": 6})
    events = run(world.task)
    result = result_of(events)
    assert len(result.candidate.members) >= 3
    assert result.improved
    assert f"every question is asked {len(result.candidate.members)} times" in result.note
    best = max(
        event.value or 0.0
        for event in events
        if isinstance(event, CandidateScored) and event.number < len(made_in(events)) - 2
    )
    ensemble = [e for e in events if isinstance(e, CandidateScored)][-2:]
    assert max(event.value or 0.0 for event in ensemble) > best


def test_what_members_answered_before_is_not_asked_again() -> None:
    world = world_of(params={"candidates": 3})
    events = run(world.task)
    singles = {event.candidate.hash for event in made_in(events) if not event.candidate.members}
    asked = {
        (event.candidate, event.example)
        for event in events
        if isinstance(event, ExampleScored) and event.candidate in singles
    }
    tried = sum(isinstance(event, TraceTried) for event in events)
    together = [
        event
        for event in events
        if isinstance(event, ExampleScored) and event.candidate not in singles
    ]
    assert {event.part for event in together} >= {"dev"}
    size = len(result_of(events).candidate.members)
    confirmed = size * sum(event.part == "test" for event in together)
    assert world.calls == len(asked) + tried + confirmed


@pytest.mark.parametrize("mind", ["writes", "scores"])
def test_stored_answers_come_to_what_the_ensemble_itself_answers(mind: str) -> None:
    lm = writes(independent) if mind == "writes" else scores(independent, {"red": 0.5}, noise=1.5)
    world = world_of(lm=lm)
    events = run(world.task)
    by_id = {example.id: example for example in world.task.dev}
    looked = 0
    for event in ensembles_in(events):
        program = world.task.program.apply(event.candidate)
        assert isinstance(program, Ensemble)
        for (hash_, example), scored in world.ledger.scores.items():
            if hash_ == event.candidate.hash and example in by_id:
                asked = program(by_id[example].values, Runtime(lm=lm))
                fresh = asyncio.run(asked)
                assert scored.prediction == fresh
                assert scored.calls == 0
                looked += 1
    assert looked > 60


def test_an_answer_that_no_member_has_scores_nothing_and_says_why() -> None:
    mind = writes(independent)

    def answer(request: Request) -> object:
        refused = "number 107" in request.messages[-1].content
        return LMRefused() if refused else mind._answer(request)

    events = run(world_of(lm=ScriptedLM(answer)).task)  # type: ignore[arg-type]
    hashes = {event.candidate.hash for event in ensembles_in(events)}
    told = [
        event
        for event in events
        if isinstance(event, ExampleScored) and event.candidate in hashes and event.value == 0.0
    ]
    assert any("declined" in event.reason for event in told)


def test_one_that_is_no_better_than_its_best_member_is_not_taken() -> None:
    result = result_of(run(world_of(lm=writes(spoiled)).task))
    assert result.number == 0
    assert "ensemble" not in result.note


def test_steps_of_all_members_are_set() -> None:
    world = world_of(program=two_steps())
    events = run(world.task)
    for event in ensembles_in(events):
        program = world.task.program.apply(event.candidate)
        assert set(program.predictors) == set(event.candidate.states)
        assert "1/shorten" in program.predictors


def test_the_result_is_saved_and_read_back() -> None:
    world = world_of()
    candidate = result_of(run(world.task)).candidate
    assert candidate.members
    loaded = load_state(world.task.program, dump_state(world.task.program, candidate))
    assert loaded.candidate() == candidate
    inputs = {"message": "message number 777"}
    one = asyncio.run(loaded(inputs, world.task.runtime))
    two = asyncio.run(world.task.program.apply(candidate)(inputs, world.task.runtime))
    assert one == two


def test_too_few_candidates_make_no_ensemble() -> None:
    events = run(world_of(params={"candidates": 0, "max_bootstrapped": 0, "max_labeled": 0}).task)
    assert not ensembles_in(events)


def test_members_keep_their_calibration_and_none_is_fitted_for_them_together() -> None:
    world = world_of(lm=scores(learner, {"red": 1.5}, noise=0.5))
    events = run(world.task)
    made = {event.number: event.candidate for event in made_in(events)}
    for event in ensembles_in(events):
        for number, member in zip(event.parents, event.candidate.members.values(), strict=True):
            assert member == made[number]
    hashes = {event.candidate.hash for event in ensembles_in(events)}
    assert not any(
        event.candidate in hashes
        for event in events
        if isinstance(event, ExampleScored) and event.part == "train"
    )


def test_the_plan_counts_the_ensembles_and_that_a_winner_is_confirmed_by_all_members() -> None:
    params = EnsembleParams(candidates=6, members=7)
    plan = ENSEMBLE.plan(params, Situation(train=100, dev=50, test=40))
    assert plan.races == (8, 3)
    assert plan.calibrations == 8
    assert plan.runs == (0, 80, 240)

    async def first() -> Event:
        world = world_of(params={"candidates": 6, "members": 7})
        events = compile_program(world.task)
        planned = await anext(events)
        await events.aclose()
        return planned

    planned = asyncio.run(first())
    assert isinstance(planned, Planned)
    assert planned.candidates == 12
