"""The operator's tools, out of their JSON."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from studio.engine.errors import ToolError
from studio.engine.tools.base import Tool
from studio.engine.tools.config import close_tools, make_tools
from tests.engine.tools.test_contract import Parrot

HTTP = {"kind": "http", "name": "fetch", "description": "F.", "allow": ["example.com"]}
MCP = {"kind": "mcp", "name": "files", "command": ["never-started"], "tools": ["read", "a b"]}


def test_tools_are_made_and_nothing_is_connected() -> None:
    orders = {
        "kind": "http",
        "name": "order",
        "description": "O.",
        "url": "https://api.example.com/{id}",
        "headers": {"X-Key": "k"},
        "timeout_s": 3,
    }
    tools = make_tools([HTTP, orders, MCP, {"kind": "python"}], sandbox=Parrot())
    assert list(tools) == ["fetch", "order", "read", "a_b", "python"]
    assert all(isinstance(tool.spec.name, str) for tool in tools.values())
    made: Tool = tools["order"]
    assert made.spec.parameters["required"] == ["id"]
    asyncio.run(close_tools(tools))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "a list of objects"),
        ("http", "a list of objects"),
        (None, "a list of objects"),
        (["http"], "Tool 1: expected an object"),
        ([{}], "Tool 1: “kind” is missing"),
        ([{"kind": "shell"}], "Tool 1: “kind” must be one of http, mcp, python"),
        ([{"kind": 3}], "“kind” must be a text"),
        ([HTTP, HTTP], "Tool 2: there is a tool “fetch” already"),
        ([{**HTTP, "name": "a b"}], "no name that a model can call"),
        ([{**HTTP, "name": "finish"}], "no name that a model can call"),
        ([{**HTTP, "name": None}], "“name” is missing"),
        ([{**HTTP, "allow": "example.com"}], "“allow” must be a list of texts"),
        ([{**HTTP, "allow": [3]}], "“allow” must be a list of texts"),
        ([{**HTTP, "allow": []}], "Tool 1: The tool “fetch” needs a host"),
        ([{**HTTP, "alow_private": ["x"]}], "“alow_private” is not known. Known are allow"),
        ([{**HTTP, "headers": {"A": 3}}], "“headers” must be an object of texts"),
        ([{**HTTP, "timeout_s": 0}], "“timeout_s” must be a number above 0"),
        ([{**HTTP, "timeout_s": True}], "“timeout_s” must be a number above 0"),
        ([{**HTTP, "timeout_s": float("nan")}], "“timeout_s” must be a number above 0"),
        ([{**HTTP, "parameters": []}], "“parameters” must be an object"),
        ([{**MCP, "tools": []}], "a list of the server's tools"),
        ([{**MCP, "url": "https://x.org/mcp"}], "either a url or a command"),
        ([{**MCP, "command": "rm -rf /"}], "“command” must be a list of texts"),
        ([{"kind": "python"}], "needs a sandbox"),
        ([HTTP] * 201, "200 is the most"),
    ],
)
def test_what_is_wrong_is_named(config: Any, words: str) -> None:
    with pytest.raises(ToolError) as error:
        make_tools(config)
    assert words in str(error.value)


def test_secrets_are_not_in_errors() -> None:
    for broken in (
        {**HTTP, "headers": {"A": ["s3cret"]}},
        {**HTTP, "headers": "s3cret"},
        {**HTTP, "headers": {"A": "s3cret\n"}},
        {**MCP, "env": {"A": 3, "B": "s3cret"}},
    ):
        with pytest.raises(ToolError) as error:
            make_tools([broken])
        assert "s3cret" not in str(error.value)
