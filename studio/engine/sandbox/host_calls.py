"""Functions of ours that code in the sandbox calls: how calls come out and answers go in."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from studio.engine.errors import (
    ConstraintBroken,
    InputError,
    ParseError,
    SandboxError,
    ToolError,
)
from studio.engine.sandbox.base import HostFunction
from studio.engine.sandbox.json_values import check_input, read_out

_LARGEST_ARGUMENTS = 1_000_000
"""Characters, as JSON, that the arguments of one call may have."""
_TOLD = (ConstraintBroken, InputError, ParseError, SandboxError, ToolError)
"""What the code is told, so that it may do better; all else ends the run."""

Answer = dict[str, Any]
"""A value or an exception, as the library reads it."""


class HostCall:
    """One call that came out of the sandbox."""

    def __init__(
        self, name: str, function: HostFunction, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        self._name, self._function, self._args, self._kwargs = name, function, args, kwargs
        self._awaited: Any = None

    def at_once(self) -> Answer | None:
        """The answer of a function that is not async; None when `answer` has to be awaited."""
        function: Any = self._function
        if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 (its colour, not whether it exists)
        ):
            return None
        try:
            args, kwargs = self._arguments()
            value = function(*args, **kwargs)
            if inspect.isawaitable(value):
                self._awaited = value
                return None
            return self._answer(value)
        except _Misuse as error:
            return _raised(TypeError(str(error)))
        except _TOLD as error:
            return _raised(RuntimeError(str(error)))

    async def answer(self) -> Answer:
        """The answer of an async function."""
        try:
            if self._awaited is None:
                args, kwargs = self._arguments()
                self._awaited = self._function(*args, **kwargs)
            return self._answer(await self._awaited)
        except _Misuse as error:
            return _raised(TypeError(str(error)))
        except _TOLD as error:
            return _raised(RuntimeError(str(error)))

    def _arguments(self) -> tuple[list[Any], dict[str, Any]]:
        (args, kwargs), _ = read_out(
            [list(self._args), dict(self._kwargs)],
            most_chars=_LARGEST_ARGUMENTS,
            what=f"What “{self._name}” is given",
        )
        try:
            inspect.signature(self._function).bind(*args, **kwargs)
        except TypeError as error:
            raise _Misuse(f"{self._name}(): {error}") from None
        except ValueError:
            pass  # Some functions written in C do not tell their arguments.
        return args, kwargs

    def _answer(self, value: Any) -> Answer:
        check_input(f"What “{self._name}” answers", value)
        return {"return_value": value}


class _Misuse(Exception):
    """The arguments do not fit the function."""


def _raised(error: Exception) -> Answer:
    return {"exception": error}
