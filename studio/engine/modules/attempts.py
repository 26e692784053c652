"""Several attempts at the same question, of which some may fail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from studio.engine.errors import (
    ConstraintBroken,
    EngineError,
    LMInvalidRequest,
    LMRefused,
    ParseError,
    RetrievalError,
    SandboxError,
    ToolError,
)
from studio.engine.modules.base import Module
from studio.engine.modules.together import together
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from studio.engine.trace import Prediction, Step

FAILURES = (
    ConstraintBroken,
    LMInvalidRequest,
    LMRefused,
    ParseError,
    RetrievalError,
    SandboxError,
    ToolError,
)
"""What can happen to one attempt and not to the next; everything else ends them all at once."""

ROLLOUTS = 1000
"""How many attempts may stand inside one attempt before their numbers meet."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: what it answered, or why it did not."""

    number: int
    prediction: Prediction | None
    error: EngineError | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """What is known of what happened."""
        return self.prediction.steps if self.prediction else ()

    @property
    def values(self) -> Mapping[str, Any]:
        """What it answered; nothing when it failed."""
        return self.prediction.values if self.prediction else {}


def attempt_runtime(runtime: Runtime, number: int, temperature: float) -> Runtime:
    """For the attempt of that number; attempt 0 is a plain call, and shares its cache."""
    if number == 0:
        return runtime
    rollout = runtime.rollout * ROLLOUTS + number
    return replace(runtime, rollout=rollout, temperature=temperature)


async def attempt(
    module: Module, inputs: Mapping[str, Any], runtime: Runtime, path: str, number: int
) -> Attempt:
    """One call of `module`; one of `FAILURES` is an answer, too."""
    try:
        return Attempt(number, await module(inputs, runtime, path))
    except FAILURES as error:
        return Attempt(number, None, error)


async def attempts(
    module: Module,
    inputs: Mapping[str, Any],
    runtime: Runtime,
    path: str,
    *,
    count: int,
    temperature: float,
) -> list[Attempt]:
    """`count` attempts at the same time.

    Raises the first one's error when all failed.
    """
    tries = await together(
        [
            attempt(module, inputs, attempt_runtime(runtime, number, temperature), path, number)
            for number in range(count)
        ]
    )
    if all(one.prediction is None for one in tries):
        raise first_error(tries)
    return tries


def first_error(tries: Sequence[Attempt]) -> EngineError:
    """Why the first attempt that failed did so."""
    return next((one.error for one in tries if one.error is not None), EngineError())


def all_steps(tries: Iterable[Attempt], kept: Attempt) -> tuple[Step, ...]:
    """Everything that was paid for, in order; what is not of `kept` is marked as discarded."""
    steps: list[Step] = []
    for one in tries:
        steps.extend(one.steps if one is kept else discard(one.steps))
    return tuple(steps)


def discard(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps, marked as of an attempt that was not taken."""
    return tuple(replace(step, discarded=True) for step in steps)


def only_outputs(signature: Signature, values: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of `signature` out of `values`."""
    return {field.name: values[field.name] for field in signature.outputs}


def free_name(name: str, taken: Iterable[str]) -> str:
    """`name`, with `_` after it as often as it takes to be none of `taken`."""
    taken = set(taken)
    while name in taken:
        name += "_"
    return name
