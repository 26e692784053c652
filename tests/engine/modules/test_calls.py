"""How many LM calls a module takes, told before it is run."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from studio.engine.example import Example
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.modules import MODULES, Predict
from studio.engine.modules.base import Composite, Module, WithoutLM, join_path
from studio.engine.modules.calls import average_lengths, calls_of_module, calls_of_program
from studio.engine.modules.often import Often
from studio.engine.modules.subpipeline import Subpipeline
from studio.engine.params import read_params
from studio.engine.program import Program
from studio.engine.signature import Signature
from tests.engine.modules.builders import CASES, Case, chained

TEXTS = "messages: list[str] -> answers: list[str]"
REWARD = "def reward(inputs, outputs): return 1"
STEP = chained("message -> answer")
TWO_STEPS = chained("message -> plan", "plan -> answer")


def make(
    kind: str,
    text: str = "message -> answer",
    parts: Mapping[str, Module] | None = None,
    **params: Any,
) -> Module:
    """A module as a node makes it."""
    made = MODULES[kind]
    return made.make(Signature.parse(text), read_params(made.params, params), parts or {})


def calls(module: Module, only: str = "", /, **lengths: float) -> Often:
    """Its calls, one a question; those of the predictor whose path ends so."""
    each = {path: float(path.endswith(only)) for path in module.predictors()}
    assert not only or any(each.values())
    return calls_of_module(module, each, lengths)


@pytest.mark.parametrize("kind", [kind for kind in MODULES if kind in CASES])
def test_a_module_of_any_kind_takes_as_many_calls_as_it_says(kind: str) -> None:
    case: Case = CASES[kind]()
    module, lm = case.module, ScriptedLM(case.answer)
    runtime = case.runtime(lm)

    async def run() -> None:
        try:
            await module(case.inputs, runtime, "here")
        finally:
            if runtime.sandbox is not None:
                await runtime.sandbox.aclose()

    asyncio.run(run())
    lengths = {
        name: float(len(value)) for name, value in case.inputs.items() if isinstance(value, list)
    }
    low, expected, high = calls(module, "", **lengths)
    assert low <= len(lm.requests) <= high
    assert low <= expected <= high
    assert bool(high) == bool(module.predictors())


@pytest.mark.parametrize(
    ("module", "found"),
    [
        (make("predict"), (1, 1, 1)),
        (make("chain_of_thought"), (1, 1, 1)),
        (make("knn_demos"), (1, 1, 1)),
        (make("best_of_n", n=5, rubric="good"), (2, 6, 10)),
        (make("best_of_n", n=5, rubric="good", parallel=True), (10, 10, 10)),
        (make("best_of_n", parts={"body": TWO_STEPS}, n=3, reward=REWARD), (2, 4, 6)),
        (make("refine", n=3, reward=REWARD), (1, 3, 5)),
        (make("refine", n=1, rubric="good"), (2, 2, 2)),
        (make("majority", samples=7), (7, 7, 7)),
        (make("multi_chain_comparison", attempts=4), (5, 5, 5)),
        (make("constraint", check="len(answer) < 9", retries=2), (1, 1.25, 3)),
        (make("constraint", check="len(answer) < 9", retries=0), (1, 1, 1)),
        (make("react", tools=["look_up"], max_steps=8), (2, 4, 9)),
        (make("react", tools=["look_up"], max_steps=1), (2, 2, 2)),
        (make("code_act", max_steps=6), (2, 3, 7)),
        (make("program_of_thought", max_tries=3), (2, 2.25, 4)),
        (make("program_of_thought", max_tries=1), (2, 2, 2)),
        (make("router", cases=["a", "b"], parts={"a": STEP, "b": TWO_STEPS}), (2, 2.5, 3)),
        (make("subpipeline", parts={"body": TWO_STEPS}), (2, 2, 2)),
    ],
)
def test_so_many_calls(module: Module, found: Often) -> None:
    assert calls(module) == found


def test_of_a_branch_one_case_runs() -> None:
    text = "message, area: enum[a, b, c] -> answer"
    module = make("branch", text, {"a": TWO_STEPS, "otherwise": STEP})
    low, expected, high = calls(module)
    assert (low, high) == (1, 2)
    assert expected == pytest.approx(4 / 3)
    # The pipeline for the rest runs for two of three labels.
    assert calls(module, "otherwise.step1") == pytest.approx((0, 2 / 3, 1))


def test_each_predictor_by_itself() -> None:
    refine = make("refine", n=3, rubric="good")
    assert calls(refine, "step") == (1, 2, 3)
    assert calls(refine, "judge") == (1, 2, 3)
    assert calls(refine, "feedback") == (0, 1, 2)
    react = make("react", tools=["look_up"], max_steps=8)
    assert calls(react, "next") == (1, 3, 8)
    assert calls(react, "extract") == (1, 1, 1)


def test_a_map_asks_once_an_item_as_far_as_that_is_known() -> None:
    module = make("map", TEXTS)
    low, expected, high = calls(module, messages=4.0)
    assert expected == 4
    assert low < 4 < high < 8
    low, expected, high = calls(module)
    assert low <= 1 < expected < high


def test_the_length_of_a_list_is_that_of_the_examples_and_goes_into_programs_inside() -> None:
    program = Program.of(make("map", TEXTS), "each")
    examples = [Example({"messages": ["m"] * count}) for count in (2, 4, 9)]
    lengths = average_lengths(program, [*examples, Example({"messages": None})])
    assert lengths == {"messages": 5.0}
    each = dict.fromkeys(program.predictors, 1.0)
    assert calls_of_program(program, each, lengths)[1] == 5
    outer = Program.of(Subpipeline(program), "inside")
    each = dict.fromkeys(outer.predictors, 2.0)
    assert calls_of_program(outer, each, lengths)[1] == 10


def test_a_module_inside_multiplies_what_is_in_it() -> None:
    inner = make("majority", samples=3)
    assert calls(make("best_of_n", parts={"body": inner}, n=3, reward=REWARD)) == (3, 6, 9)


class Twice(Composite):
    """A module of an extension that says nothing of its calls."""

    signature = Signature.parse("message -> answer")
    members: Mapping[str, Module] = {"one": Predict.of("message -> a"), "two": STEP}


class Bare(WithoutLM):
    """One that has predictors, and is made of nothing."""

    signature = Signature.parse("message -> answer")

    def predictors(self) -> Any:
        return {"here": None, "there": None}


def test_a_module_of_an_extension_asks_each_of_its_predictors_once() -> None:
    assert calls(Twice()) == (2, 2, 2)  # type: ignore[arg-type]
    assert calls(Bare()) == (2, 2, 2)  # type: ignore[arg-type]
    assert join_path("two", "step1") in Twice().predictors()
