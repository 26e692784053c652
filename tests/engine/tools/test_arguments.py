"""Arguments against the schema of a tool, and several tools together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.errors import InputError, ToolError
from studio.engine.messages import ToolSpec
from studio.engine.tools.arguments import Arguments
from studio.engine.tools.toolbox import Toolbox, cut_middle, open_toolbox


def read(parameters: Mapping[str, Any], **arguments: Any) -> dict[str, Any]:
    """Read arguments for a tool that takes `parameters`."""
    return Arguments(ToolSpec("t", "T.", parameters)).read(arguments)


def of(**properties: Any) -> dict[str, Any]:
    """A schema."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def test_what_fits_comes_back() -> None:
    schema = of(a={"type": "integer", "minimum": 1}, b={"enum": ["x", "y"]})
    assert read(schema, a=2, b="x") == {"a": 2, "b": "x"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "'a' is a required property"),
        ({"a": "2"}, "a: '2' is not of type 'integer'"),
        ({"a": True}, "a: True is not of type 'integer'"),
        ({"a": 0}, "a: 0 is less than the minimum of 1"),
        ({"a": 1, "c": 3}, "there is no argument “c”; known are a"),
        ({"a": float("nan")}, "no JSON"),
        ({"a": {1, 2}}, "no JSON"),
        ({"a": "x" * 10**6}, "1,000,009 characters"),
        ({"a": "x" * 10**5}, "is not of type 'integer'"),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ToolError) as error:
        read(of(a={"type": "integer", "minimum": 1}), **arguments)
    assert words in str(error.value)
    assert len(str(error.value)) < 500


def test_a_tool_without_a_schema_takes_anything() -> None:
    assert read({"type": "object"}, a=1) == {"a": 1}
    assert read({"type": "object", "properties": {}, "additionalProperties": True}, a=1)


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ToolError, match="nested too deeply"):
        read(of(a={}), a=deep)


def test_a_schema_that_refers_elsewhere_is_never_fetched() -> None:
    # The guard on sockets would raise something else.
    with pytest.raises(ToolError, match="refers to something that it does not hold"):
        read(of(a={"$ref": "http://127.0.0.1:9/schema.json"}), a=1)


def test_a_schema_that_asks_for_endless_work_is_given_up() -> None:
    schema = {
        "type": "object",
        "$ref": "#/$defs/a",
        "$defs": {
            "a": {"allOf": [{"$ref": "#/$defs/b"}] * 50},
            "b": {"allOf": [{"$ref": "#/$defs/c"}] * 50},
            "c": {"allOf": [{"$ref": "#/$defs/d"}] * 50},
            "d": {"allOf": [{"type": "object"}] * 50},
        },
    }
    with pytest.raises(ToolError, match="refers to itself too often"):
        read(schema, a=1)


@pytest.mark.parametrize("keyword", ["pattern", "patternProperties", "additionalProperties"])
def test_a_pattern_that_never_ends_is_given_up(keyword: str) -> None:
    evil, text = r"^(a|aa)+$", "a" * 60 + "!"
    schemas: dict[str, dict[str, Any]] = {
        "pattern": of(a={"type": "string", "pattern": evil}),
        "patternProperties": {"type": "object", "patternProperties": {evil: False}},
        "additionalProperties": {
            "type": "object",
            "patternProperties": {evil: {}},
            "additionalProperties": False,
        },
    }
    before = time.perf_counter()
    with pytest.raises(ToolError, match="takes too long"):
        read(schemas[keyword], **({"a": text} if keyword == "pattern" else {text: 1}))
    assert time.perf_counter() - before < 15


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=5))
def test_anything_is_read_or_refused(arguments: dict[str, Any]) -> None:
    tool = Arguments(ToolSpec("t", "T.", of(a={"type": "array", "items": {"type": "string"}})))
    problem = ""
    try:
        assert tool.read(arguments) == arguments
    except ToolError as error:
        problem = str(error)
    assert not problem or problem.endswith(".")


class Echo:
    """A tool of somebody who checks nothing."""

    def __init__(self, name: str = "echo") -> None:
        self.spec = ToolSpec(name, "E.", of(text={"type": "string"}))

    async def __call__(self, arguments: Mapping[str, Any]) -> str:
        """See `Tool.__call__`."""
        return str(arguments["text"])


def test_a_toolbox_checks_for_tools_that_do_not() -> None:
    box = Toolbox({"echo": Echo()})
    assert asyncio.run(box.call("echo", {"text": "a\x00b"})) == "ab"
    with pytest.raises(ToolError, match="do not fit"):
        asyncio.run(box.call("echo", {}))
    with pytest.raises(ToolError, match=r"no tool “fly”. There are echo\."):
        asyncio.run(box.call("fly", {}))


def test_a_tool_is_offered_under_its_key() -> None:
    box = Toolbox({"say": Echo()})
    assert [spec.name for spec in box.specs] == ["say"]
    with pytest.raises(ToolError, match="arguments of “say”"):
        asyncio.run(box.call("say", {}))


def test_a_tool_that_is_not_there() -> None:
    with pytest.raises(InputError, match="There are echo"):
        asyncio.run(open_toolbox(["fly"], {"echo": Echo()}))


@given(st.text(max_size=300), st.integers(min_value=100, max_value=250))
def test_cutting_keeps_beginning_end_and_bound(text: str, most: int) -> None:
    cut = cut_middle(text, most)
    assert len(cut) <= most
    if len(text) <= most:
        assert cut == text
    else:
        assert text.startswith(cut[:5])
        assert text.endswith(cut[-5:])
