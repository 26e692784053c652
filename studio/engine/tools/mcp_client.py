"""Tools of an MCP server (Model Context Protocol, https://modelcontextprotocol.io).

The protocol is spoken by the package `mcp`, which is imported when a server is first asked.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from studio.engine.errors import ToolError
from studio.engine.messages import ToolSpec
from studio.engine.tools.arguments import Arguments, CheckedTool

if TYPE_CHECKING:
    from studio.engine.tools.mcp_session import Listed, McpLink

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_NAME = 64
_UNKNOWN: dict[str, Any] = {"type": "object"}


class McpServer:
    """One server, either at a `url` (streamable HTTP) or behind a `command` (stdio).

    Both are the operator's, and so are `headers` and `env`, which are never shown. A command is
    started without a shell and with nothing of our environment but what `mcp` deems harmless, such
    as PATH. Nothing is connected before the first use; every event loop has its own connection,
    which ends with it or by `aclose`. A server that died is asked anew at the next call.
    """

    def __init__(
        self,
        name: str,
        *,
        url: str = "",
        command: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
        timeout_s: float = 30.0,
        max_chars: int = 50_000,
    ) -> None:
        if bool(url) == bool(command):
            raise ToolError(f"The MCP server “{name}” needs either a url or a command.")
        if url and not re.match(r"https?://[^/\s]+", url):
            raise ToolError(f"The url of “{name}” begins with http:// or https://.")
        self.name = name
        self.url = url
        self.command = tuple(command)
        self.headers = dict(headers or {})
        self.env = dict(env or {})
        self.timeout_s = timeout_s
        self.max_chars = max_chars
        self._links: dict[asyncio.AbstractEventLoop, McpLink] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    async def listed(self) -> Mapping[str, Listed]:
        """The server's tools by the names that it gives them; raises `ToolError`."""
        return await self._link().listed()

    async def call(self, name: str, arguments: Mapping[str, Any]) -> str:
        """What the server's tool answers, as text; raises `ToolError`."""
        return await self._link().call(name, arguments)

    async def aclose(self) -> None:
        """End the running loop's connection; it is made anew when asked for again."""
        link = self._links.pop(asyncio.get_running_loop(), None)
        if link is not None:
            await link.aclose()

    def _link(self) -> McpLink:
        try:
            from studio.engine.tools.mcp_session import McpLink
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] not in ("mcp", "mcp_types"):
                raise
            raise ToolError("MCP servers need the package “mcp”: pip install mcp.") from None
        loop = asyncio.get_running_loop()
        for closed in [known for known in self._links if known.is_closed()]:
            del self._links[closed]
        return self._links.setdefault(loop, McpLink(self))


class McpTool(CheckedTool):
    """One tool of a server; what it takes is known once it is prepared."""

    def __init__(self, server: McpServer, tool: str, spec: ToolSpec | None = None) -> None:
        self._server = server
        self._tool = tool
        self._known = spec is not None
        super().__init__(spec or ToolSpec(tool_name(tool), "", _UNKNOWN))

    async def prepare(self) -> None:
        """See `Prepared.prepare`."""
        if self._known:
            return
        listed = await self._server.listed()
        if self._tool not in listed:
            there = ", ".join(listed) or "none"
            raise ToolError(f"“{self._server.name}” has no tool “{self._tool}”. It has {there}.")
        self._arguments = Arguments(listed[self._tool].spec(self.spec.name))
        self._known = True

    async def __call__(self, arguments: Mapping[str, Any]) -> str:
        """See `Tool.__call__`."""
        await self.prepare()
        return await super().__call__(arguments)

    async def run(self, arguments: dict[str, Any]) -> str:
        """See `CheckedTool.run`."""
        return await self._server.call(self._tool, arguments)

    async def aclose(self) -> None:
        """End the connection of its server, which other tools may share."""
        await self._server.aclose()


async def mcp_tools(server: McpServer, taken: Container[str] = ()) -> dict[str, McpTool]:
    """Every tool of the server, by a name that an LM can call and that is none of `taken`.

    A name that is taken gets the server's name in front. Raises `ToolError` when the server
    cannot be asked.
    """
    tools: dict[str, McpTool] = {}
    for name, listed in (await server.listed()).items():
        offered = tool_name(name)
        if offered in taken or offered in tools:
            offered = tool_name(f"{server.name}_{name}")
        number = 2
        while offered in taken or offered in tools:
            offered = f"{tool_name(f'{server.name}_{name}')[: _LONGEST_NAME - 4]}_{number}"
            number += 1
        tools[offered] = McpTool(server, name, listed.spec(offered))
    return tools


def tool_name(text: str) -> str:
    """`text` as a name that every LM's server takes: letters, digits, _ and -, 64 at most."""
    name = _NOT_IN_NAMES.sub("_", text).strip("_-")[:_LONGEST_NAME]
    return name if name[:1].isalpha() else f"tool_{name}"[:_LONGEST_NAME]
