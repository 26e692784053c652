"""Calling a function that a piece of code defines: the convention of transforms and metrics."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Sequence
from typing import Any

from studio.engine.errors import SandboxError, SignatureError
from studio.engine.sandbox.base import DEFAULT_LIMITS, HostFunction, Limits, Outcome, Sandbox

Arguments = Mapping[str, Any] | Sequence[Any]
"""By name, or in order."""

_ARGUMENTS = "_the_arguments"
_ALL_CALLS = """
_the_answers = []
for _arguments in _the_arguments:
    try:
        _the_answers.append([True, {function}({stars}_arguments)])
    except Exception:
        _the_answers.append([False, None])
_the_answers"""


def variable(name: str) -> str:
    """The name of a field as a variable: words of Python's own have `_` after them."""
    return f"{name}_" if keyword.iskeyword(name) else name


def require_function(code: str, function: str) -> None:
    """Raise `SignatureError` unless `code` seems to define `function` (at the left margin)."""
    name = re.escape(function)
    if not re.search(rf"(?m)^(?:def[ \t]+{name}[ \t]*\(|{name}[ \t]*(?::[^=\n]*)?=)", code):
        raise SignatureError(f"The code does not define the function: write def {function}(…): …")


async def call(
    sandbox: Sandbox,
    code: str,
    function: str,
    arguments: Arguments,
    *,
    functions: Mapping[str, HostFunction] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Outcome:
    """Run `code`, then its `function` with `arguments`; the value is what that returns.

    The arguments go in as inputs, never as text. Lines in errors are those of `code`. Raises what
    `Sandbox.run` raises.
    """
    stars = _check(function, arguments)
    try:
        return await sandbox.run(
            f"{code}\n{function}({stars}{_ARGUMENTS})",
            {_ARGUMENTS: arguments},
            functions=functions,
            limits=limits,
        )
    except SandboxError as error:
        raise _as_of(code, function, error) from None


async def call_many(
    sandbox: Sandbox,
    code: str,
    function: str,
    arguments: Sequence[Arguments],
    *,
    functions: Mapping[str, HostFunction] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> list[Outcome | SandboxError]:
    """`call` for many sets of arguments, all by name or all in order, in their order.

    They share one run, which is several times faster, as long as none of them fails; what fails is
    called alone, so that its error and limits are its own. Code that keeps things between calls
    sees the calls before. What is printed is kept only of calls that ran alone.
    """
    if not arguments:
        return []
    stars = _check(function, arguments[0])
    together = Limits(
        seconds=limits.seconds,
        memory_mb=limits.memory_mb,
        output_chars=limits.output_chars * len(arguments),
    )
    answers: list[Any] = [[False, None]] * len(arguments)
    if len(arguments) > 1:
        try:
            outcome = await sandbox.run(
                code + _ALL_CALLS.format(function=function, stars=stars),
                {_ARGUMENTS: list(arguments)},
                functions=functions,
                limits=together,
            )
            answers = outcome.value
        except SandboxError:
            pass  # Each is called alone.
    results: list[Outcome | SandboxError] = []
    for (good, value), one in zip(answers, arguments, strict=True):
        if good:
            results.append(Outcome(value))
            continue
        try:
            results.append(
                await call(sandbox, code, function, one, functions=functions, limits=limits)
            )
        except SandboxError as error:
            results.append(error)
    return results


def _check(function: str, arguments: Arguments) -> str:
    if not function.isidentifier() or keyword.iskeyword(function):
        raise SandboxError(f"“{function}” cannot be the name of a function.")
    return "**" if isinstance(arguments, Mapping) else "*"


def _as_of(code: str, function: str, error: SandboxError) -> SandboxError:
    """The error without the line that is not the code's own."""
    last = len(re.split(r"\r\n|\r|\n", code))
    if error.line is None or error.line <= last:
        return error
    message = str(error).removeprefix(f"Line {error.line}: ")
    if message.startswith(f"NameError: name '{function}' is not defined"):
        message = f"The code does not define the function “{function}”: write def {function}(…): …"
    return type(error)(message)
