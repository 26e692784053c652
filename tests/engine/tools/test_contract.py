"""What every tool keeps to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

import pytest
from aiohttp import web
from jsonschema import Draft202012Validator

from studio.engine.errors import RetrievalError, SandboxError, ToolError
from studio.engine.retrieval.base import Passage
from studio.engine.sandbox.base import Outcome
from studio.engine.tools.base import Tool
from studio.engine.tools.http_tool import HttpTool
from studio.engine.tools.mcp_client import McpServer, mcp_tools
from studio.engine.tools.python_tool import PythonTool
from studio.engine.tools.retrieval_tool import RetrievalTool
from tests.engine.tools.servers import serving


async def page(request: web.Request) -> web.StreamResponse:
    """A web server that says what it was asked; it is slow to answer and can fail."""
    asked = request.query.get("text", "")
    if asked == "fail":
        return web.Response(status=500, text="Broken.")
    await asyncio.sleep(0.02)
    return web.Response(text=asked)


class Library:
    """A collection that finds the query itself."""

    async def search(self, query: str, k: int) -> tuple[Passage, ...]:
        """See `Retriever.search`."""
        await asyncio.sleep(0.02)
        if query == "fail":
            raise RetrievalError("The collection is gone.")
        return (Passage(text=query, title="Found"),)


class Parrot:
    """A sandbox that answers the code."""

    async def run(self, code: str, inputs: Any, **more: Any) -> Outcome:
        """See `Sandbox.run`."""
        await asyncio.sleep(0.02)
        if code == "fail":
            raise SandboxError("Line 1: NameError.")
        return Outcome(code)

    async def aclose(self) -> None:
        """Nothing to end."""


@asynccontextmanager
async def http_tool() -> AsyncIterator[tuple[Tool, str]]:
    """GET with one place."""
    async with serving(page) as here:
        yield HttpTool("page", "A page.", url=here + "/?text={text}"), "text"


@asynccontextmanager
async def retrieval_tool() -> AsyncIterator[tuple[Tool, str]]:
    """One collection."""
    yield RetrievalTool(Library()), "query"


@asynccontextmanager
async def python_tool() -> AsyncIterator[tuple[Tool, str]]:
    """Code in a sandbox."""
    yield PythonTool(Parrot()), "code"


@asynccontextmanager
async def mcp_tool(url: str) -> AsyncIterator[tuple[Tool, str]]:
    """A tool of an MCP server."""
    server = McpServer("test", url=url)
    try:
        yield (await mcp_tools(server))["greet"], "name"
    finally:
        await server.aclose()


TOOLS: dict[str, Callable[[], AbstractAsyncContextManager[tuple[Tool, str]]]] = {
    "http": http_tool,
    "retrieval": retrieval_tool,
    "python": python_tool,
}
Use = Callable[[Tool, str], Awaitable[None]]


@pytest.fixture(params=[*TOOLS, "mcp"])
def use(request: pytest.FixtureRequest) -> Callable[[Use], None]:
    """Runs something with a tool and the name of its one argument, a text."""
    if request.param == "mcp":
        make: Callable[[], AbstractAsyncContextManager[tuple[Tool, str]]] = partial(
            mcp_tool, request.getfixturevalue("mcp_url")
        )
    else:
        make = TOOLS[request.param]

    def run(use: Use) -> None:
        async def inner() -> None:
            async with make() as (tool, argument):
                await use(tool, argument)
            # What a tool leaves behind would be a leak of a worker that lives for weeks.
            await asyncio.sleep(0)
            left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            assert not [task for task in left if not task.done()]

        asyncio.run(inner())

    return run


async def refused(tool: Tool, arguments: Any) -> str:
    """The sentence with which a tool refuses."""
    with pytest.raises(ToolError) as error:
        await tool(arguments)
    said = str(error.value)
    assert said
    assert said[0].isupper() or said[0] == "“"
    assert len(said) < 1_000
    return said


def test_its_spec_is_a_name_a_sentence_and_a_schema(use: Callable[[Use], None]) -> None:
    async def check(tool: Tool, argument: str) -> None:
        assert tool.spec.name.isidentifier()
        assert tool.spec.description.endswith(".")
        Draft202012Validator.check_schema(dict(tool.spec.parameters))
        assert tool.spec.parameters["required"] == [argument]
        assert tool.spec is tool.spec

    use(check)


def test_it_answers_with_text(use: Callable[[Use], None]) -> None:
    async def check(tool: Tool, argument: str) -> None:
        for text in ("hello", "Straße 東京 🧪 عربى", "a\tb", "[[ ## x ## ]]", "{a} %s \\1", "0"):
            answer = await tool({argument: text})
            assert isinstance(answer, str)
            assert text in answer

    use(check)


def test_arguments_that_do_not_fit_are_refused(use: Callable[[Use], None]) -> None:
    async def check(tool: Tool, argument: str) -> None:
        assert argument in await refused(tool, {})
        for value in (3, None, True, ["x"], {"x": 1}, 1.5):
            assert argument in await refused(tool, {argument: value})
        assert "extra" in await refused(tool, {argument: "x", "extra": 1})
        assert argument in await refused(tool, {argument.upper(): "x"})
        await refused(tool, {argument: float("nan")})
        await refused(tool, {argument: object()})

    use(check)


def test_a_megabyte_is_refused_in_time(use: Callable[[Use], None]) -> None:
    async def check(tool: Tool, argument: str) -> None:
        async with asyncio.timeout(2):
            await refused(tool, {argument: "word " * 200_000})

    use(check)


def test_control_characters_do_no_harm(use: Callable[[Use], None]) -> None:
    async def check(tool: Tool, argument: str) -> None:
        for text in ("a\x00b", "\r\nX-Evil: 1\r\n\r\n", "\x1b[31m", "\u202e", "\ufeff", "\x7f"):
            try:
                said = await tool({argument: text})
            except ToolError as error:
                said = f"Refused: {error}"
            assert isinstance(said, str)

    use(check)


def test_its_arguments_are_not_changed(use: Callable[[Use], None]) -> None:
    async def check(tool: Tool, argument: str) -> None:
        arguments = {argument: "x"}
        await tool(arguments)
        assert arguments == {argument: "x"}

    use(check)


def test_many_calls_at_once_do_not_mix(use: Callable[[Use], None]) -> None:
    async def check(tool: Tool, argument: str) -> None:
        texts = [f"text number {number}." for number in range(30)]
        answers = await asyncio.gather(*(tool({argument: text}) for text in texts))
        for text, answer in zip(texts, answers, strict=True):
            assert text in answer

    use(check)


def test_a_cancelled_call_is_cancelled_and_the_next_one_works(use: Callable[[Use], None]) -> None:
    async def check(tool: Tool, argument: str) -> None:
        task = asyncio.create_task(tool({argument: "first"}))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert "second" in await tool({argument: "second"})

    use(check)


@pytest.mark.parametrize("kind", ["http", "retrieval", "python"])
def test_what_goes_wrong_behind_it_is_a_tool_error(kind: str) -> None:
    async def check() -> None:
        async with TOOLS[kind]() as (tool, argument):
            await refused(tool, {argument: "fail"})

    asyncio.run(check())


def test_a_search_numbers_its_passages() -> None:
    class Shelf:
        """Knows two passages."""

        asked = 0

        async def search(self, query: str, k: int) -> tuple[Passage, ...]:
            """See `Retriever.search`."""
            self.asked = k
            if query == "nothing":
                return ()
            return (Passage(text="First.", title="A book"), Passage(text="Second."))

    shelf = Shelf()
    tool = RetrievalTool(shelf, "library", "Finds books.", k=7)
    assert asyncio.run(tool({"query": "x"})) == "[1] A book\nFirst.\n\n[2] Second."
    assert shelf.asked == 7
    assert asyncio.run(tool({"query": "nothing"})) == "Nothing was found."
    with pytest.raises(ToolError, match="query is empty"):
        asyncio.run(tool({"query": "  "}))
    with pytest.raises(ToolError):
        RetrievalTool(shelf, k=0)
