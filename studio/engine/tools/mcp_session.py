"""The connection to one MCP server. Imported when first needed: the only file that imports mcp."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeVar

import anyio
import httpx2
import mcp_types
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from studio.engine.errors import ToolError
from studio.engine.messages import ToolSpec
from studio.engine.tools.mcp_client import McpServer
from studio.engine.tools.toolbox import cut_middle

T = TypeVar("T")

_MOST_TOOLS = 500
_MOST_PAGES = 50
_LONGEST_DESCRIPTION = 4_000
_LONGEST_SCHEMA = 50_000
_MOST_BYTES = 16 * 2**20
"""Of one answer that is no stream of events; those are bounded by the library."""
_LIVING = (
    mcp_types.INVALID_PARAMS,
    mcp_types.METHOD_NOT_FOUND,
    mcp_types.INTERNAL_ERROR,
    mcp_types.INVALID_REQUEST,
)
"""Error codes of a server that is well otherwise."""
_BROKEN = (
    MCPError,
    OSError,
    RuntimeError,
    ValueError,
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,
    httpx2.HTTPError,
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A tool as its server describes it."""

    description: str
    parameters: Mapping[str, Any]

    def spec(self, name: str) -> ToolSpec:
        """What an LM is told of it, under the name by which it is offered."""
        return ToolSpec(name, self.description, self.parameters)


class McpLink:
    """One event loop's connection to a server.

    A task of its own opens and closes it, because the library wants both done by the same task;
    when the loop ends, that task is cancelled like every other, and closes it then.
    """

    def __init__(self, server: McpServer) -> None:
        self._server = server
        self._owner: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[Client] | None = None
        self._stop = asyncio.Event()
        self._ending: set[asyncio.Task[None]] = set()

    async def listed(self) -> dict[str, Listed]:
        """See `McpServer.listed`."""
        found: dict[str, Listed] = {}
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            page = await self._ask(_page(cursor))
            for tool in page.tools:
                if len(json.dumps(tool.input_schema)) <= _LONGEST_SCHEMA:
                    described = cut_middle(tool.description or "", _LONGEST_DESCRIPTION)
                    found[tool.name] = Listed(described, tool.input_schema)
            cursor = page.next_cursor
            if not cursor or len(found) >= _MOST_TOOLS:
                break
        return found

    async def call(self, name: str, arguments: Mapping[str, Any]) -> str:
        """See `McpServer.call`."""
        result = await self._ask(lambda client: client.call_tool(name, dict(arguments)))
        parts = [_as_text(part) for part in result.content]
        if not parts and result.structured_content is not None:
            parts = [json.dumps(result.structured_content, ensure_ascii=False)]
        text = cut_middle("\n".join(parts), self._server.max_chars)
        if result.is_error:
            raise ToolError(text or f"“{name}” failed, and did not say why.")
        return text

    async def aclose(self) -> None:
        """End the connection, and the process of a command."""
        self._drop()
        if self._ending:
            await asyncio.wait(self._ending)

    async def _ask(self, question: Callable[[Client], Awaitable[T]]) -> T:
        name, wait = self._server.name, self._server.timeout_s
        client = await self._client()
        try:
            async with asyncio.timeout(wait):
                return await question(client)
        except TimeoutError:
            raise ToolError(f"“{name}” did not answer in {wait:g} s.") from None
        except _BROKEN as error:
            if isinstance(error, MCPError) and error.code in _LIVING:
                raise ToolError(f"“{name}” refused: {str(error)[:500]}") from None
            self._drop()
            raise ToolError(f"“{name}” did not answer: {_why(error)}.") from None

    async def _client(self) -> Client:
        """The open client; those who come together wait for one opening."""
        if self._owner is None or self._owner.done():
            self._stop = asyncio.Event()
            self._ready = asyncio.get_running_loop().create_future()
            self._owner = asyncio.create_task(self._own(self._ready, self._stop))
            self._ending.add(self._owner)
            self._owner.add_done_callback(self._ended)
        assert self._ready is not None
        owner, ready = self._owner, self._ready
        waited: set[asyncio.Future[Any]] = {owner, ready}
        await asyncio.wait(
            waited,
            timeout=self._server.timeout_s,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if ready.done() and not owner.done():
            return ready.result()
        name = self._server.name
        if not owner.done():
            owner.cancel()
            self._owner = None
            raise ToolError(f"“{name}” did not answer in {self._server.timeout_s:g} s.")
        failed = None if owner.cancelled() else owner.exception()
        raise ToolError(f"“{name}” cannot be reached: {_why(failed)}.")

    async def _own(self, ready: asyncio.Future[Client], stop: asyncio.Event) -> None:
        async with AsyncExitStack() as stack:
            ready.set_result(await stack.enter_async_context(await self._made(stack)))
            await stop.wait()

    async def _made(self, stack: AsyncExitStack) -> Client:
        server = self._server
        if server.url:
            http = await stack.enter_async_context(
                httpx2.AsyncClient(
                    headers=server.headers,
                    timeout=server.timeout_s,
                    trust_env=False,
                    transport=_Bounded(httpx2.AsyncHTTPTransport()),
                )
            )
            return Client(streamable_http_client(server.url, http_client=http))
        command, *arguments = server.command
        log = stack.enter_context(_nowhere())
        started = StdioServerParameters(command=command, args=arguments, env=server.env)
        return Client(stdio_client(started, errlog=log))

    def _drop(self) -> None:
        """Let the next question open a new connection."""
        self._stop.set()
        self._owner = None

    def _ended(self, owner: asyncio.Task[None]) -> None:
        self._ending.discard(owner)
        if not owner.cancelled():
            owner.exception()


@contextmanager
def _nowhere() -> Iterator[TextIO]:
    """Where a command's complaints go: they may hold what is in its environment."""
    with Path(os.devnull).open("w", encoding="utf-8") as log:
        yield log


def _page(cursor: str | None) -> Callable[[Client], Awaitable[mcp_types.ListToolsResult]]:
    return lambda client: client.list_tools(cursor=cursor)


class _Bounded(httpx2.AsyncBaseTransport):
    """Cuts off an answer that is too long; streams of events may go on."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        if "text/event-stream" not in response.headers.get("content-type", ""):
            assert isinstance(response.stream, httpx2.AsyncByteStream)
            response.stream = _BoundedStream(response.stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = _MOST_BYTES
        async for part in self._inner:
            left -= len(part)
            if left < 0:
                raise httpx2.ReadError("The answer is too long.")
            yield part

    async def aclose(self) -> None:
        await self._inner.aclose()


def _as_text(part: Any) -> str:
    """A piece of an answer: text as it is, everything else in words."""
    match part:
        case mcp_types.TextContent():
            return part.text
        case mcp_types.ImageContent() | mcp_types.AudioContent():
            kind = "An image" if part.type == "image" else "A sound"
            return f"({kind}, {part.mime_type}, about {len(part.data) * 3 // 4:,} bytes.)"
        case mcp_types.ResourceLink():
            return f"(A link: {part.title or part.name}, {part.uri})"
        case mcp_types.EmbeddedResource():
            inside = part.resource
            if isinstance(inside, mcp_types.TextResourceContents):
                return inside.text
            return f"(A file: {inside.uri}, {inside.mime_type or 'of no named type'}.)"
    return "(Something that cannot be shown as text.)"


def _why(error: BaseException | None) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if error is None:
        return "the connection was ended"
    said = " ".join(str(error).split())[:300].rstrip(".")
    return f"{said} ({type(error).__name__})" if said else type(error).__name__
