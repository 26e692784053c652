"""Joint search: the demos and the instruction that are best together are found, for few runs."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from studio.engine.compilers import COMPILERS
from studio.engine.compilers.base import Situation
from studio.engine.compilers.events import (
    Asked,
    CandidateMade,
    CandidateScored,
    Event,
    ExampleScored,
    TraceTried,
)
from studio.engine.compilers.sampler import BATCH, Sampler
from studio.engine.example import Candidate
from studio.engine.lm.prompt_reader import Prompt, read_prompt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Request
from studio.engine.params import read_params
from studio.engine.program import Program
from studio.engine.runtime import Runtime
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
    two_steps,
    writes,
)
from tests.engine.compilers.test_instructions import (
    GOOD,
    OTHERS,
    RUBBISH,
    AnswersOnce,
    Proposes,
    by_rollout,
    make,
)

ENOUGH = 6
"""Demos that `needs_both` needs."""


def needs_both(prompt: Prompt, instruction: str) -> Mapping[str, str]:
    """Right with the good instruction and enough demos; either alone is no better than none."""
    text = prompt.inputs[-1]
    both = GOOD in instruction and len(prompt.demos) >= ENOUGH
    guess = LABELS[int(3 * chance("both", text, len(prompt.demos), instruction[:40]))]
    return {"label": gold(text) if both else guess, "summary": text}


def adds_up(prompt: Prompt, instruction: str) -> Mapping[str, str]:
    """Every demo helps, and so does the good instruction; both together help most."""
    text = prompt.inputs[-1]
    sure = 0.35 + 0.05 * min(6, len(prompt.demos)) + 0.3 * (GOOD in instruction)
    right = chance("adds up", text, len(prompt.demos), instruction[:60]) < sure
    label = gold(text) if right else LABELS[(LABELS.index(gold(text)) + 1) % 3]
    return {"label": label, "summary": text}


def world_of(
    says: Callable[[Prompt, str], Mapping[str, str]] = adds_up,
    proposes: Proposes | None = None,
    **changes: Any,
) -> tuple[World, ScriptedLM]:
    proposes = proposes or by_rollout((*OTHERS[:3], GOOD))
    return make(proposes, says, **{"compiler": "joint", **changes})


def dev_runs(events: list[Event]) -> list[tuple[str, str]]:
    """Every pair of candidate and dev example, once."""
    pairs = {
        (event.candidate, event.example): None
        for event in events
        if isinstance(event, ExampleScored) and event.part == "dev"
    }
    return list(pairs)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_finds_the_pair_of_which_either_part_alone_is_useless(seed: int) -> None:
    params = {"trials": 24, "max_bootstrapped": 0, "max_labeled": 8}
    world, _ = world_of(needs_both, seed=seed, params=params)
    result = result_of(run(world.task))
    state = result.candidate.states["classify"]
    assert state.instruction == GOOD
    assert len(state.demos) >= ENOUGH
    assert result.compiled == 1.0
    assert result.improved


def test_it_finds_what_adds_up_with_trials_for_a_part_of_all_pairs() -> None:
    params = {"trials": 12, "instructions": 6, "demo_sets": 6}
    found = []
    for seed in range(6):
        proposes = by_rollout((*OTHERS, GOOD))
        world, _ = world_of(
            adds_up, proposes, seed=seed, dev=make_examples(100, 60), params=params
        )
        state = result_of(run(world.task)).candidate.states["classify"]
        found.append(state.instruction == GOOD and len(state.demos) >= 4)
    assert sum(found) >= 4


def test_the_same_seed_gives_the_same_events_and_another_seed_others() -> None:
    def events(seed: int, concurrency: int) -> list[Event]:
        return run(world_of(seed=seed, concurrency=concurrency)[0].task)

    first = events(3, 8)
    assert events(3, 1) == first
    assert events(4, 8) != first


def test_the_proposer_gets_all_questions_and_the_student_none() -> None:
    world, proposer = world_of()
    events = run(world.task)
    opens = [read_prompt(request).open for request in proposer.requests]
    assert opens == [("description",)] * 2 + [("summary",)] + [("instruction",)] * 4
    assert {read_prompt(request).open for request in world.lm.requests} == {("label",)}
    asked = [event for event in events if isinstance(event, Asked)]
    assert len(asked) == 7
    assert {event.role for event in asked} == {"proposer"}


def test_program_and_steps_are_described_once_and_told_in_every_proposal() -> None:
    def says(request: Request) -> str:
        (name,) = read_prompt(request).open
        return {"summary": "SUMMED UP", "description": "DESCRIBED"}.get(
            name, f"Proposal {request.rollout}."
        )

    world, proposer = world_of(proposes=says, program=two_steps())
    run(world.task)
    opens = [read_prompt(request).open[0] for request in proposer.requests]
    assert opens.count("description") == 3
    assert opens.count("summary") == 1
    proposals = proposer.requests[opens.index("instruction") :]
    assert len(proposals) == 8
    for request in proposals:
        told = request.messages[-1].content
        assert "SUMMED UP" in told
        assert "DESCRIBED" in told


def test_a_step_in_the_middle_is_proposed_for_with_what_it_did() -> None:
    world, proposer = world_of(program=two_steps())
    run(world.task)
    told = [
        request.messages[-1].content
        for request in proposer.requests
        if read_prompt(request).open == ("instruction",)
        and "[[ ## step ## ]]\nshorten" in request.messages[-1].content
    ]
    assert any("\nsummary: message number" in text for text in told)


def test_it_runs_far_less_than_all_trials_on_all_examples() -> None:
    params = {"trials": 20, "instructions": 6, "demo_sets": 5, "minibatch": 24, "dev_limit": 0}
    dev = make_examples(100, 120)
    world, _ = world_of(proposes=by_rollout((*OTHERS, GOOD)), dev=dev, params=params)
    events = run(world.task)
    pairs = dev_runs(events)
    assert len({candidate for candidate, _ in pairs}) == 21
    assert len(pairs) < 0.5 * 21 * len(dev)
    # No pair was run twice: the ledger would have refused it.
    assert (
        len(world.ledger.scores)
        == len(pairs)
        + len(
            {
                event.example
                for event in events
                if isinstance(event, ExampleScored)
                if event.part == "test"
            }
        )
        * 2
    )


def test_all_trials_meet_the_same_dev_examples() -> None:
    params = {"minibatch": 10, "trials": 8, "finalists": 1, "dev_limit": 0}
    world, _ = world_of(dev=make_examples(100, 60), params=params)
    events = run(world.task)
    seen: dict[str, set[str]] = {}
    for candidate, example in dev_runs(events):
        seen.setdefault(candidate, set()).add(example)
    small = [examples for examples in seen.values() if len(examples) == 10]
    assert len(small) == 7
    assert all(examples == small[0] for examples in small)


def test_the_winner_was_raced_to_the_end() -> None:
    world, _ = world_of(dev=make_examples(100, 60), params={"minibatch": 12, "dev_limit": 0})
    events = run(world.task)
    result = result_of(events)
    scored = [event for event in events if isinstance(event, CandidateScored)]
    (winner,) = [event for event in scored if event.number == result.number]
    assert winner.scored_on == 60 - winner.own
    assert not winner.dropped
    assert len(scored) == 1 + 3


def test_with_no_demos_allowed_it_searches_instructions_alone() -> None:
    params = {"max_bootstrapped": 0, "max_labeled": 0}
    world, _ = make(by_rollout((*OTHERS[:3], GOOD)), compiler="joint", params=params)
    events = run(world.task)
    assert not any(isinstance(event, TraceTried) for event in events)
    made = [event for event in events if isinstance(event, CandidateMade)]
    assert all(not event.candidate.demo_sources for event in made)
    assert result_of(events).candidate.states["classify"].instruction == GOOD


def test_with_no_instructions_wanted_it_searches_demos_alone_and_asks_nobody() -> None:
    world, proposer = world_of(params={"instructions": 0})
    events = run(world.task)
    assert not proposer.requests
    assert result_of(events).candidate.states["classify"].instruction == ""
    assert result_of(events).candidate.demo_sources


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_a_proposer_that_answers_rubbish_leaves_a_search_over_demos(rubbish: str) -> None:
    world, _ = world_of(proposes=RUBBISH[rubbish])
    result = result_of(run(world.task))
    assert result.candidate.states["classify"].instruction == ""
    assert result.candidate.demo_sources
    assert "Demos alone were searched." in result.note


def test_a_proposer_that_keeps_to_no_layout_leaves_a_search_over_demos() -> None:
    broken = ScriptedLM(lambda request: "I would rather not.")
    world, _ = world_of(proposer=Runtime(lm=broken))
    result = result_of(run(world.task))
    assert result.candidate.demo_sources
    assert result.confirmed_on == 40


def test_after_a_restart_nothing_is_repeated() -> None:
    whole, first = world_of()
    expected = run(whole.task)
    again, second = world_of(ledger=whole.ledger)
    assert run(again.task) == expected
    assert first.requests
    assert not second.requests
    assert not again.lm.requests


def test_a_budget_that_ends_in_the_trials_leaves_the_leader_of_the_first_ones() -> None:
    params = {"trials": 40, "instructions": 8, "demo_sets": 8}
    proposes: Proposes = by_rollout((*OTHERS, GOOD, "Be brief.", "Hurry."))
    dev = make_examples(100, 48)
    whole, _ = world_of(adds_up, proposes, dev=dev, params=params)
    calls = result_of(run(whole.task)).calls
    short, _ = world_of(adds_up, proposes, dev=dev, params=params, max_calls=calls * 2 // 3)
    events = run(short.task)
    result = result_of(events)
    assert "budget" in result.note
    assert result.candidate != short.task.program.candidate()
    assert sum(isinstance(event, CandidateScored) for event in events) == 2


def test_what_is_improved_takes_part_where_labels_are_calibrated() -> None:
    bias = {"red": 3.0, "green": 0.0, "blue": -3.0}
    world = make_world(scores(learner, bias), compiler="joint", params={"trials": 4})
    events = run(world.task)
    origins = [event.origin for event in events if isinstance(event, CandidateMade)]
    assert origins[0] == "uncompiled"
    assert origins[1].startswith("demos and instructions as they were, calibrated on")
    assert result_of(events).candidate.states["classify"].calibration


def test_an_earlier_result_is_what_is_improved() -> None:
    world, _ = world_of(params={"instructions": 0, "trials": 4})
    before = result_of(run(world.task)).candidate
    start = Candidate(
        {path: replace(state, instruction="Be polite.") for path, state in before.states.items()}
    )
    world, _ = world_of(needs_both, by_rollout((GOOD,)), start=start)
    state = result_of(run(world.task)).candidate.states["classify"]
    assert state.instruction == GOOD


def test_optuna_is_loaded_when_it_is_needed_and_not_before() -> None:
    code = (
        "import sys; from studio.engine.compilers import COMPILERS, estimate, Sizes; "
        "estimate('joint', {}, Sizes(train=9, dev=9, test=9)); "
        "print(*sorted({'optuna', 'numpy'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert found.stdout.split() == []


def test_the_log_of_the_sampler_stays_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    import optuna

    level = optuna.logging.get_verbosity()
    disabled = logging.getLogger("optuna").disabled
    run(world_of()[0].task)
    assert optuna.logging.get_verbosity() == level
    assert logging.getLogger("optuna").disabled == disabled
    assert capfd.readouterr() == ("", "")


def test_the_sampler_turns_to_what_did_well() -> None:
    sampler = Sampler({"demos": 6, "step": 6}, seed=1)
    known: dict[tuple[int, ...], float | None] = {}

    def worth(choice: tuple[int, ...]) -> float:
        return 0.3 * (choice[0] == 2) + 0.3 * (choice[1] == 4)

    for number in range(6):
        known[number, number] = worth((number, number))
        sampler.tell((number, number), known[number, number])
    while len(known) < 18:
        batch = sampler.ask(18 - len(known), known)
        assert 0 < len(batch) <= BATCH
        assert not set(batch) & set(known)
        assert len(set(batch)) == len(batch)
        for choice in batch:
            known[choice] = worth(choice)
            sampler.tell(choice, known[choice])
    assert (2, 4) in known
    later = [choice for choice in list(known)[6:] if worth(choice) > 0]
    assert len(later) > 6


def test_the_sampler_ends_when_it_names_nothing_new() -> None:
    sampler = Sampler({"demos": 1, "step": 2}, seed=1)
    known: dict[tuple[int, ...], float | None] = {(0, 0): 0.0, (0, 1): None}
    for choice, value in known.items():
        sampler.tell(choice, value)
    assert sampler.ask(5, known) == []
    assert sampler.ask(0, {}) == []


@pytest.mark.parametrize("preset", ["light", "medium", "thorough"])
@pytest.mark.parametrize("steps", [1, 2])
def test_the_plan_is_what_then_happens(preset: str, steps: int) -> None:
    kind = COMPILERS["joint"]
    params = kind.presets[preset]  # type: ignore[index]
    read = read_params(kind.params, params)
    program = two_steps() if steps == 2 else None
    plan = kind.plan(read, Situation(60, 100, steps))

    def new(request: Request) -> str:
        return f"Try {chance(request.rollout, request.messages[-1].content)}."

    world, proposer = world_of(
        proposes=new,
        program=program,
        train=make_examples(0, 60),
        dev=make_examples(100, 100),
        ledger=AnswersOnce(),
        params=params,
    )
    events = run(world.task)
    assert len(proposer.requests) == plan.asks[1]
    raced = [event for event in events if isinstance(event, CandidateMade)]
    assert len(raced) == 1 + sum(plan.races)
    tried = sum(isinstance(event, TraceTried) for event in events)
    assert plan.traces[0] <= tried <= 60 * read.rounds
    numbers = {event.candidate.hash for event in raced}
    in_trials = sum(candidate not in numbers for candidate, _ in dev_runs(events))
    assert in_trials == pytest.approx(plan.runs[1], rel=0.2)


def test_labels_that_are_scored_are_planned_with_their_calibrations() -> None:
    kind = COMPILERS["joint"]
    read = read_params(kind.params, {})
    written = kind.plan(read, Situation(60, 60))
    scored = kind.plan(read, Situation(60, 60, calibrates=True))
    assert scored.calibrations == 1 + read.demo_sets + read.finalists
    assert sum(scored.races) == sum(written.races) + 1
    assert scored.runs[1] == written.runs[1] + read.finalists * read.minibatch


def test_it_is_as_good_with_the_student_as_its_own_proposer() -> None:
    world = make_world(writes(learner), compiler="joint")
    result = result_of(run(world.task))
    assert result.improved
    assert "Look at the number" in result.candidate.states["classify"].instruction
    assert isinstance(world.task.program, Program)
