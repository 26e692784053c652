"""BestOfN, with every kind of reward."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from studio.engine.errors import InputError, ParseError, SandboxError, SignatureError
from studio.engine.example import PredictorState
from studio.engine.lm.scripted import Answer, ScriptedLM
from studio.engine.messages import Request
from studio.engine.modules import Predict
from studio.engine.modules.best_of_n import BEST_OF_N, BestOfN, BestOfNParams
from studio.engine.modules.rewards import RubricReward
from studio.engine.params import read_params
from studio.engine.runtime import Runtime
from studio.engine.sandbox.base import Outcome
from studio.engine.sandbox.monty import MontySandbox
from studio.engine.signature import Signature
from studio.engine.trace import Prediction
from tests.engine.modules.builders import chained
from tests.engine.modules.test_predict import chat

SIGNATURE = Signature.parse("question -> answer")


def counting(request: Request) -> Answer:
    """Longer answers from attempt to attempt."""
    return chat(reasoning="r", answer="x" * (request.rollout % 1000 + 1))


def length(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> float:
    """A reward: how long the answer is."""
    return float(len(outputs["answer"]))


def run(module: BestOfN, lm: ScriptedLM | None = None, **more: Any) -> Prediction:
    """One question."""
    runtime = Runtime(lm=lm or ScriptedLM(counting), **more)
    return asyncio.run(module({"question": "?"}, runtime, "here"))


def test_it_stops_when_an_answer_is_good_enough() -> None:
    lm = ScriptedLM(counting)
    prediction = run(BestOfN(Predict.of(SIGNATURE), length, n=9, threshold=3), lm)
    assert prediction.values == {"answer": "xxx"}
    assert len(lm.requests) == 3
    assert [(step.path, step.discarded) for step in prediction.steps] == [
        ("here.step", True),
        ("here.reward", True),
        ("here.step", True),
        ("here.reward", True),
        ("here.step", False),
        ("here.reward", False),
    ]
    assert prediction.steps[-1].outputs == {"reward": 3.0}


def test_the_best_is_taken_and_of_equals_the_first() -> None:
    rewards = {1: 0.5, 2: 0.9, 3: 0.9, 4: 0.1}
    module = BestOfN(
        Predict.of(SIGNATURE), lambda inputs, outputs: rewards[len(outputs["answer"])], n=4
    )
    assert run(module).values == {"answer": "xx"}


def test_all_at_once_asks_all() -> None:
    lm = ScriptedLM(counting, latency_s=0.02)
    module = BestOfN(Predict.of(SIGNATURE), length, n=5, threshold=1, parallel=True)
    assert run(module, lm).values == {"answer": "xxxxx"}
    assert len(lm.requests) == 5


def test_a_reward_may_be_asynchronous() -> None:
    async def reward(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> float:
        await asyncio.sleep(0)
        return length(inputs, outputs)

    assert run(BestOfN(Predict.of(SIGNATURE), reward, n=2, threshold=9)).values["answer"] == "xx"


@pytest.mark.parametrize("value", [math.nan, math.inf, "0.5", None, [1.0]])
def test_a_reward_that_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(SandboxError, match="A reward is a number"):
        run(BestOfN(Predict.of(SIGNATURE), lambda inputs, outputs: value))


def test_what_a_function_raises_passes_through() -> None:
    def broken(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> float:
        raise KeyError("colour")

    with pytest.raises(KeyError, match="colour"):
        run(BestOfN(Predict.of(SIGNATURE), broken))


class Calculator:
    """A sandbox that counts letters, and fails for answers of one."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def run(self, code: str, inputs: Mapping[str, Any], **more: Any) -> Outcome:
        """See `Sandbox.run`."""
        self.seen.append(code)
        (found,) = [value for value in inputs.values() if isinstance(value, list)]
        asked, outputs = found
        assert asked == {"question": "?"}
        if len(outputs["answer"]) == 1:
            raise SandboxError("ZeroDivisionError")
        return Outcome(len(outputs["answer"]))

    async def aclose(self) -> None:
        """Nothing to end."""


CODE = "def reward(inputs, outputs):\n    return len(outputs['answer'])"


def test_a_reward_in_python_runs_in_the_sandbox_and_may_fail_for_one() -> None:
    params = read_params(BestOfNParams, {"n": 3, "reward": CODE, "threshold": 2.0})
    module = BEST_OF_N.make(SIGNATURE, params, {})
    sandbox = Calculator()
    prediction = run(module, sandbox=sandbox)  # type: ignore[arg-type]
    assert prediction.values == {"answer": "xx"}
    assert all(CODE in code for code in sandbox.seen)
    with pytest.raises(InputError, match="no sandbox"):
        run(module)  # type: ignore[arg-type]


