"""Instructions: the proposer is told what scored how, and the best instruction is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from studio.engine.compilers import COMPILERS
from studio.engine.compilers.base import Situation
from studio.engine.compilers.events import Asked, CandidateMade, Event, ExampleScored
from studio.engine.errors import CompileError
from studio.engine.evaluation import Answered
from studio.engine.example import Candidate
from studio.engine.lm.prompt_reader import Prompt, read_prompt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Request
from studio.engine.params import read_params
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from tests.engine.compilers.builders import (
    LABELS,
    StrictLedger,
    World,
    chance,
    gold,
    make_examples,
    make_world,
    one_step,
    result_of,
    run,
    two_steps,
)

GOOD = "Divide the number by three and look at the rest."
OTHERS = ("Guess.", "Think of a colour.", "Be polite.", "Answer quickly.", "Say what you like.")
Proposes = Callable[[Request], str]


def instructed(request: Request) -> str:
    """What stands in the place of the instruction."""
    return request.messages[0].content


def asks_for_an_instruction(request: Request) -> bool:
    return read_prompt(request).open == ("instruction",)


def by_rollout(texts: tuple[str, ...]) -> Proposes:
    """One text after the other."""
    return lambda request: texts[request.rollout % len(texts)]


def student(says: Callable[[Prompt, str], Mapping[str, str]]) -> ScriptedLM:
    """Answers by its prompt and its instruction."""

    def answer(request: Request) -> str:
        prompt = read_prompt(request)
        return prompt.answer(says(prompt, instructed(request)))

    return ScriptedLM(answer)


def divides(prompt: Prompt, instruction: str) -> Mapping[str, str]:
    """Right when it is told how; else at random."""
    text = prompt.inputs[-1]
    guess = LABELS[int(3 * chance("divides", text, instruction[:40]))]
    return {"label": gold(text) if GOOD in instruction else guess}


@dataclass(kw_only=True)
class AnswersOnce(StrictLedger):
    """Refuses to remember an answer twice, too."""

    async def put_answer(self, key: str, role: str, answered: Answered) -> None:
        assert key not in self.answers, "asked twice"
        await super().put_answer(key, role, answered)


def make(
    proposes: Proposes,
    says: Callable[[Prompt, str], Mapping[str, str]] = divides,
    *,
    program: Program | None = None,
    **changes: Any,
) -> tuple[World, ScriptedLM]:
    """A world whose proposer is another LM, and that LM."""

    def answer(request: Request) -> str:
        prompt = read_prompt(request)
        return prompt.answer(dict.fromkeys(prompt.open, proposes(request)))

    proposer = ScriptedLM(answer)
    world = make_world(
        student(says),
        **{
            "compiler": "instructions",
            "program": program or one_step(),
            "proposer": Runtime(lm=proposer),
            "ledger": AnswersOnce(),
            **changes,
        },
    )
    return world, proposer


def instruction_in(events: list[Event], path: str = "classify") -> str:
    return result_of(events).candidate.states[path].instruction


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_one_good_instruction_is_found(seed: int) -> None:
    world, _ = make(by_rollout((*OTHERS, GOOD)), seed=seed, params={"breadth": 6, "depth": 1})
    events = run(world.task)
    assert instruction_in(events) == GOOD
    result = result_of(events)
    assert result.improved
    assert result.compiled == 1.0
    assert "instruction 6 of round 1 for classify" in result.origin


def test_the_proposer_gets_all_questions_and_the_student_none() -> None:
    world, proposer = make(by_rollout((*OTHERS, GOOD)), params={"breadth": 3, "depth": 2})
    run(world.task)
    assert len(proposer.requests) == 6
    assert all(asks_for_an_instruction(request) for request in proposer.requests)
    assert not any(asks_for_an_instruction(request) for request in world.lm.requests)


def test_later_questions_tell_the_attempts_and_their_scores() -> None:
    world, proposer = make(by_rollout((*OTHERS, GOOD)), params={"breadth": 6, "depth": 2})
    run(world.task)
    first, later = proposer.requests[:6], proposer.requests[6:]
    assert len(later) == 6
    assert not any("%:" in request.messages[-1].content for request in first)
    for request in later:
        told = request.messages[-1].content
        lines = [line for line in told.splitlines() if "%: " in line]
        assert lines[-1] == f"100.0%: {GOOD}"
        assert {line.partition("%: ")[2] for line in lines[:-1]} == {
            "Given the message, produce the label.",
            *OTHERS,
        }
        scores = [float(line.partition("%")[0]) for line in lines]
        assert scores == sorted(scores)
        assert scores[-2] < 80
        # The instruction to be improved is the best so far.
        assert f"[[ ## current_instruction ## ]]\n{GOOD}" in told


def keeps_or_divides(prompt: Prompt, instruction: str) -> Mapping[str, str]:
    """The summary holds the number if it is told so; the label needs the number."""
    text = prompt.inputs[-1]
    kept = text if "Keep the number." in instruction else "a message"
    known = any(map(str.isdigit, text)) and (GOOD in instruction or chance(text) < 0.6)
    return {"summary": kept, "label": gold(text) if known else LABELS[0]}


def for_both(request: Request) -> str:
    return ("Be polite.", "Keep the number.", GOOD, "Guess.")[request.rollout % 4]


def test_coordinate_ascent_improves_the_step_that_needs_it() -> None:
    def always_divides(prompt: Prompt, instruction: str) -> Mapping[str, str]:
        return keeps_or_divides(prompt, f"{instruction} {GOOD}")

    world, _ = make(for_both, always_divides, program=two_steps(), params={"breadth": 4})
    events = run(world.task)
    assert instruction_in(events, "shorten") == "Keep the number."
    assert instruction_in(events, "classify") == ""
    assert result_of(events).compiled == 1.0


def test_coordinate_ascent_improves_both_steps_when_both_need_it() -> None:
    world, _ = make(for_both, keeps_or_divides, program=two_steps(), params={"breadth": 4})
    events = run(world.task)
    assert instruction_in(events, "shorten") == "Keep the number."
    assert instruction_in(events, "classify") == GOOD
    made = {event.number: event for event in events if isinstance(event, CandidateMade)}
    winner = made[result_of(events).number]
    assert [made[parent].candidate.states["shorten"].instruction for parent in winner.parents] == [
        "Keep the number."
    ]


RUBBISH: Mapping[str, Proposes] = {
    "empty": lambda request: "",
    "the same as before": lambda request: "given the message,  produce the LABEL.",
    "a megabyte": lambda request: "word " * 200_000,
    "no letters": lambda request: "?!" * 20,
    "control characters": lambda request: "\x00\x1b\x07",
    "the layout itself": lambda request: "[[ ## instruction ## ]]\n[[ ## completed ## ]]",
}


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_a_proposer_that_answers_rubbish_changes_nothing(rubbish: str) -> None:
    world, _ = make(RUBBISH[rubbish])
    events = run(world.task)
    assert result_of(events).candidate == world.task.program.candidate()
    assert result_of(events).confirmed_on == 40
    assert "no new instruction" in result_of(events).note
    # It is not asked again and again.
    assert sum(isinstance(event, Asked) for event in events) == 5


def test_answers_that_cannot_be_read_change_nothing() -> None:
    broken = ScriptedLM(lambda request: "I would rather not.")
    world, _ = make(by_rollout(OTHERS), proposer=Runtime(lm=broken))
    events = run(world.task)
    assert result_of(events).candidate == world.task.program.candidate()
    assert all(event.problem for event in events if isinstance(event, Asked))


def test_a_proposer_that_is_wrong_leaves_the_program_as_good() -> None:
    def spoiled(prompt: Prompt, instruction: str) -> Mapping[str, str]:
        text = prompt.inputs[-1]
        return {"label": gold(text) if "Given the message" in instruction else LABELS[0]}

    world, _ = make(by_rollout(OTHERS), spoiled)
    result = result_of(run(world.task))
    assert result.candidate == world.task.program.candidate()
    assert "No candidate was better" in result.note


def test_known_instructions_are_not_scored_again() -> None:
    world, _ = make(by_rollout(("Guess.", "guess. ", "Be polite.")), params={"depth": 4})
    events = run(world.task)
    made = [event for event in events if isinstance(event, CandidateMade)]
    texts = [event.candidate.states["classify"].instruction for event in made]
    assert sorted(texts) == ["", "Be polite.", "Guess."]
    scored = [
        (event.candidate, event.example)
        for event in events
        if isinstance(event, ExampleScored) and event.part == "dev"
    ]
    assert len(scored) == len(set(scored))


def test_an_earlier_result_is_what_is_improved() -> None:
    first, _ = make(by_rollout(("Keep the number.",)), keeps_or_divides, program=two_steps())
    before = result_of(run(first.task)).candidate
    assert before.states["shorten"].instruction == "Keep the number."
    second, proposer = make(
        by_rollout((GOOD, *OTHERS)), keeps_or_divides, program=two_steps(), start=before
    )
    after = result_of(run(second.task)).candidate
    assert after.states["shorten"] == before.states["shorten"]
    assert after.states["classify"].instruction == GOOD
    assert "Keep the number." in proposer.requests[0].messages[-1].content


def test_the_members_of_an_ensemble_get_instructions_of_their_own() -> None:
    state = one_step().candidate().states["classify"]
    start = Candidate(
        {f"{number}/classify": replace(state, instruction=f"Take {number}.") for number in (1, 2)}
    )
    world, proposer = make(by_rollout((*OTHERS, GOOD)), start=start, params={"breadth": 6})
    result = result_of(run(world.task))
    assert result.compiled == 1.0
    assert result.candidate.states.keys() == start.states.keys()
    assert GOOD in {found.instruction for found in result.candidate.states.values()}
    assert "1/classify" in proposer.requests[0].messages[-1].content


def test_after_a_restart_no_question_and_no_run_is_repeated() -> None:
    whole, first = make(by_rollout((*OTHERS, GOOD)))
    expected = run(whole.task)
    again, second = make(by_rollout((*OTHERS, GOOD)), ledger=whole.ledger)
    assert run(again.task) == expected
    assert first.requests
    assert not second.requests
    assert not again.lm.requests


def test_whatever_the_budget_it_is_kept_and_the_best_so_far_is_the_result() -> None:
    small: dict[str, Any] = {
        "dev": make_examples(100, 12),
        "test": make_examples(200, 12),
        "params": {"breadth": 3, "depth": 2},
    }
    proposes = by_rollout((*OTHERS, GOOD))
    cost = result_of(run(make(proposes, **small)[0].task)).calls
    found = set()
    for cap in range(cost + 2):
        world, _ = make(proposes, **small, max_calls=cap)
        try:
            result = result_of(run(world.task))
        except CompileError as error:
            said = str(error)
        else:
            said = result.note if result.confirmed_on < 12 else "budget kept"
            found.add(result.candidate.states["classify"].instruction)
        assert "budget" in said
        assert world.calls <= cap
    assert found >= {"", GOOD}


@pytest.mark.parametrize("preset", ["light", "medium", "thorough"])
@pytest.mark.parametrize("program", [one_step, two_steps])
def test_the_plan_is_what_then_happens(preset: str, program: Callable[[], Program]) -> None:
    kind = COMPILERS["instructions"]
    params = kind.presets[preset]  # type: ignore[index]
    read = read_params(kind.params, params)
    steps = program()
    plan = kind.plan(read, Situation(30, 24, len(steps.predictors)))

    def new(request: Request) -> str:
        told = (request.rollout, request.messages[-1].content)
        return f"Try {chance(*told)}."

    world, proposer = make(new, keeps_or_divides, program=steps, params=params)
    events = run(world.task)
    assert len(proposer.requests) == plan.asks[1] == plan.asks[2]
    made = sum(isinstance(event, CandidateMade) for event in events)
    assert made == 1 + sum(plan.races)
    assert plan.runs == plan.traces == (0, 0, 0)
