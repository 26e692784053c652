"""Tools of a real MCP server, over stdio and over HTTP on this machine."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from studio.engine.errors import ToolError
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.modules.react import ReAct, ReActParams
from studio.engine.runtime import Runtime
from studio.engine.tools.mcp_client import McpServer, McpTool, mcp_tools, tool_name
from tests.engine.modules.test_predict import chat
from tests.engine.tools.servers import serving

pytest.importorskip("mcp")

SCRIPT = str(Path(__file__).parent / "mcp_server.py")


def stdio(**more: Any) -> McpServer:
    """The server behind a command."""
    return McpServer("test", command=[sys.executable, SCRIPT], **more)


async def look_around(server: McpServer) -> None:
    """List, call, and be refused."""
    tools = await mcp_tools(server)
    assert {"add", "greet", "odd_name_with_signs"} <= set(tools)
    spec = tools["add"].spec
    assert (spec.name, spec.description) == ("add", "Adds two numbers.")
    assert spec.parameters["required"] == ["a", "b"]
    assert await tools["add"]({"a": 1, "b": 2}) == "3"
    assert await tools["greet"]({"name": "東京"}) == "Grüße, 東京!"
    assert await tools["odd_name_with_signs"]({}) == "odd"
    assert await tools["picture"]({}) == "(An image, image/png, about 402 bytes.)"
    assert "left out here" in await tools["long"]({})
    with pytest.raises(ToolError, match="printer is on fire"):
        await tools["fail"]({})
    for arguments in ({"a": 1}, {"a": "x", "b": 2}, {"a": 1, "b": 2, "c": 3}):
        with pytest.raises(ToolError, match="arguments of “add” do not fit"):
            await tools["add"](arguments)
    found = await asyncio.gather(*(tools["add"]({"a": n, "b": 1}) for n in range(20)))
    assert found == [str(n + 1) for n in range(20)]
    await server.aclose()
    assert await tools["add"]({"a": 1, "b": 2}) == "3"
    await server.aclose()


def test_stdio() -> None:
    asyncio.run(look_around(stdio()))


def test_http(mcp_url: str) -> None:
    asyncio.run(look_around(McpServer("test", url=mcp_url)))


def test_every_loop_has_its_own_connection_which_ends_with_it() -> None:
    server = stdio()
    tool = McpTool(server, "greet")
    for _ in range(2):
        assert asyncio.run(tool({"name": "a"})) == "Grüße, a!"


def test_nothing_of_our_environment_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_SECRET", "s3cret")
    server = stdio(env={"GIVEN": "given"})
    assert asyncio.run(McpTool(server, "secret")({})) == "none given"
    assert "given" not in repr(server)


def test_a_server_that_dies_is_an_error_and_is_started_anew() -> None:
    async def run() -> None:
        server = stdio(timeout_s=10)
        with pytest.raises(ToolError, match="“test” did not answer"):
            await McpTool(server, "die")({})
        assert await McpTool(server, "greet")({"name": "b"}) == "Grüße, b!"
        await server.aclose()

    asyncio.run(run())


def test_a_slow_tool_is_given_up() -> None:
    async def run() -> None:
        server = stdio(timeout_s=2.5)
        tool = McpTool(server, "slow")
        await tool.prepare()
        with pytest.raises(ToolError, match=r"did not answer in 2\.5 s"):
            await tool({})
        await server.aclose()

    asyncio.run(run())


@pytest.mark.parametrize("command", [["/nowhere/at/all"], ["false"], ["echo", "no protocol"]])
def test_a_command_that_is_no_server(command: list[str]) -> None:
    server = McpServer("broken", command=command, timeout_s=3)
    with pytest.raises(ToolError, match="“broken”"):
        asyncio.run(mcp_tools(server))


def test_an_address_without_a_server() -> None:
    server = McpServer("gone", url="http://127.0.0.1:9/mcp", headers={"X": "s3cret"}, timeout_s=3)
    with pytest.raises(ToolError, match="“gone”") as error:
        asyncio.run(mcp_tools(server))
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize("answer", ["nonsense", "{}", '{"jsonrpc": "2.0", "id": 1, "result": 3}'])
def test_an_address_that_answers_nonsense(answer: str) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(text=answer, content_type="application/json")

    async def run() -> None:
        async with serving(handler) as here:
            with pytest.raises(ToolError, match="“odd”"):
                await mcp_tools(McpServer("odd", url=here, timeout_s=2))

    asyncio.run(run())


def test_a_tool_that_the_server_has_not(mcp_url: str) -> None:
    with pytest.raises(ToolError, match="has no tool “fly”"):
        asyncio.run(McpTool(McpServer("test", url=mcp_url), "fly").prepare())


def test_a_cancelled_call_lets_the_others_go_on() -> None:
    async def run() -> None:
        server = stdio()
        tool = McpTool(server, "greet")
        await tool.prepare()
        task = asyncio.create_task(McpTool(server, "slow")({}))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.aclose()
        assert await tool({"name": "c"}) == "Grüße, c!"
        await server.aclose()

    asyncio.run(run())


def test_names_that_are_taken_get_the_server_s_in_front(mcp_url: str) -> None:
    async def run() -> None:
        server = McpServer("test", url=mcp_url)
        tools = await mcp_tools(server, taken={"add", "test_add", "greet"})
        assert {"test_add_2", "test_greet", "fail"} <= set(tools)
        assert await tools["test_add_2"]({"a": 1, "b": 1}) == "2"
        await server.aclose()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("read_file", "read_file"),
        ("a b/c", "a_b_c"),
        ("9lives", "tool_9lives"),
        ("日本", "tool_"),
        ("", "tool_"),
        ("x" * 100, "x" * 64),
    ],
)
def test_names(text: str, name: str) -> None:
    assert tool_name(text) == name


@pytest.mark.parametrize("more", [{}, {"url": "http://x/", "command": ["x"]}, {"url": "ftp://x"}])
def test_servers_that_make_no_sense(more: dict[str, Any]) -> None:
    with pytest.raises(ToolError):
        McpServer("x", **more)


def test_an_agent_uses_a_tool_whose_spec_is_not_known_before(mcp_url: str) -> None:
    steps = [
        chat(thought="Add.", tool="add", arguments=json.dumps({"a": 20, "b": 22})),
        chat(thought="Done.", tool="finish", arguments="{}"),
        chat(reasoning="r", answer="42"),
    ]
    lm = ScriptedLM(steps)
    agent = ReAct.of("question -> answer: int", ReActParams(tools=("add",)))

    async def run() -> Any:
        server = McpServer("test", url=mcp_url)
        runtime = Runtime(lm=lm, tools={"add": McpTool(server, "add")})
        try:
            return await agent({"question": "20 + 22?"}, runtime, "")
        finally:
            await server.aclose()

    prediction = asyncio.run(run())
    assert prediction.values["answer"] == 42
    assert "Adds two numbers." in lm.requests[0].messages[0].content
    assert prediction.steps[1].outputs == {"answer": "42"}
