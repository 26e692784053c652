"""What a tool is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from studio.engine.messages import ToolSpec


class Tool(Protocol):
    """Something that an LM may call by name."""

    @property
    def spec(self) -> ToolSpec:
        """What the LM is told of it."""

    async def __call__(self, arguments: Mapping[str, Any]) -> str:
        """What it answers, as text.

        Raises `ToolError`, which is told to the LM so that it may do better.
        """
