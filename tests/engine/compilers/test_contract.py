"""What every compiler keeps, whatever it searches for."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from itertools import count
from typing import Any

import pytest

from studio.engine.compilers import COMPILERS, Sizes, compile_program, estimate
from studio.engine.compilers.events import CandidateMade, CandidateScored, Event, ExampleScored
from studio.engine.compilers.selecting import inputs_key
from studio.engine.errors import (
    BudgetSpent,
    CompileError,
    EngineError,
    LMAuthError,
    LMError,
    LMInvalidRequest,
    LMRefused,
    MetricError,
)
from studio.engine.example import Demo, Example
from studio.engine.lm.metered import Budget, Metered
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Completion, Request
from studio.engine.metrics import Score
from studio.engine.runtime import Runtime
from studio.engine.trace import Prediction
from tests.engine.compilers.builders import (
    StrictLedger,
    World,
    collect,
    copier,
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

BIAS = {"red": 0.9, "green": 0.0, "blue": -0.4}

MINDS: Mapping[str, Callable[[], ScriptedLM]] = {
    "writes": lambda: writes(learner),
    "scores": lambda: scores(learner, BIAS, noise=0.5),
}

every_compiler = pytest.mark.parametrize("compiler", COMPILERS)
every_mind = pytest.mark.parametrize("mind", MINDS)


def fresh(compiler: str, mind: str, **changes: Any) -> World:
    return make_world(MINDS[mind](), compiler=compiler, **changes)


@every_compiler
@every_mind
def test_the_same_seed_gives_the_same_events_whatever_the_concurrency(
    compiler: str, mind: str
) -> None:
    events = [
        run(fresh(compiler, mind, seed=7, concurrency=concurrency).task)
        for concurrency in (1, 3, 16)
    ]
    assert events[0] == events[1] == events[2]
    assert [event.to_dict() for event in events[0]] == [event.to_dict() for event in events[1]]


@every_compiler
def test_events_do_not_depend_on_which_call_is_the_faster_one(compiler: str) -> None:
    events = [
        run(make_world(writes(learner, random.Random(speed)), compiler=compiler).task)
        for speed in (1, 2)
    ]
    assert events[0] == events[1]


@every_compiler
@every_mind
def test_it_begins_with_a_plan_and_ends_in_one_result(compiler: str, mind: str) -> None:
    world = fresh(compiler, mind)
    events = run(world.task)
    kinds = [event.kind for event in events]
    assert kinds[0] == "planned"
    assert kinds[-2:] == ["confirmed", "finished"]
    assert kinds.count("finished") == kinds.count("confirmed") == 1
    result = result_of(events)
    assert result.improved
    assert result.confirmed_on == 40
    assert result.difference is not None
    assert result.difference.low > 0
    assert result.compiled is not None
    assert result.baseline is not None
    assert result.difference.value == pytest.approx(result.compiled - result.baseline)
    assert result.calls == world.calls
    world.task.program.apply(result.candidate)
    for event in events:
        assert json.loads(json.dumps(event.to_dict()))["kind"] == event.kind


@every_compiler
@every_mind
def test_no_candidate_is_scored_on_its_own_demos(compiler: str, mind: str) -> None:
    train = make_examples(0, 30)
    shouted = [
        Example({**example.values, "message": str(example.values["message"]).upper() + " "})
        for example in train[10:20]
    ]
    dev = [*train[:10], *shouted, *make_examples(100, 12)]
    test = [*train[20:], *make_examples(200, 20)]
    world = fresh(compiler, mind, train=train, dev=dev, test=test)
    events = run(world.task)
    by_id = {example.id: example for example in (*train, *dev, *test)}
    key = inputs_key
    made = {event.candidate.hash: event.candidate for event in made_in(events)}
    seen = 0
    for event in events:
        if isinstance(event, ExampleScored) and event.candidate in made:
            sources = made[event.candidate].demo_sources
            own = {key(world.task.program, by_id[source].values) for source in sources}
            assert event.example not in sources
            assert key(world.task.program, by_id[event.example].values) not in own
            seen += 1
    assert seen > 60
    if any(candidate.demo_sources for candidate in made.values()):
        assert any(event.own for event in events if isinstance(event, CandidateScored))


@every_compiler
def test_an_lm_that_can_only_copy_its_demos_scores_as_chance_when_dev_is_train(
    compiler: str,
) -> None:
    train = make_examples(0, 120)
    world = make_world(writes(copier), compiler=compiler, train=train, dev=train)
    events = run(world.task)
    scored = [event for event in events if isinstance(event, CandidateScored)]
    assert len(scored) > 1 or COMPILERS[compiler].asks
    for event in scored:
        assert event.value is not None
        assert event.value < 0.5


@every_compiler
@every_mind
def test_the_result_is_never_worse_than_the_uncompiled_program_on_dev(
    compiler: str, mind: str
) -> None:
    for seed in range(4):
        lm = writes(copier) if mind == "writes" else scores(copier, BIAS)
        events = run(make_world(lm, compiler=compiler, seed=seed).task)
        on_dev: dict[str, dict[str, float]] = {}
        for event in events:
            if isinstance(event, ExampleScored) and event.part == "dev":
                on_dev.setdefault(event.candidate, {})[event.example] = event.value or 0.0
        made = made_in(events)
        before = on_dev[made[0].candidate.hash]
        won = result_of(events).number
        if made[won].candidate.hash not in on_dev:  # its labels were fitted anew in the end
            (won,) = made[won].parents
        after = on_dev[made[won].candidate.hash]
        shared = after.keys() & before.keys()
        assert shared
        assert sum(after[key] - before[key] for key in shared) >= 0


@every_compiler
def test_if_nothing_is_better_the_result_is_the_uncompiled_program_and_says_so(
    compiler: str,
) -> None:
    world = make_world(writes(spoiled), compiler=compiler)
    result = result_of(run(world.task))
    assert result.candidate == world.task.program.candidate()
    assert not result.improved
    assert result.difference is not None
    assert (result.difference.value, result.compiled) == (0.0, result.baseline)
    assert "No candidate was better" in result.note


@every_compiler
@every_mind
def test_killed_at_any_event_it_goes_on_and_repeats_nothing(compiler: str, mind: str) -> None:
    whole = fresh(compiler, mind)
    expected = run(whole.task)
    rng = random.Random(3)
    for _ in range(5):
        ledger = StrictLedger()
        stops = sorted(rng.sample(range(1, len(expected)), 2))
        for stop in stops:
            asyncio.run(_events_until(fresh(compiler, mind, ledger=ledger), stop))
        last = fresh(compiler, mind, ledger=ledger)
        assert run(last.task) == expected
        assert ledger.puts == whole.ledger.puts


async def _events_until(world: World, stop: int) -> None:
    events = compile_program(world.task)
    for _ in range(stop):
        await anext(events)
    await events.aclose()


@every_compiler
def test_cancelled_in_the_middle_of_a_call_it_goes_on_and_repeats_nothing(compiler: str) -> None:
    expected = run(fresh(compiler, "writes").task)
    for stop in (1, 5, 37, 60, 101, 140):
        ledger = StrictLedger()
        world = fresh(compiler, "writes", ledger=ledger)

        async def cancelled(world: World = world, stop: int = stop) -> None:
            task = asyncio.create_task(collect(world.task))
            while world.calls < stop and not task.done():
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        if world_calls(expected) > stop + 8:
            asyncio.run(cancelled())
            assert run(fresh(compiler, "writes", ledger=ledger).task) == expected


@every_compiler
@every_mind
def test_whatever_the_budget_it_is_kept_and_ends_in_a_result_or_a_sentence(
    compiler: str, mind: str
) -> None:
    kind = COMPILERS[compiler]
    known = {each.name for each in fields(kind.params)}
    few = {**kind.presets["light"], "max_labeled": 4, "calibration_examples": 5}
    small: dict[str, Any] = {
        "train": make_examples(0, 12),
        "dev": make_examples(100, 9),
        "test": make_examples(200, 12),
        "params": {name: value for name, value in few.items() if name in known},
    }
    cost = world_calls(run(fresh(compiler, mind, **small).task))
    refused: list[str] = []
    confirmed: list[int] = []
    for cap in (*range(0, cost, max(1, cost // 40)), cost, cost + 1):
        world = fresh(compiler, mind, max_calls=cap, **small)
        try:
            result = result_of(run(world.task))
        except CompileError as error:
            refused.append(str(error))
        else:
            world.task.program.apply(result.candidate)
            confirmed.append(result.confirmed_on)
            assert result.confirmed_on == 12 or "budget" in result.note
            assert (result.difference is None) == (result.confirmed_on == 0)
        assert world.calls <= cap
    assert refused
    assert all("budget" in sentence for sentence in refused)
    assert confirmed[-2:] == [12, 12]


@every_compiler
def test_a_cap_that_the_task_was_not_told_of_is_kept_as_well(compiler: str) -> None:
    whole = world_calls(run(fresh(compiler, "writes").task))
    ended = []
    for cap in (0, 10, whole // 3, whole // 2, whole - 90, whole - 5):
        world = fresh(compiler, "writes")
        hidden = Metered(world.lm, Budget(cap))
        task = replace(world.task, runtime=Runtime(lm=hidden), budget=None)
        try:
            said = result_of(run(task)).note
            ended.append(cap)
        except CompileError as error:
            said = str(error)
        assert "budget" in said
        assert world.calls == cap
    assert ended
    assert 10 not in ended


@every_compiler
@every_mind
def test_the_estimate_holds_what_then_happens(compiler: str, mind: str) -> None:
    world = fresh(compiler, mind)
    task = world.task
    sizes = Sizes.of(task.program, task.runtime, train=30, dev=24, test=40)
    guess = estimate(compiler, {}, sizes)
    run(task)
    assert guess.low <= world.calls <= guess.high
    assert sum(guess.parts.values()) == guess.expected
    assert world.calls == pytest.approx(guess.expected, rel=0.25)


@every_compiler
def test_what_the_lm_refuses_for_some_inputs_scores_nothing_and_is_explained(
    compiler: str,
) -> None:
    mind = writes(learner)

    def answer(request: Request) -> str | Completion | Exception:
        text = request.messages[-1].content
        return LMRefused() if "7\n" in text else mind._answer(request)

    events = run(make_world(ScriptedLM(answer), compiler=compiler).task)
    reasons = {event.reason for event in events if isinstance(event, ExampleScored)}
    assert "no answer: The model declined to answer." in reasons
    assert result_of(events).confirmed_on == 40


@every_compiler
@pytest.mark.parametrize("error", [LMAuthError(), LMInvalidRequest("no such model")])
def test_a_broken_lm_ends_it_at_once(compiler: str, error: LMError) -> None:
    world = make_world(ScriptedLM(lambda request: error), compiler=compiler)
    with pytest.raises(LMError, match=str(error)):
        run(world.task)
    assert world.calls <= 24


@every_compiler
def test_when_the_key_is_refused_later_what_was_paid_for_is_kept(compiler: str) -> None:
    mind, number = writes(learner), count()
    lm = ScriptedLM(lambda request: LMAuthError() if next(number) == 50 else mind._answer(request))
    world = make_world(lm, compiler=compiler)
    with pytest.raises(LMAuthError):
        run(world.task)
    # All that came back, also from calls beside the one that failed.
    assert world.ledger.puts == world.calls - 1


class Moody:
    """Raises on some examples, or on all."""

    name = "moody"

    def __init__(self, always: bool) -> None:
        self.always = always

    def __call__(self, example: Example, prediction: Prediction) -> Score:
        if self.always or str(example.values["message"]).endswith("1"):
            raise ZeroDivisionError("by zero")
        return Score(float(example.values["label"] == prediction.values.get("label")))


@every_compiler
def test_a_metric_that_raises_now_and_then_leaves_those_examples_out(compiler: str) -> None:
    events = run(make_world(writes(learner), compiler=compiler, metric=Moody(False)).task)
    result = result_of(events)
    assert result.confirmed_on == 36
    reasons = [event.reason for event in events if isinstance(event, ExampleScored)]
    assert any("“moody” raised ZeroDivisionError: by zero" in reason for reason in reasons)


@every_compiler
def test_a_metric_that_always_raises_is_named(compiler: str) -> None:
    world = make_world(writes(learner), compiler=compiler, metric=Moody(True))
    with pytest.raises(MetricError, match="“moody” raised ZeroDivisionError"):
        run(world.task)


@every_compiler
@pytest.mark.parametrize("part", ["train", "dev", "test"])
def test_an_empty_split_is_named(compiler: str, part: str) -> None:
    empty: dict[str, Any] = {part: []}
    world = make_world(writes(learner), compiler=compiler, **empty)
    with pytest.raises(CompileError, match=f"no {part} examples"):
        run(world.task)


@every_compiler
def test_the_examples_that_select_cannot_confirm(compiler: str) -> None:
    dev = make_examples(100, 24)
    with pytest.raises(CompileError, match="dev example as well"):
        run(make_world(writes(learner), compiler=compiler, dev=dev, test=dev).task)
    world = make_world(
        writes(learner), compiler=compiler, dev=dev, test=[*dev[:4], *make_examples(200, 40)]
    )
    result = result_of(run(world.task))
    assert result.confirmed_on == 40
    assert "4 of 44 test examples" in result.note


@every_compiler
def test_examples_without_labels_are_named(compiler: str) -> None:
    bare = [Example({"message": f"message {number}"}) for number in range(30)]
    with pytest.raises(CompileError, match="has no “label”"):
        run(make_world(writes(learner), compiler=compiler, dev=bare).task)


@every_compiler
def test_one_training_example_is_enough_to_end_well(compiler: str) -> None:
    for lm in (writes(learner), scores(learner, BIAS)):
        world = make_world(lm, compiler=compiler, train=make_examples(0, 1))
        assert result_of(run(world.task)).confirmed_on == 40


@every_compiler
def test_unknown_or_wild_parameters_are_named(compiler: str) -> None:
    world = make_world(writes(learner), compiler=compiler, params={"dev_limit": -1})
    with pytest.raises(EngineError, match="Dev examples"):
        run(world.task)
    with pytest.raises(EngineError, match="no parameter “warp”"):
        run(replace(world.task, params={"warp": 1}))


def test_an_unknown_compiler_is_named() -> None:
    with pytest.raises(CompileError, match=r"no compiler “magic”.*random-search"):
        run(make_world(writes(learner), compiler="magic").task)


@every_compiler
def test_a_step_without_labels_gets_demos_only_from_traces(compiler: str) -> None:
    world = make_world(writes(learner), compiler=compiler, program=two_steps())
    events = run(world.task)
    for made in made_in(events):
        demos = shown(made, "shorten")
        assert all(demo.bootstrapped and "summary" in demo.values for demo in demos)
    found = [demo for made in made_in(events) for demo in shown(made, "shorten")]
    assert {demo.source for demo in found} <= {item.id for item in world.task.train}
    if any(field.name == "max_bootstrapped" for field in fields(COMPILERS[compiler].params)):
        assert found


def shown(made: CandidateMade, step: str) -> list[Demo]:
    """The demos of a step; of an ensemble, those of every member."""
    states = made.candidate.states.items()
    return [demo for path, state in states if path.endswith(step) for demo in state.demos]


def made_in(events: list[Event]) -> list[CandidateMade]:
    return [event for event in events if isinstance(event, CandidateMade)]


def world_calls(events: list[Event]) -> int:
    return result_of(events).calls


def test_the_budget_error_of_the_lm_is_one_of_the_engine() -> None:
    assert issubclass(BudgetSpent, EngineError)
