"""Constraint: what a check refuses is asked for again, with what was wrong."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from studio.engine.errors import (
    ConstraintBroken,
    EngineError,
    InputError,
    SandboxError,
    SignatureError,
)
from studio.engine.example import Demo
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Request
from studio.engine.modules import MODULES
from studio.engine.modules.base import Module
from studio.engine.params import read_params
from studio.engine.runtime import Runtime
from studio.engine.sandbox.monty import MontySandbox
from studio.engine.signature import Signature
from studio.engine.trace import Prediction
from tests.engine.modules.builders import chained

KIND = MODULES["constraint"]


def make(
    check: str,
    text: str = "message -> answer",
    parts: Mapping[str, Module] | None = None,
    **params: Any,
) -> Module:
    """A Constraint as a node makes it."""
    signature = KIND.ports(Signature.parse(text))
    return KIND.make(signature, read_params(KIND.params, {"check": check, **params}), parts or {})


def run(module: Module, answers: Iterable[str], **inputs: Any) -> tuple[Prediction, ScriptedLM]:
    """One call, in which the LM gives these answers in turn."""
    lm = ScriptedLM([f"[[ ## answer ## ]]\n{text}" for text in answers])
    return ask(module, lm, **inputs), lm


def ask(module: Module, lm: ScriptedLM, **inputs: Any) -> Prediction:
    """One call."""

    async def once() -> Prediction:
        sandbox = MontySandbox(processes=1)
        try:
            return await module(
                {"message": "hello", **inputs}, Runtime(lm=lm, sandbox=sandbox), "here"
            )
        finally:
            await sandbox.aclose()

    return asyncio.run(once())


def last(request: Request) -> str:
    """The question."""
    return request.messages[-1].content


def test_a_good_answer_is_asked_for_once() -> None:
    found, lm = run(make("len(answer) < 6"), ["short"])
    assert found.values == {"answer": "short"}
    assert len(lm.requests) == 1
    assert "previous_answer" not in last(lm.requests[0])
    assert [(step.path, step.discarded) for step in found.steps] == [
        ("here.step", False),
        ("here.check", False),
    ]
    assert found.steps[1].outputs == {"holds": True, "what_was_wrong": ""}


def test_a_refused_answer_is_asked_for_again_with_what_was_wrong() -> None:
    found, lm = run(
        make("len(answer) < 6", message="At most five letters."), ["too long", "short"]
    )
    assert found.values == {"answer": "short"}
    question = last(lm.requests[1])
    assert "[[ ## what_was_wrong ## ]]\nAt most five letters." in question
    assert '[[ ## previous_answer ## ]]\n{"answer": "too long"}' in question
    assert "[[ ## message ## ]]\nhello" in question
    assert [(step.path, step.discarded) for step in found.steps] == [
        ("here.step", True),
        ("here.check", True),
        ("here.step", False),
        ("here.check", False),
    ]
    assert lm.requests[0].rollout != lm.requests[1].rollout


def test_what_becomes_a_demo_is_the_question_as_it_was() -> None:
    found, _ = run(make("len(answer) < 6"), ["too long", "short"])
    assert [step.inputs for step in found.steps if step.path == "here.step"] == [
        {"message": "hello"},
        {"message": "hello"},
    ]


def test_instruction_and_demos_are_the_same_for_every_attempt() -> None:
    module = make("len(answer) < 6")
    assert [str(signature) for signature, _ in module.predictors().values()] == [
        "message -> answer"
    ]
    state = replace(
        module.predictors()["step"][1],
        instruction="Say it shortly.",
        demos=(Demo(values={"message": "m", "answer": "shown in a demo"}),),
    )
    _, lm = run(module.with_states({"step": state}), ["too long", "short"])
    for request in lm.requests:
        assert request.messages[0].content.startswith("Say it shortly.")
        assert any("shown in a demo" in message.content for message in request.messages)


def test_a_text_says_what_is_wrong_and_inputs_are_seen() -> None:
    check = (
        "def check(answer, message, *, strict=True):\n"
        "    if message not in answer:\n"
        "        return f'It must repeat “{message}”.'\n"
        "    return True"
    )
    found, lm = run(make(check), ["no", "hello!"])
    assert found.values == {"answer": "hello!"}
    assert "It must repeat “hello”." in last(lm.requests[1])


def test_without_a_message_the_check_itself_is_told() -> None:
    _, lm = run(make("len(answer) < 6"), ["too long", "short"])
    assert "This must hold: len(answer) < 6" in last(lm.requests[1])


def test_an_assert_that_is_never_met_is_an_error() -> None:
    module = make("False", message="Never.", retries=2)
    with pytest.raises(ConstraintBroken, match=r"here: .* after 3 tries: Never\."):
        run(module, ["a", "b", "c"])


def test_an_assert_may_pass_and_the_problem_is_seen() -> None:
    found, _ = run(make("False", message="Never.", retries=1, otherwise="pass"), ["a", "b"])
    assert found.values == {"answer": "b"}
    assert [step.discarded for step in found.steps] == [True, True, False, False]
    assert found.steps[-1].outputs == {"holds": False, "what_was_wrong": "Never."}


def test_a_suggestion_goes_on_after_its_retries() -> None:
    found, lm = run(make("False", mode="suggest", retries=1), ["a", "b"])
    assert found.values == {"answer": "b"}
    assert len(lm.requests) == 2


def test_no_retries_ask_once() -> None:
    with pytest.raises(ConstraintBroken, match="after 1 try"):
        run(make("False", retries=0), ["a"])


def test_types_are_those_of_the_fields() -> None:
    found, _ = run(make("answer % 2 == 0", "message -> answer: int"), ["3", "4"])
    assert found.values == {"answer": 4}


def test_reasoning_is_not_part_of_the_answer() -> None:
    lm = ScriptedLM(["[[ ## reasoning ## ]]\nr\n\n[[ ## answer ## ]]\nyes"])
    found = ask(make("answer == 'yes'", step="chain_of_thought"), lm)
    assert found.values == {"answer": "yes"}


def test_a_pipeline_inside_may_take_the_advice() -> None:
    body = chained("message, what_was_wrong -> answer")
    module = make("len(answer) < 6", message="Too long.", parts={"body": body})
    found, lm = run(module, ["too long", "short"])
    assert found.values == {"answer": "short"}
    assert "[[ ## what_was_wrong ## ]]\n\n" in last(lm.requests[0])
    assert "[[ ## what_was_wrong ## ]]\nToo long." in last(lm.requests[1])
    assert lm.requests[1].temperature > 0


def test_the_node_says_which_advice_a_pipeline_gets() -> None:
    (part,) = KIND.parts(
        Signature.parse("message -> answer"), read_params(KIND.params, {"check": "True"})
    )
    assert [field.name for field in part.inputs] == [
        "message",
        "previous_answer",
        "what_was_wrong",
    ]
    assert not part.required


@pytest.mark.parametrize(
    ("check", "says"),
    [
        ("len(answer", "no Python"),
        ("x = 1", "must end in an expression"),
        ("", "empty"),
        ("def check(answr): return True", "asks for “answr”"),
        ("def check(*, answr): return True", "asks for “answr”"),
        ("\0", "no Python"),
        ("(" * 5000, "no Python"),
        ("1+" * 60_000 + "1", "longer than"),
    ],
)
def test_a_check_that_cannot_be_one_is_told_before_it_runs(check: str, says: str) -> None:
    with pytest.raises(EngineError, match=re.escape(says)):
        make(check)


@pytest.mark.parametrize(
    ("check", "says"),
    [
        ("None", "it answered None"),
        ("3", "it answered 3"),
        ("answer.nothing", "nothing"),
        ("1 / 0", "zero"),
        ("def check(answer):\n    pass", "it answered None"),
        ("__import__('os').system('true')", "import"),
    ],
)
def test_a_check_that_fails_is_no_verdict(check: str, says: str) -> None:
    with pytest.raises(SandboxError, match=says):
        run(make(check), ["a"])


def test_no_sandbox_no_check() -> None:
    lm = ScriptedLM(["[[ ## answer ## ]]\na"])
    with pytest.raises(InputError, match="no sandbox"):
        asyncio.run(make("True")({"message": "m"}, Runtime(lm=lm), "here"))
    assert not lm.requests


def test_its_own_fields_are_its_own() -> None:
    with pytest.raises(SignatureError, match="previous_answer"):
        make("True", "previous_answer -> answer")


def test_a_field_may_have_a_name_that_python_keeps_for_itself() -> None:
    lm = ScriptedLM(["[[ ## answer ## ]]\nyes"])
    found = ask(make("answer == 'yes'", "class, message -> answer"), lm, **{"class": "c"})
    assert found.values == {"answer": "yes"}
