"""MultiChainComparison."""

from __future__ import annotations

import asyncio

import pytest

from studio.engine.errors import SignatureError
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Request
from studio.engine.modules.multi_chain_comparison import (
    MultiChainComparison,
    MultiChainComparisonParams,
)
from studio.engine.runtime import Runtime
from tests.engine.modules.test_predict import chat


def answer(request: Request) -> str:
    """Three attempts that differ, and a comparison that agrees with the second and third."""
    if "You are shown several attempts" in request.messages[0].content:
        return chat(reasoning="Two say so.", answer="4")
    number = request.rollout % 1000
    return chat(reasoning=f"Chain {number}.", answer="5" if number == 0 else "4")


def test_attempts_are_compared() -> None:
    lm = ScriptedLM(answer)
    module = MultiChainComparison.of("question -> answer: int")
    found = asyncio.run(module({"question": "2+2?"}, Runtime(lm=lm), "sum"))
    assert found.values == {"reasoning": "Two say so.", "answer": 4}
    asked = lm.requests[-1].messages[-1].content
    assert '["Reasoning: Chain 0.\\nAnswer: 5", ' in asked
    assert [step.path for step in found.steps] == ["sum.attempt"] * 3 + ["sum.compare"]
    assert [step.discarded for step in found.steps] == [True, False, False, False]


def test_params_reach_both_predictors() -> None:
    lm = ScriptedLM(answer)
    params = MultiChainComparisonParams(
        attempts=2, temperature=0.1, attempt_temperature=1.2, max_tokens=99
    )
    module = MultiChainComparison.of("question -> answer: int", params)
    asyncio.run(module({"question": "2+2?"}, Runtime(lm=lm), ""))
    assert [request.temperature for request in lm.requests] == [0.0, 1.2, 0.1]
    assert {request.max_tokens for request in lm.requests} == {99}


def test_fields_may_be_called_attempts_but_not_reasoning() -> None:
    module = MultiChainComparison.of("attempts -> answer")
    assert [field.name for field in module.compare.signature.inputs] == ["attempts", "attempts_"]
    with pytest.raises(SignatureError, match="reasoning"):
        MultiChainComparison.of("question -> reasoning")
