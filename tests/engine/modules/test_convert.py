"""Convert: one value, another type."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from studio.engine.errors import EngineError, InputError, ParseError, SignatureError
from studio.engine.fields import Constraints, parse_type
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.modules.convert import CONVERT, Convert, ConvertParams
from studio.engine.params import read_params
from studio.engine.runtime import Runtime
from studio.engine.signature import Field, Signature
from studio.engine.trace import Prediction


def call(module: Convert, inputs: dict[str, Any]) -> Prediction:
    """Run it; no LM is asked."""

    async def run() -> Prediction:
        return await module(inputs, Runtime(lm=ScriptedLM(lambda request: "no")), "clean")

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("signature", "rule", "value", "expected"),
    [
        ("text -> lines: list[str]", "", "a\nb", ["a", "b"]),
        ("text -> lines: list[str]", "wrap", "a\nb", ["a\nb"]),
        ("text -> lines: list[str]", "read_json", '["a"]', ["a"]),
        ("score: float -> stars: int", "", 3.5, 4),
        ("maybe: optional[str] -> text", "", "x", "x"),
        ("text -> size: optional[int]", "", "7", 7),
        ("count: int -> text", "", 3, "3"),
        ("a: object -> b: object[x: int]", "", {"x": 1}, {"x": 1}),
    ],
)
def test_a_value_is_converted(signature: str, rule: str, value: Any, expected: Any) -> None:
    module = Convert.of(signature, rule)
    source, target = module.signature.fields
    prediction = call(module, {source.name: value})
    assert prediction.values == {target.name: expected}
    (step,) = prediction.steps
    assert (step.path, step.prompt, step.answer) == ("clean", "", "")
    assert step.inputs == {source.name: value}
    assert step.outputs == {target.name: expected}
    assert prediction.usage.calls == 0


def test_the_constraints_of_the_output_are_kept() -> None:
    stars = Field(
        name="stars", role="output", type=parse_type("int"), constraints=Constraints(max=5)
    )
    module = Convert.of(Signature((Field(name="text", role="input"), stars)))
    assert call(module, {"text": "5"}).values == {"stars": 5}
    with pytest.raises(ParseError, match=r"text → stars \(Read a number\): stars: expected 5 or"):
        call(module, {"text": "6"})


@pytest.mark.parametrize(
    ("signature", "rule", "value", "says"),
    [
        ("text -> size: int", "", "many", r"text → size \(Read a number\): value: expected int"),
        ("maybe: optional[str] -> text", "", None, "Must be there.*absent"),
        ("items: list[int] -> one: int", "", [], "no first item"),
    ],
)
def test_what_cannot_be_converted_is_told(
    signature: str, rule: str, value: Any, says: str
) -> None:
    module = Convert.of(signature, rule)
    with pytest.raises(ParseError, match=says):
        call(module, {module.signature.inputs[0].name: value})


def test_a_wrong_input_is_told() -> None:
    with pytest.raises(InputError, match="score: expected float"):
        call(Convert.of("score: float -> stars: int"), {"score": "many"})


@pytest.mark.parametrize(
    ("signature", "rule", "says"),
    [
        ("a, b -> c", "", "one input and one output"),
        ("a -> b, c", "", "one input and one output"),
        ("a: int -> b: image", "", "no conversion from int to image"),
        ("a -> b: int", "join_lines", "“join_lines” does not lead from str to int.*read_number"),
        ("a: int -> b", "round", "Nothing needs to be converted"),
    ],
)
def test_a_convert_that_cannot_be_is_refused(signature: str, rule: str, says: str) -> None:
    with pytest.raises(SignatureError, match=says):
        CONVERT.make(Signature.parse(signature), ConvertParams(rule=rule), {})


def test_the_ports_are_checked_before_it_is_made() -> None:
    with pytest.raises(SignatureError, match="one input and one output"):
        CONVERT.ports(Signature.parse("a, b -> c"))


def test_the_rule_is_one_of_the_table() -> None:
    with pytest.raises(EngineError, match="none of"):
        read_params(ConvertParams, {"rule": "guess"})