def test_a_rubric_is_asked_of_the_lm() -> None:
    def answer(request: Request) -> Answer:
        if "Judge the answer" not in request.messages[0].content:
            return counting(request)
        good = "xx" in request.messages[-1].content
        return chat(reason="It is long.", score="1" if good else "0.25")

    lm = ScriptedLM(answer)
    params = read_params(BestOfNParams, {"n": 5, "rubric": "It has {two} letters."})
    module = BEST_OF_N.make(SIGNATURE, params, {})
    assert list(module.predictors()) == ["step", "judge"]
    prediction = run(module, lm)  # type: ignore[arg-type]
    assert prediction.values == {"answer": "xx"}
    assert [step.path for step in prediction.steps] == ["here.step", "here.judge"] * 2
    assert "It has {two} letters." in lm.requests[1].messages[-1].content
    assert prediction.usage.calls == 4
    changed = module.with_states(
        {
            **{path: state for path, (_, state) in module.predictors().items()},
            "judge": PredictorState(instruction="Judge the answer: new."),
        }
    )
    run(changed, lm)  # type: ignore[arg-type]
    assert lm.requests[5].messages[0].content.startswith("Judge the answer: new.")


def test_a_score_beyond_its_bounds_is_asked_for_again() -> None:
    answers = iter([chat(answer="a"), chat(reason="r", score="7"), chat(reason="r", score="1")])
    module = BestOfN(Predict.of(SIGNATURE), RubricReward.of("Good.", SIGNATURE), n=1)
    prediction = run(module, ScriptedLM(answers))
    assert prediction.steps[1].retries == 1


def test_a_judge_that_cannot_be_read_fails_the_attempt() -> None:
    module = BestOfN(Predict.of(SIGNATURE), RubricReward.of("Good.", SIGNATURE), n=2)
    answers = [chat(answer="a"), "?", "?", chat(answer="b"), chat(reason="r", score="0")]
    prediction = run(module, ScriptedLM(answers))
    assert prediction.values == {"answer": "b"}
    assert [step.discarded for step in prediction.steps] == [True, False, False]
    with pytest.raises(ParseError):
        run(module, ScriptedLM([chat(answer="a"), "?", "?"] * 2))


def test_names_of_fields_do_not_meet_those_of_the_judge() -> None:
    signature = Signature.parse("rubric, score, reason -> answer")
    reward = RubricReward.of("Good.", signature)
    assert [field.name for field in reward.judge.signature.fields] == [
        "rubric_",
        "rubric",
        "score",
        "reason",
        "answer",
        "reason_",
        "score_",
    ]
    answers = [chat(answer="a"), chat(reason_="r", score_="1")]
    runtime = Runtime(lm=ScriptedLM(answers))
    inputs = {"rubric": "1", "score": "2", "reason": "3"}
    found = asyncio.run(BestOfN(Predict.of(signature), reward)(inputs, runtime, ""))
    assert found.values == {"answer": "a"}


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "exactly one way"),
        ({"reward": CODE, "rubric": "x"}, "exactly one way"),
        ({"reward": "x = 1"}, "does not define"),
    ],
)
def test_it_has_either_code_or_a_rubric(params: dict[str, str], words: str) -> None:
    read = read_params(BestOfNParams, params)
    with pytest.raises(SignatureError, match=words):
        BEST_OF_N.parts(SIGNATURE, read)
    with pytest.raises(SignatureError, match=words):
        BEST_OF_N.make(SIGNATURE, read, {})


def test_a_pipeline_may_be_its_step() -> None:
    params = read_params(BestOfNParams, {"n": 2, "rubric": "Good."})
    body = chained("question -> thought", "thought -> answer")
    module = BEST_OF_N.make(SIGNATURE, params, {"body": body})
    assert list(module.predictors()) == ["step.step1", "step.step2", "judge"]


def test_it_answers_the_node_s_outputs_and_no_reasoning() -> None:
    params = read_params(BestOfNParams, {"n": 1, "rubric": "Good."})
    module = BEST_OF_N.make(SIGNATURE, params, {})
    lm = ScriptedLM([chat(reasoning="r", answer="a"), chat(reason="r", score="1")])
    assert run(module, lm).values == {"answer": "a"}  # type: ignore[arg-type]


def test_a_reward_in_the_real_sandbox() -> None:
    code = (
        "def reward(inputs, outputs):\n"
        "    if len(outputs['answer']) == 1:\n"
        "        raise ValueError('too short for ' + inputs['question'])\n"
        "    return len(outputs['answer']) / 4"
    )
    params = read_params(BestOfNParams, {"n": 5, "reward": code})
    module = BEST_OF_N.make(SIGNATURE, params, {})
    assert isinstance(module, BestOfN)

    async def go(most: int) -> Prediction:
        sandbox = MontySandbox(processes=1)
        runtime = Runtime(lm=ScriptedLM(counting), sandbox=sandbox)
        try:
            return await replace(module, n=most)({"question": "?"}, runtime, "")
        finally:
            await sandbox.aclose()

    assert asyncio.run(go(5)).values == {"answer": "xxxx"}
    with pytest.raises(SandboxError, match=r"too short for \?"):
        asyncio.run(go(1))
