"""What went wrong in the sandbox, in the engine's own errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.engine.errors import SandboxError, SandboxLimit
from studio.engine.sandbox.base import DEEPEST_CALLS, MOST_CALLS, Limits

if TYPE_CHECKING:
    from pydantic_monty import MontyError

_LONGEST_MESSAGE = 1_000
_UNSUPPORTED = "NotImplementedError: The monty syntax parser does not yet support "


def explain(error: MontyError, limits: Limits) -> SandboxError:
    """`error` as a sentence with the line, the exception's type and its message.

    A limit is told apart by the library's own words, which carry no line: code that raises a
    `TimeoutError` of its own has an error like any other.
    """
    import pydantic_monty as monty

    if isinstance(error, monty.MontyCrashedError):
        if error.timed_out:
            return too_slow(limits)
        return SandboxLimit("The code ended its process, most likely by what it took of memory.")
    line = _line(error)
    if isinstance(error, monty.MontyRuntimeError):
        limit = _limit(error, line, limits)
        if limit is not None:
            return limit
    if isinstance(error, monty.MontySyntaxError | monty.MontyRuntimeError):
        said = error.display("type-msg")
    else:
        said = str(error)
    said = said.replace(_UNSUPPORTED, "The sandbox's Python has no ")
    if len(said) > _LONGEST_MESSAGE:
        said = said[:_LONGEST_MESSAGE] + "…"
    return SandboxError(f"Line {line}: {said}" if line else said, line=line)


def too_slow(limits: Limits) -> SandboxLimit:
    """The limit on time."""
    return SandboxLimit(f"The code took longer than {limits.seconds:g} s.")


def too_much_printed(limits: Limits) -> SandboxLimit:
    """The limit on output."""
    return SandboxLimit(f"The code printed more than {limits.output_chars:,} characters.")


def _limit(error: MontyError, line: int | None, limits: Limits) -> SandboxLimit | None:
    said = str(error)[:200]
    match error.exception():
        case TimeoutError() if line is None and "time limit exceeded" in said:
            return too_slow(limits)
        case MemoryError() if "memory limit" in said:
            return SandboxLimit(f"The code took more than {limits.memory_mb} MB of memory.")
        case RecursionError():
            return SandboxLimit(
                f"The code has more than {DEEPEST_CALLS} calls inside one another."
                if line is None
                else f"Line {line}: more than {DEEPEST_CALLS} calls inside one another.",
                line=line,
            )
        case RuntimeError() if "suspension limit" in said:
            return SandboxLimit(f"The code called functions more than {MOST_CALLS:,} times.")
    return None


def _line(error: MontyError) -> int | None:
    """Where in the code it happened, as deep as the traceback goes."""
    import pydantic_monty as monty

    if not isinstance(error, monty.MontySyntaxError | monty.MontyRuntimeError):
        return None
    lines = [frame.line for frame in error.traceback() if frame.filename != "<string>"]
    return lines[-1] if lines else None
