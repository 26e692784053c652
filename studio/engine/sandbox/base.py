"""What a sandbox is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

HostFunction = Callable[..., Any]
"""What code in the sandbox may call; takes and returns JSON.

An async one is awaited on the caller's loop while the code waits; its answer arrives as a plain
value, so the code calls it without `await`. A plain one must be quick and must not need the loop.
A `ToolError`, `InputError`, `ParseError`, `ConstraintBroken` or `SandboxError` that it raises is
a `RuntimeError` inside, which the code may catch; everything else ends the run and is raised.
"""

LONGEST_CODE = 100_000
"""Characters that a piece of code may have."""
LARGEST_INPUT = 8_000_000
"""Characters that all inputs of a run, or one answer of a host function, may have as JSON."""
MOST_CALLS = 1_000
"""Calls of host functions that one run may make."""
DEEPEST_CALLS = 500
"""Calls inside calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one run may take."""

    seconds: float = 2.0
    """Of running; the time that host functions take does not count."""
    memory_mb: int = 64
    output_chars: int = 20_000
    """Of what is printed and returned, as JSON text."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run left."""

    value: Any
    """The value of the last expression; JSON."""
    printed: str = ""


@dataclass(frozen=True, slots=True)
class CodeProblem:
    """Why a piece of code cannot run, found without running it."""

    message: str
    line: int | None = None
    """Counted from 1."""


DEFAULT_LIMITS = Limits()


class Sandbox(Protocol):
    """Runs Python without files, network, secrets or other modules."""

    async def run(
        self,
        code: str,
        inputs: Mapping[str, Any],
        *,
        functions: Mapping[str, HostFunction] | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Outcome:
        """Run `code` with `inputs` as its variables and `functions` as its functions.

        Nothing is kept from one run to the next. Raises `SandboxError` with the line that failed,
        `SandboxLimit` when a limit is reached, `SandboxUnavailable` when nothing can run here.
        """

    async def aclose(self) -> None:
        """End the processes; the next run starts them anew."""
