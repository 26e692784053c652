"""Subpipeline: a program where a module stands."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from studio.engine.errors import InputError, ParseError, StateError
from studio.engine.example import PredictorState
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.modules import MODULES, Predict
from studio.engine.modules.base import Module
from studio.engine.modules.subpipeline import Subpipeline, SubpipelineParams
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from studio.engine.trace import Prediction
from tests.engine.modules.builders import chained


def make(text: str, body: Module) -> Module:
    """As a node makes it."""
    return MODULES["subpipeline"].make(Signature.parse(text), SubpipelineParams(), {"body": body})


def run(module: Module, lm: ScriptedLM, **inputs: Any) -> Prediction:
    """One call."""
    return asyncio.run(module(inputs, Runtime(lm=lm), "inside"))


def says(**values: str) -> ScriptedLM:
    """One answer in the chat format."""
    return ScriptedLM(["\n".join(f"[[ ## {name} ## ]]\n{text}" for name, text in values.items())])


def test_its_signature_is_what_the_program_takes_and_answers() -> None:
    body = chained("message -> problem", "problem -> area: enum[a, b]")
    assert str(body.signature) == "message -> area: enum[a, b]"
    assert list(body.predictors()) == ["step1", "step2"]


def test_a_node_takes_and_answers_what_its_own_signature_says() -> None:
    module = make("message, hint -> count", chained("message -> count: int, more"))
    assert str(module.signature) == "message, hint -> count"
    found = run(module, says(count="3", more="x"), message="m", hint="h")
    assert found.values == {"count": "3"}
    assert found.steps[0].inputs == {"message": "m"}
    with pytest.raises(InputError, match="hint"):
        run(module, says(count="3", more="x"), message="m")


def test_an_answer_that_is_not_there_is_named() -> None:
    module = make("message -> area, mood", chained("message -> area"))
    with pytest.raises(ParseError, match="“mood” is missing") as error:
        run(module, says(area="a"), message="m")
    assert error.value.field == "mood"


@pytest.mark.parametrize("states", [{}, {"step1": PredictorState(instruction=""), "other": None}])
def test_states_of_another_program_are_refused(states: Mapping[str, Any]) -> None:
    with pytest.raises((InputError, StateError), match="other predictors"):
        chained("message -> area").with_states(states)


def test_programs_lie_in_programs() -> None:
    module: Module = Predict.of("message -> area")
    for number in range(5):
        module = Subpipeline(Program.of(module, f"p{number}"))
    assert list(module.predictors()) == ["p4.p3.p2.p1.p0"]
    found = run(module, says(area="x"), message="m")
    assert [step.path for step in found.steps] == ["inside.p4.p3.p2.p1.p0"]
