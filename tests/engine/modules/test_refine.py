"""Refine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from studio.engine.example import Demo, PredictorState
from studio.engine.lm.scripted import Answer, ScriptedLM
from studio.engine.messages import Request
from studio.engine.modules import Module, Predict, chain_of_thought
from studio.engine.modules.refine import REFINE, Refine, RefineParams
from studio.engine.params import read_params
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from studio.engine.trace import Prediction
from tests.engine.modules.builders import chained
from tests.engine.modules.test_predict import chat

SIGNATURE = Signature.parse("question -> answer")


def length(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> float:
    """A reward: how long the answer is."""
    assert set(inputs) == {"question"}
    return float(len(outputs["answer"]))


def run(module: Module, lm: ScriptedLM) -> Prediction:
    """One question."""
    return asyncio.run(module({"question": "?"}, Runtime(lm=lm), "here"))


def test_the_next_attempt_has_the_former_answer_and_the_advice() -> None:
    lm = ScriptedLM([chat(answer="x"), chat(advice="Say more."), chat(answer="xyz")])
    prediction = run(Refine(Predict.of(SIGNATURE), length, n=4, threshold=3), lm)
    assert prediction.values == {"answer": "xyz"}
    assert [(step.path, step.discarded) for step in prediction.steps] == [
        ("here.step", True),
        ("here.reward", True),
        ("here.feedback", False),
        ("here.step", False),
        ("here.reward", False),
    ]
    asked = lm.requests[1].messages[-1].content
    assert '[[ ## previous_answer ## ]]\n{"answer": "x"}' in asked
    assert "[[ ## score ## ]]\n1.0" in asked
    again = lm.requests[2].messages[-1].content
    assert '[[ ## previous_answer ## ]]\n{"answer":"x"}' in again
    assert "[[ ## advice ## ]]\nSay more." in again


def test_steps_keep_the_inputs_of_the_step_so_that_they_can_be_demos() -> None:
    lm = ScriptedLM([chat(answer="x"), chat(advice="Say more."), chat(answer="xyz")])
    prediction = run(Refine(Predict.of(SIGNATURE), length, n=2, threshold=3), lm)
    assert prediction.steps[3].inputs == {"question": "?"}
    assert "Say more." in prediction.steps[3].prompt


def test_a_compiler_sets_one_instruction_and_demos_for_all_attempts() -> None:
    module = Refine(chain_of_thought(SIGNATURE), length, n=2, threshold=9)
    assert list(module.predictors()) == ["step", "feedback"]
    demo = Demo(values={"question": "Q", "reasoning": "R", "answer": "A"})
    state = PredictorState(instruction="Speak at length.", demos=(demo,))
    feedback = PredictorState(instruction="Advise.")
    set_ = module.with_states({"step": state, "feedback": feedback})
    lm = ScriptedLM(
        [chat(reasoning="r", answer="x"), chat(advice="a"), chat(reasoning="r", answer="xy")]
    )
    run(set_, lm)
    for request in (lm.requests[0], lm.requests[2]):
        assert request.messages[0].content.startswith("Speak at length.")
        assert "[[ ## question ## ]]\nQ" in request.messages[1].content
    assert lm.requests[1].messages[0].content.startswith("Advise.")


def test_advice_is_about_the_best_so_far() -> None:
    lm = ScriptedLM(
        [
            chat(answer="xx"),
            chat(advice="a"),
            chat(answer="x"),
            chat(advice="b"),
            chat(answer="xxx"),
        ]
    )
    run(Refine(Predict.of(SIGNATURE), length, n=3, threshold=9), lm)
    assert '{"answer": "xx"}' in lm.requests[3].messages[-1].content


def test_a_failed_attempt_or_unreadable_advice_leads_to_a_plain_one() -> None:
    lm = ScriptedLM(
        ["?", "?", chat(answer="x"), "?", "?", chat(answer="xx")],
    )
    prediction = run(Refine(Predict.of(SIGNATURE), length, n=3, threshold=9), lm)
    assert prediction.values == {"answer": "xx"}
    assert "advice" not in lm.requests[5].messages[-1].content


def test_a_pipeline_takes_the_advice_through_its_instructions() -> None:
    def answer(request: Request) -> Answer:
        head = request.messages[0].content
        if "Say what is to be done otherwise" in head:
            return chat(advice="Say more.")
        if "`thought`" in head.partition("You produce")[2]:
            return chat(thought="t")
        return chat(answer="xyz" if "Say more." in head else "x")

    lm = ScriptedLM(answer)
    module = Refine(chained("question -> thought", "thought -> answer"), length, n=2, threshold=3)
    prediction = run(module, lm)
    assert prediction.values == {"answer": "xyz"}
    head = lm.requests[3].messages[0].content
    assert head.startswith("Given the question, produce the thought.\n\nA former attempt")
    assert '{"answer":"x"}' in head
    assert list(module.predictors()) == ["step.step1", "step.step2", "feedback"]


def test_names_of_fields_do_not_meet_those_of_the_advice() -> None:
    signature = Signature.parse("advice, score, previous_answer -> answer")
    params = read_params(RefineParams, {"n": 2, "rubric": "Long.", "step": "predict"})
    module = REFINE.make(signature, params, {})
    lm = ScriptedLM(
        [
            chat(answer="x"),
            chat(reason="Too short.", score_="0"),
            chat(advice_="Say more."),
            chat(answer="xy"),
            chat(reason="Good.", score_="1"),
        ]
    )
    inputs = {"advice": "1", "score": "2", "previous_answer": "3"}
    found = asyncio.run(module(inputs, Runtime(lm=lm), ""))
    assert found.values == {"answer": "xy"}
    assert "Too short." in lm.requests[2].messages[-1].content
    assert found.steps[3].inputs == inputs
