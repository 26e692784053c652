"""The operator's tools, out of their JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from studio.engine.errors import ToolError
from studio.engine.sandbox.base import Sandbox
from studio.engine.tools.base import Tool
from studio.engine.tools.http_tool import HttpTool
from studio.engine.tools.mcp_client import McpServer, McpTool, tool_name
from studio.engine.tools.python_tool import PythonTool

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}\Z")
_MOST_TOOLS = 200
_RESERVED = "finish"


class _Entry:
    """One object of the list; everything in it must be asked for."""

    def __init__(self, place: int, values: Any) -> None:
        self._place = f"Tool {place + 1}"
        if not isinstance(values, dict):
            raise ToolError(f"{self._place}: expected an object, got {values!r:.80}.")
        self._values = values
        self._asked: set[str] = set()

    def text(self, key: str, default: str | None = None) -> str:
        return str(self._get(key, str, "a text", default))

    def texts(self, key: str) -> list[str]:
        found = self._get(key, list, "a list of texts", [])
        if not all(isinstance(item, str) for item in found):
            raise self.problem(key, "a list of texts")
        return list(found)

    def pairs(self, key: str) -> dict[str, str]:
        found = self._get(key, dict, "an object of texts", {})
        if not all(isinstance(item, str) for pair in found.items() for item in pair):
            raise ToolError(f"{self._place}: “{key}” must be an object of texts.")
        return dict(found)

    def object(self, key: str) -> dict[str, Any] | None:
        found = self._get(key, dict, "an object", {})
        return dict(found) or None

    def number(self, key: str, default: float, most: float) -> float:
        found = self._get(key, (int, float), "a number", default)
        if isinstance(found, bool) or not 0 < found <= most:
            raise self.problem(key, f"a number above 0, and {most:g} at most")
        return float(found)

    def problem(self, key: str, wanted: str) -> ToolError:
        # Never the value: it may be a secret.
        return ToolError(f"{self._place}: “{key}” must be {wanted}.")

    def close(self) -> None:
        """Raise `ToolError` for a key that nobody asked for: it may be a spelling mistake."""
        unknown = sorted(set(self._values) - self._asked)
        if unknown:
            known = ", ".join(sorted(self._asked))
            raise ToolError(f"{self._place}: “{unknown[0]}” is not known. Known are {known}.")

    def _get(self, key: str, kind: Any, wanted: str, default: Any) -> Any:
        self._asked.add(key)
        found = self._values.get(key, default)
        if found is None:
            raise ToolError(f"{self._place}: “{key}” is missing; it must be {wanted}.")
        if not isinstance(found, kind):
            raise self.problem(key, wanted)
        return found


def _http(entry: _Entry, sandbox: Sandbox | None) -> dict[str, Tool]:
    name = entry.text("name")
    return {
        name: HttpTool(
            name,
            entry.text("description"),
            url=entry.text("url", ""),
            method=entry.text("method", "GET"),
            parameters=entry.object("parameters"),
            allow=entry.texts("allow"),
            allow_private=entry.texts("allow_private"),
            headers=entry.pairs("headers"),
            timeout_s=entry.number("timeout_s", 15.0, 300.0),
            max_bytes=int(entry.number("max_bytes", 1_000_000, 20_000_000)),
            max_chars=int(entry.number("max_chars", 50_000, 1_000_000)),
        )
    }


def _mcp(entry: _Entry, sandbox: Sandbox | None) -> dict[str, Tool]:
    server = McpServer(
        entry.text("name"),
        url=entry.text("url", ""),
        command=entry.texts("command"),
        headers=entry.pairs("headers"),
        env=entry.pairs("env"),
        timeout_s=entry.number("timeout_s", 30.0, 600.0),
        max_chars=int(entry.number("max_chars", 50_000, 1_000_000)),
    )
    tools = entry.texts("tools")
    if not tools:
        raise entry.problem("tools", "a list of the server's tools that may be called")
    return {tool_name(name): McpTool(server, name) for name in tools}


def _python(entry: _Entry, sandbox: Sandbox | None) -> dict[str, Tool]:
    name = entry.text("name", "python")
    if sandbox is None:
        raise ToolError("Python as a tool needs a sandbox, and there is none.")
    return {name: PythonTool(sandbox)}


KINDS: dict[str, Callable[[_Entry, Sandbox | None], Mapping[str, Tool]]] = {
    "http": _http,
    "mcp": _mcp,
    "python": _python,
}
"""From an entry of the configuration to its tools."""


def make_tools(config: Any, *, sandbox: Sandbox | None = None) -> dict[str, Tool]:
    """The tools of a list of `{"kind": "http" | "mcp" | "python", …}`, by name.

    The other keys are the arguments of `HttpTool` and `McpServer`; `tools` of an MCP server is the
    list of those that may be called. `sandbox` is where Python runs. Nothing is connected here.
    Raises `ToolError` that names the entry and the key, and shows no value that could be a secret.
    """
    if not isinstance(config, list):
        raise ToolError("The tools are a list of objects.")
    if len(config) > _MOST_TOOLS:
        raise ToolError(f"There are {len(config)} tools; {_MOST_TOOLS} is the most.")
    made: dict[str, Tool] = {}
    for place, values in enumerate(config):
        entry = _Entry(place, values)
        kind = entry.text("kind")
        if kind not in KINDS:
            known = ", ".join(KINDS)
            raise ToolError(f"Tool {place + 1}: “kind” must be one of {known}.")
        try:
            found = KINDS[kind](entry, sandbox)
        except ToolError as error:
            said = str(error)
            raise ToolError(
                said if said.startswith("Tool ") else f"Tool {place + 1}: {said}"
            ) from None
        entry.close()
        for name, tool in found.items():
            if not _NAME.match(name) or name == _RESERVED:
                raise ToolError(f"Tool {place + 1}: “{name}” is no name that a model can call.")
            if name in made:
                raise ToolError(f"Tool {place + 1}: there is a tool “{name}” already.")
            made[name] = tool
    return made


async def close_tools(tools: Mapping[str, Tool]) -> None:
    """Give back what the tools hold open in the running loop."""
    for tool in tools.values():
        close = getattr(tool, "aclose", None)
        if close is not None:
            await close()
