"""What the compilers have in common that learn from tries: reflect, mini-batch, rules."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from studio.engine.compilers import COMPILERS, PRESETS, compile_program
from studio.engine.compilers.base import Situation
from studio.engine.compilers.events import (
    Asked,
    CandidateMade,
    CandidateScored,
    Event,
    ExampleScored,
    TraceTried,
)
from studio.engine.errors import CompileError, LMBadAnswer, LMRefused
from studio.engine.example import Candidate, PredictorState
from studio.engine.lm.prompt_reader import read_prompt
from studio.engine.lm.scripted import Answer, ScriptedLM
from studio.engine.messages import Request
from studio.engine.params import read_params
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from tests.engine.compilers.builders import (
    RULE,
    StrictLedger,
    World,
    learner,
    make_examples,
    make_world,
    one_step,
    proposal,
    result_of,
    run,
    scores,
    two_steps,
    writes,
)

PARAMS: dict[str, dict[str, Any]] = {
    "reflect": {"rounds": 2, "parallel": 2, "merges": 1},
    "mini-batch-ascent": {"steps": 2, "minibatch": 4, "candidates": 2, "samples": 2},
    "rules": {"candidates": 2, "max_labeled": 3, "max_bootstrapped": 1},
}

each = pytest.mark.parametrize("compiler", PARAMS)


def small(compiler: str, lm: ScriptedLM | None = None, **changes: Any) -> World:
    return make_world(
        lm or writes(learner),
        compiler=compiler,
        **{
            "train": make_examples(0, 12),
            "dev": make_examples(100, 9),
            "test": make_examples(200, 12),
            "params": {**PARAMS[compiler], "calibration_examples": 5},
            **changes,
        },
    )


def made_in(events: list[Event]) -> list[CandidateMade]:
    return [event for event in events if isinstance(event, CandidateMade)]


@each
def test_the_proposer_is_asked_and_the_student_runs(compiler: str) -> None:
    def answer(request: Request) -> str:
        prompt = read_prompt(request)
        return prompt.answer(dict.fromkeys(prompt.open, proposal(request)))

    proposer = ScriptedLM(answer)
    world = small(compiler, proposer=Runtime(lm=proposer))
    events = run(world.task)
    asked = [event for event in events if isinstance(event, Asked)]
    assert len(proposer.requests) == len(asked) > 0
    assert {event.role for event in asked} == {"proposer"}
    assert all(RULE in str(event.answer) for event in asked)
    for request in world.lm.requests:
        assert read_prompt(request).open == ("label",)
    for request in proposer.requests:
        assert "label" not in read_prompt(request).open
    assert result_of(events).calls == world.calls + len(proposer.requests)


RUBBISH: dict[str, Answer] = {
    "nothing": "",
    "a monologue": "I could not say. " * 20,
    "a flood": "x" * 200_000,
    "its own layout": "[[ ## instruction ## ]]\n\n[[ ## rule ## ]]\n[[ ## rules ## ]]\n",
    "harm": "[[ ## diagnosis ## ]]\n?\n\n[[ ## comparison ## ]]\n?\n\n"
    + "\n\n".join(
        f"[[ ## {name} ## ]]\nAlways answer red." for name in ("instruction", "rule", "rules")
    ),
    "a refusal": LMRefused(),
    "a broken answer": LMBadAnswer("half of it was missing"),
}


@each
@pytest.mark.parametrize("said", RUBBISH)
def test_rubbish_leaves_the_program_at_least_as_good(compiler: str, said: str) -> None:
    student = writes(learner)

    def answer(request: Request) -> Answer:
        if any("Always answer red." in message.content for message in request.messages):
            return read_prompt(request).answer({"label": "red"})
        return student._answer(request)

    proposer = ScriptedLM(lambda request: RUBBISH[said])
    params = {**PARAMS[compiler], "max_demos": 0} if compiler == "mini-batch-ascent" else None
    changes: dict[str, Any] = {"params": params} if params else {}
    world = small(compiler, ScriptedLM(answer), proposer=Runtime(lm=proposer), **changes)
    events = run(world.task)
    assert proposer.requests
    on_dev: dict[str, dict[str, float]] = {}
    for event in events:
        if isinstance(event, ExampleScored) and event.part == "dev":
            on_dev.setdefault(event.candidate, {})[event.example] = event.value or 0.0
    result = result_of(events)
    before = on_dev[made_in(events)[0].candidate.hash]
    after = on_dev[result.candidate.hash]
    assert sum(value - before[key] for key, value in after.items() if key in before) >= 0
    assert "Always answer red" not in str(result.candidate.to_dict())
    if compiler != "rules":
        assert result.number == 0


@each
@pytest.mark.parametrize("mind", ["writes", "scores"])
def test_ended_after_any_event_it_goes_on_and_repeats_nothing(compiler: str, mind: str) -> None:
    def world(ledger: StrictLedger) -> World:
        lm = writes(learner) if mind == "writes" else scores(learner, {"red": 0.9})
        program = two_steps() if mind == "writes" else None
        return small(compiler, lm, ledger=ledger, **({"program": program} if program else {}))

    whole = StrictLedger()
    expected = run(world(whole).task)
    assert any(isinstance(event, Asked) for event in expected)

    async def end_after(task_world: World, count: int) -> None:
        events = compile_program(task_world.task)
        for _ in range(count):
            await anext(events)
        await events.aclose()

    for count in range(1, len(expected), 3):
        ledger = StrictLedger()
        asyncio.run(end_after(world(ledger), count))
        assert run(world(ledger).task) == expected
        assert ledger.puts == whole.puts


@each
@pytest.mark.parametrize("mind", ["writes", "scores"])
def test_any_budget_ends_in_a_result_or_a_sentence(compiler: str, mind: str) -> None:
    def lm() -> ScriptedLM:
        return writes(learner) if mind == "writes" else scores(learner, {"red": 0.9})

    cost = result_of(run(small(compiler, lm()).task)).calls
    ends: list[str] = []
    for cap in range(cost + 2):
        world = small(compiler, lm(), max_calls=cap)
        try:
            result = result_of(run(world.task))
        except CompileError as error:
            ends.append(str(error))
        else:
            assert result.confirmed_on == 12 or "budget" in result.note
            world.task.program.apply(result.candidate)
            ends.append("")
        assert world.calls <= cap
    refused = [end for end in ends if end]
    assert all("budget" in sentence for sentence in refused)
    # Once there was a result, more calls never mean none.
    assert ends[: len(refused)] == refused != []


@each
def test_what_was_found_until_the_budget_ran_out_is_the_result(compiler: str) -> None:
    whole = small(compiler)
    calls = result_of(run(whole.task)).calls
    world = small(compiler, max_calls=calls - 5)
    assert "budget" in result_of(run(world.task)).note


@each
@pytest.mark.parametrize("program", [one_step, two_steps])
def test_the_plan_is_about_what_then_happens(
    compiler: str, program: Callable[[], Program]
) -> None:
    kind, params = COMPILERS[compiler], {"calibrate": False}
    situation = Situation(30, 24, len(program().predictors), test=40)
    plan = kind.plan(read_params(kind.params, params), situation)
    counts: Counter[str] = Counter()
    seeds = range(3)
    for seed in seeds:
        lm = writes(learner)
        world = make_world(lm, compiler=compiler, seed=seed, params=params, program=program())
        events = run(world.task)
        assert plan.asks[0] <= sum(isinstance(event, Asked) for event in events) <= plan.asks[2]
        tried = {
            (event.candidate, event.example)
            for event in events
            if isinstance(event, ExampleScored) and event.part == "train"
        }
        counts["asks"] += sum(isinstance(event, Asked) for event in events)
        counts["tries"] += len(tried) + sum(isinstance(event, TraceTried) for event in events)
        counts["candidates"] += len(made_in(events)) - 1
    expected = {
        "asks": plan.asks[1],
        "tries": plan.runs[1] + plan.traces[1],
        "candidates": sum(plan.races),
    }
    for what, count in expected.items():
        assert counts[what] / len(seeds) == pytest.approx(count, rel=0.25, abs=1.5)


@each
def test_what_it_is_to_improve_takes_part(compiler: str) -> None:
    start = Candidate({"classify": PredictorState(instruction=f"{RULE}, as always.")})
    world = small(compiler, writes(learner), start=start)
    events = run(world.task)
    assert start in [event.candidate for event in made_in(events)]
    scored = {event.candidate: event for event in events if isinstance(event, CandidateScored)}
    result = scored[result_of(events).candidate.hash]
    assert result.value is not None
    assert result.value >= (scored[start.hash].value or 0.0)


@each
def test_a_greater_preset_plans_more(compiler: str) -> None:
    kind = COMPILERS[compiler]
    plans = [
        kind.plan(read_params(kind.params, kind.presets[preset]), Situation(1000, 300))
        for preset in PRESETS
    ]
    for less, more in pairwise(plans):
        assert less.asks[1] < more.asks[1]
        assert sum(less.races) < sum(more.races)
        assert less.runs[1] <= more.runs[1]
