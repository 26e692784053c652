"""Python as a tool: an LM writes code, and reads what it prints and returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.engine.errors import SandboxError, ToolError
from studio.engine.messages import ToolSpec
from studio.engine.sandbox.base import DEFAULT_LIMITS, HostFunction, Limits, Sandbox
from studio.engine.sandbox.guide import GUIDE, outcome_text
from studio.engine.tools.arguments import CheckedTool

SPEC = ToolSpec(
    "python",
    f"Runs Python and answers what it prints, then the value of its last line. {GUIDE} "
    "Nothing is kept from one call to the next.",
    {
        "type": "object",
        "properties": {"code": {"type": "string", "description": "The program."}},
        "required": ["code"],
        "additionalProperties": False,
    },
)


class PythonTool(CheckedTool):
    """Code in the sandbox; its errors are `ToolError`s with the line."""

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        limits: Limits = DEFAULT_LIMITS,
        inputs: Mapping[str, Any] | None = None,
        functions: Mapping[str, HostFunction] | None = None,
    ) -> None:
        super().__init__(SPEC)
        self._sandbox, self._limits = sandbox, limits
        self._inputs, self._functions = inputs or {}, functions

    async def run(self, arguments: dict[str, Any]) -> str:
        """See `CheckedTool.run`."""
        try:
            outcome = await self._sandbox.run(
                arguments["code"], self._inputs, functions=self._functions, limits=self._limits
            )
        except SandboxError as error:
            raise ToolError(str(error)) from None
        return outcome_text(outcome)
