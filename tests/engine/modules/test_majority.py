"""Majority."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from studio.engine.errors import EngineError, SignatureError
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.modules import Predict, chain_of_thought
from studio.engine.modules.majority import MAJORITY, Majority, MajorityParams, normal
from studio.engine.params import read_params
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from studio.engine.trace import Prediction
from tests.engine.modules.test_predict import chat


def vote(*answers: str, signature: str = "question -> answer", field: str = "") -> Prediction:
    """What samples with these answers come to."""
    module = Majority(Predict.of(signature), MajorityParams(samples=len(answers), field=field))
    name = signature.rpartition(" ")[2] if ":" not in signature else "answer"
    lm = ScriptedLM(lambda request: chat(**{name: answers[request.rollout % 1000]}))
    return asyncio.run(module({"question": "?"}, Runtime(lm=lm), "here"))


def test_the_answer_that_comes_most_often_wins() -> None:
    prediction = vote("Rome", "Paris", " paris\n", "PARIS")
    assert prediction.values == {"answer": "Paris"}
    counted = prediction.steps[-1]
    assert counted.path == "here.vote"
    assert [(one["value"], one["count"]) for one in counted.outputs["votes"]] == [
        ("Paris", 3),
        ("Rome", 1),
    ]


def test_steps_of_what_was_not_taken_are_discarded() -> None:
    prediction = vote("Rome", "Paris", "Paris")
    samples = [step for step in prediction.steps if step.path == "here.step"]
    assert [step.discarded for step in samples] == [True, False, True]


def test_of_equal_numbers_the_earlier_wins() -> None:
    assert vote("b", "a", "a", "b").values == {"answer": "b"}
    assert vote("x", "b", "a").values == {"answer": "x"}


def test_one_sample_is_a_plain_call() -> None:
    assert vote("a").values == {"answer": "a"}


def test_lists_and_numbers_are_compared_as_json() -> None:
    answers = ('["a", "b"]', '["a","b"]', '["b", "a"]')
    found = vote(*answers, signature="question -> answer: list[str]")
    assert found.values == {"answer": ["a", "b"]}
    assert normal(1.0) == normal(1)
    assert normal({"b": 1, "a": [None]}) == normal({"a": [None], "b": 1})
    assert normal(True) != normal("true ")[:-1]
    assert normal("Straße  東京") == normal("STRASSE 東京 ")
    assert normal("e\u0301") == normal("é")
    assert normal("") != normal(None)


def test_it_may_vote_on_another_field() -> None:
    module = Majority(
        chain_of_thought("question -> answer, note"), MajorityParams(samples=3, field="answer")
    )
    notes = ["one", "two", "two"]
    answers = ["a", "b", "a"]

    def script(request: Any) -> str:
        number = request.rollout % 1000
        return chat(reasoning="r", answer=answers[number], note=notes[number])

    found = asyncio.run(module({"question": "?"}, Runtime(lm=ScriptedLM(script)), ""))
    assert found.values["note"] == "one"


def test_an_unknown_field_is_named() -> None:
    signature = Signature.parse("question -> answer")
    params = read_params(MajorityParams, {"field": "colour"})
    with pytest.raises(SignatureError, match=r"“colour”, which is no output\. Outputs are answer"):
        MAJORITY.parts(signature, params)
    with pytest.raises(SignatureError, match="colour"):
        MAJORITY.make(signature, params, {})


def test_parameters_have_bounds() -> None:
    with pytest.raises(EngineError, match="Samples"):
        read_params(MajorityParams, {"samples": 0})


def test_samples_are_asked_at_the_same_time() -> None:
    module = Majority(Predict.of("question -> answer"), MajorityParams(samples=20))
    lm = ScriptedLM(lambda request: chat(answer="a"), latency_s=0.05)

    async def timed() -> float:
        loop = asyncio.get_running_loop()
        before = loop.time()
        await module({"question": "?"}, Runtime(lm=lm), "")
        return loop.time() - before

    assert asyncio.run(timed()) < 0.5
