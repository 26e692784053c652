"""Map: the same for every item, in order, some at a time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import pytest

from studio.engine.errors import InputError, LMRefused, LMTimeout, ParseError, SignatureError
from studio.engine.lm.prompt_reader import read_prompt
from studio.engine.lm.scripted import Answer, ScriptedLM
from studio.engine.messages import Completion, Request
from studio.engine.modules import MODULES
from studio.engine.modules.base import Module
from studio.engine.modules.map_over import MOST_ITEMS
from studio.engine.params import read_params
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from studio.engine.trace import Prediction

KIND = MODULES["map"]


def make(text: str, parts: Mapping[str, Module] | None = None, **params: Any) -> Module:
    """A Map as a node makes it."""
    signature = KIND.ports(Signature.parse(text))
    return KIND.make(
        signature, read_params(KIND.params, {"step": "predict", **params}), parts or {}
    )


def run(module: Module, inputs: Mapping[str, Any], lm: ScriptedLM) -> Prediction:
    """One call."""
    return asyncio.run(module(inputs, Runtime(lm=lm), "each"))


def shout(request: Request) -> Answer:
    """Every output is the first input in capitals; a number is how many letters it has."""
    prompt = read_prompt(request)
    text = prompt.inputs[0]
    return prompt.answer(
        {name: str(len(text)) if name == "lengths" else text.upper() for name in prompt.open}
    )


class Late(ScriptedLM):
    """Later items answer sooner; keeps how many were answered at the same time."""

    def __init__(self) -> None:
        super().__init__(shout)
        self.busy = self.most = 0

    async def complete(self, request: Request) -> Completion:
        self.busy += 1
        self.most = max(self.most, self.busy)
        await asyncio.sleep(0.02 if "[[ ## words ## ]]\na" in request.messages[-1].content else 0)
        found = await super().complete(request)
        self.busy -= 1
        return found


def test_answers_stand_in_the_order_of_the_items() -> None:
    lm = Late()
    module = make("words: list[str], hint -> loud: list[str], lengths: list[int]", concurrency=3)
    found = run(module, {"words": ["a", "bb", "ccc", "d"], "hint": "x"}, lm)
    assert found.values == {"loud": ["A", "BB", "CCC", "D"], "lengths": [1, 2, 3, 1]}
    assert [step.inputs["words"] for step in found.steps] == ["a", "bb", "ccc", "d"]
    assert {step.path for step in found.steps} == {"each.step"}
    assert all(step.inputs["hint"] == "x" for step in found.steps)
    assert lm.most == 3


def test_no_items_cost_nothing() -> None:
    lm = ScriptedLM([])
    found = run(make("words: list[str] -> loud: list[str]"), {"words": []}, lm)
    assert found.values == {"loud": []}
    assert (found.steps, lm.requests) == ((), [])


def test_the_first_failure_ends_the_others_and_names_the_item() -> None:
    def answer(request: Request) -> Answer:
        text = read_prompt(request).inputs[0]
        return LMTimeout("No answer in 5 s.", retry_after_s=3) if text == "c" else shout(request)

    lm = ScriptedLM(answer, latency_s=0.001)
    with pytest.raises(LMTimeout, match=re.escape("Item 3 of “words”: No answer")) as error:
        run(make("words: list[str] -> loud: list[str]"), {"words": [*"abcdefgh"] * 50}, lm)
    assert error.value.retry_after_s == 3
    assert len(lm.requests) < 30


def test_an_error_that_is_raised_twice_is_named_once() -> None:
    same = LMRefused("No.")
    for _ in range(2):
        with pytest.raises(LMRefused, match=r"^Item 1 of “words”: No\.$"):
            run(
                make("words: list[str] -> loud: list[str]"),
                {"words": ["a"]},
                ScriptedLM(lambda request: same),
            )
    assert str(same) == "No."


def test_an_unreadable_item_says_which_field_it_was() -> None:
    with pytest.raises(ParseError, match="Item 1 of “words”") as error:
        run(
            make("words: list[str] -> lengths: list[int]"),
            {"words": ["a"]},
            ScriptedLM(lambda request: "[[ ## lengths ## ]]\nmany"),
        )
    assert error.value.field == "lengths"


def test_too_many_items_are_refused_before_the_first_is_asked() -> None:
    lm = ScriptedLM(shout)
    with pytest.raises(InputError, match="1,001 items; a Map takes 1,000"):
        run(make("words: list[str] -> loud: list[str]"), {"words": ["a"] * (MOST_ITEMS + 1)}, lm)
    assert not lm.requests


def test_which_list_can_be_said() -> None:
    module = make("tags: list[str], words: list[str] -> loud: list[str]", over="words")
    ((signature, _),) = module.predictors().values()
    assert str(signature) == "tags: list[str], words -> loud"
    found = run(module, {"tags": ["x", "y"], "words": ["a"]}, ScriptedLM(shout))
    assert found.values == {"loud": ['["X", "Y"]']}


@pytest.mark.parametrize(
    ("signature", "params", "says"),
    [
        ("word -> loud: list[str]", {}, "needs a list among its inputs"),
        ("words: list[str] -> loud", {}, "write loud: list[str]"),
        ("words: list[str], n: int -> loud: list[str]", {"over": "n"}, "no list among its inputs"),
        ("words: list[str] -> loud: list[str]", {"over": "gone"}, "Lists are words"),
    ],
)
def test_what_cannot_be_mapped_is_told(signature: str, params: Any, says: str) -> None:
    with pytest.raises(SignatureError, match=re.escape(says)):
        make(signature, **params)
