"""The Template step: values in a text."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.errors import InputError, ParseError, SignatureError
from studio.engine.fields import Constraints
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.modules.template import Template, TemplateParams
from studio.engine.runtime import Runtime
from studio.engine.signature import Field, Signature


def fill(
    template: str, inputs: Mapping[str, Any], signature: Signature | str = "name -> text"
) -> str:
    """The text."""
    module = Template.of(signature, TemplateParams(template=template))
    prediction = asyncio.run(module(inputs, Runtime(lm=ScriptedLM([])), "letter"))
    (step,) = prediction.steps
    assert step.path == "letter"
    assert step.outputs == prediction.values
    text = prediction.values["text"]
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Dear {name},", "Dear Ada,"),
        ("{name}{name}", "AdaAda"),
        ("{ name }", "Ada"),
        ("no place", "no place"),
        ("{{name}}", "{name}"),
        ("{{{name}}}", "{Ada}"),
        ("{{}}", "{}"),
        ("a\n{name}\n", "a\nAda\n"),
    ],
)
def test_places_are_filled(template: str, text: str) -> None:
    assert fill(template, {"name": "Ada"}) == text


@pytest.mark.parametrize(
    ("type_", "value", "text"),
    [
        ("int", 3, "3"),
        ("bool", True, "true"),
        ("float", 0.5, "0.5"),
        ("date", "2024-02-29", "2024-02-29"),
        ("enum[a, b]", "a", "a"),
        ("list[str]", ["one", "two"], "1. one\n2. two"),
        ("list[int]", [], ""),
        ("list[list[int]]", [[1, 2]], "1. [1, 2]"),
        ("dict[str, int]", {"a": 1}, '{"a": 1}'),
        ("optional[int]", None, ""),
        ("optional[list[str]]", ["one"], "1. one"),
    ],
)
def test_every_type_has_its_text(type_: str, value: Any, text: str) -> None:
    assert fill("{name}", {"name": value}, f"name: {type_} -> text") == text


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{other}", "“other”, which is no input. Inputs are name"),
        ("{text}", "“text”, which is no input"),
        ("{}", "“”, which is no input"),
        ("{name.__class__}", "name.__class__"),
        ("{name[0]}", "name\\[0\\]"),
        ("{name!r}", "name!r"),
        ("{name:>10}", "name:>10"),
        ("{0}", "“0”"),
        ("{name", "write {{"),
        ("name}", "write }}"),
        ("{{name}", "write }}"),
        ("{a{name}}", "write {{"),
        ("", "empty"),
        (" \n", "empty"),
        ("x" * 100_001, "100,000"),
    ],
)
def test_what_is_no_place_is_told_when_it_is_made(template: str, words: str) -> None:
    with pytest.raises(SignatureError, match=words):
        Template.of("name -> text", TemplateParams(template=template))


@pytest.mark.parametrize(
    "signature", ["name -> a, b", "name -> count: int", "name -> l: list[str]"]
)
def test_it_has_one_text_as_output(signature: str) -> None:
    with pytest.raises(SignatureError, match="exactly one output"):
        Template.of(signature, TemplateParams(template="{name}"))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_values_are_not_read_as_templates(value: str) -> None:
    assert fill("<{name}>{name}", {"name": value}) == f"<{value}>{value}"
    assert fill("<{name}>", {"name": f"{{name}}{value}{{{{"}) == f"<{{name}}{value}{{{{>"


def test_bad_inputs_and_outputs_are_named() -> None:
    with pytest.raises(InputError, match="name"):
        fill("{name}", {})
    long = Field(name="text", role="output", constraints=Constraints(max_length=3))
    signature = Signature((Field(name="name", role="input"), long))
    assert fill("{name}", {"name": "abc"}, signature) == "abc"
    with pytest.raises(ParseError, match="text"):
        fill("{name}", {"name": "abcd"}, signature)
