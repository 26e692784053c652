"""Running a piece of code on the way to an answer, with its step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.engine.errors import InputError, SandboxError
from studio.engine.fields import FieldType
from studio.engine.messages import Usage
from studio.engine.runtime import Runtime
from studio.engine.sandbox.base import HostFunction, Limits, Outcome, Sandbox
from studio.engine.sandbox.calling import variable
from studio.engine.sandbox.guide import outcome_text
from studio.engine.signature import Signature
from studio.engine.trace import Step

PYTHON_CODE = FieldType("code", language="python")
SECONDS = {
    "label": "Time limit",
    "help": "In seconds that the code may run.",
    "min": 0.1,
    "max": 60.0,
}
"""Metadata of the parameter `seconds`."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a piece of code."""

    step: Step
    text: str
    """What it printed and its value, or the error."""
    failed: bool = False


def need_sandbox(runtime: Runtime, who: str) -> Sandbox:
    """The runtime's sandbox, or raise `InputError` naming `who` needs it."""
    if runtime.sandbox is None:
        raise InputError(f"{who} runs code, and there is no sandbox to run it in.")
    return runtime.sandbox


def variables(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs as code finds them."""
    return {variable(name): value for name, value in inputs.items()}


def variables_told(signature: Signature) -> str:
    """A sentence for an LM about the variables that its code finds."""
    names = ", ".join(f"`{variable(field.name)}` ({field.type})" for field in signature.inputs)
    return f"These variables are there already: {names}."


def outputs_told(signature: Signature) -> str:
    """The outputs by name and type, for an LM."""
    return ", ".join(f"{field.name} ({field.type})" for field in signature.outputs)


def code_step(
    path: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any], printed: str
) -> Step:
    """The step of a piece of code."""
    return Step(
        path=path,
        inputs=dict(inputs),
        outputs=dict(outputs),
        prompt="",
        answer=printed,
        scores={},
        usage=Usage(),
    )


async def run_code(
    sandbox: Sandbox,
    code: str,
    inputs: Mapping[str, Any],
    path: str,
    *,
    limits: Limits,
    functions: Mapping[str, HostFunction] | None = None,
) -> Ran:
    """Run what an LM wrote; what goes wrong in it is a text for the LM and no exception."""
    try:
        outcome: Outcome = await sandbox.run(
            code, variables(inputs), functions=functions, limits=limits
        )
    except SandboxError as error:
        return Ran(code_step(path, {"code": code}, {"error": str(error)}, ""), str(error), True)
    outputs = {"value": outcome.value}
    step = code_step(path, {"code": code}, outputs, outcome.printed)
    return Ran(step, outcome_text(outcome))
