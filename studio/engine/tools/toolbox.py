"""Several tools, ready to be offered to an LM and to be called by it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

from studio.engine.errors import InputError, ToolError
from studio.engine.messages import UNREADABLE, ToolSpec
from studio.engine.tools.arguments import Arguments, CheckedTool
from studio.engine.tools.base import Tool

_UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"""Control characters and lone surrogates: no LM needs them, and databases refuse them."""


@runtime_checkable
class Prepared(Protocol):
    """A tool that must do something, such as connect, before its spec is known."""

    async def prepare(self) -> None:
        """Make `spec` known; raises `ToolError` when that cannot be done."""


@dataclass(frozen=True)
class Toolbox:
    """Tools under the names by which they are offered."""

    tools: Mapping[str, Tool]

    @cached_property
    def specs(self) -> tuple[ToolSpec, ...]:
        """What an LM is told, each under the name by which the tool is offered."""
        return tuple(
            tool.spec
            if tool.spec.name == name
            else ToolSpec(name, tool.spec.description, tool.spec.parameters)
            for name, tool in self.tools.items()
        )

    async def call(self, name: str, arguments: Mapping[str, Any]) -> str:
        """What the tool answers, without control characters.

        Raises `ToolError` with a sentence for the LM: there is no such tool, the arguments do not
        fit its schema, or the tool itself could not do it.
        """
        tool = self.tools.get(name)
        if tool is None:
            raise ToolError(f"There is no tool “{name}”. There are {', '.join(self.tools)}.")
        if set(arguments) == {UNREADABLE}:
            raise ToolError(f"The arguments of “{name}” are no JSON object: write them again.")
        if not isinstance(tool, CheckedTool):
            arguments = self._checks[name].read(arguments)
        answer = await tool(arguments)
        return _UNSHOWN.sub("", answer.replace("\r\n", "\n"))

    @cached_property
    def _checks(self) -> dict[str, Arguments]:
        return {spec.name: Arguments(spec) for spec in self.specs}


async def open_toolbox(names: Iterable[str], tools: Mapping[str, Tool]) -> Toolbox:
    """The tools of these names out of `tools`, with specs that are known.

    Raises `InputError` naming a tool that does not exist, and `ToolError` when one cannot be made
    ready.
    """
    chosen: dict[str, Tool] = {}
    for name in names:
        if name not in tools:
            there = f"There are {', '.join(tools)}." if tools else "There are none here."
            raise InputError(f"There is no tool “{name}”. {there}")
        tool = tools[name]
        if isinstance(tool, Prepared):
            await tool.prepare()
        chosen[name] = tool
    return Toolbox(chosen)


def cut_middle(text: str, most: int) -> str:
    """`text`, or its beginning and end with a note in between, at most `most` characters."""
    if len(text) <= most:
        return text
    note = f"\n… {len(text) - most:,} characters are left out here …\n"
    room = max(most - len(note), 2)
    return text[: (room + 1) // 2] + note + text[len(text) - room // 2 :]
