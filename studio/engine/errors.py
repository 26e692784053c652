"""Everything the engine raises.

EngineError
├── SignatureError        a signature or a type cannot be read
├── InputError            the inputs do not fit the signature
├── ParseError            an LM's answer does not hold the expected field
├── GraphError            a pipeline's spec has problems (it carries them)
├── StateError            a saved program or state does not fit
├── ConstraintBroken      an output breaks a constraint, and no more tries are left
├── ToolError             a tool could not do what it was asked
├── RetrievalError        a collection cannot be searched
├── SandboxError          code in the sandbox raised
│   └── SandboxLimit      it took too much time, memory or output
├── SandboxUnavailable    no code can run here
├── MetricError           a metric raised, or answered something that is no score
├── CompileError          a compile cannot start with what it was given
├── BudgetSpent           a hard cap of the budget is reached
└── LMError               an LM did not answer
    ├── LMAuthError       the key was refused
    ├── LMInvalidRequest  the server refused the request as it stands
    ├── LMRefused         the model declined to answer
    ├── LMRateLimited     too many requests (may carry `retry_after_s`)
    ├── LMTimeout         no answer in time
    ├── LMUnavailable     no connection, or a 5xx
    └── LMBadAnswer       an answer that is not what the protocol says

The docstring of a class is its default message.
"""

from __future__ import annotations

from typing import Any


class EngineError(Exception):
    """The engine could not do this."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class SignatureError(EngineError):
    """The signature cannot be read."""


class InputError(EngineError):
    """The inputs do not fit the signature."""


class ParseError(EngineError):
    """The answer does not hold the expected field."""

    def __init__(self, message: str = "", *, field: str = "", text: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.text = text


class GraphError(EngineError):
    """The pipeline has problems."""

    def __init__(self, message: str = "", *, problems: tuple[Any, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class StateError(EngineError):
    """The saved state does not fit this program."""


class ConstraintBroken(EngineError):
    """The output breaks a constraint."""


class ToolError(EngineError):
    """The tool could not do this."""


class RetrievalError(EngineError):
    """The collection cannot be searched."""


class SandboxError(EngineError):
    """The code raised."""

    def __init__(self, message: str = "", *, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class SandboxLimit(SandboxError):
    """The code took too much."""


class SandboxUnavailable(EngineError):
    """No sandbox can be started here."""


class MetricError(EngineError):
    """The metric raised."""


class CompileError(EngineError):
    """The compile cannot start."""


class BudgetSpent(EngineError):
    """A cap on calls, tokens, money or time is reached."""


class LMError(EngineError):
    """The LM did not answer."""

    retryable = False

    def __init__(self, message: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class LMAuthError(LMError):
    """The LM's server refused the key. Check the key of this connection."""


class LMInvalidRequest(LMError):
    """The LM's server refused the request."""


class LMRefused(LMError):
    """The model declined to answer."""


class LMRateLimited(LMError):
    """The LM's server says that there are too many requests."""

    retryable = True


class LMTimeout(LMError):
    """The LM did not answer in time."""

    retryable = True


class LMUnavailable(LMError):
    """The LM's server cannot be reached."""

    retryable = True


class LMBadAnswer(LMError):
    """The LM's server answered something that is no completion."""
