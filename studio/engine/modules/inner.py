"""The step inside modules that work on another: drawn as a part, or made from the signature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from studio.engine.errors import ParseError, SignatureError
from studio.engine.modules.base import Module, Part
from studio.engine.modules.chain_of_thought import chain_of_thought
from studio.engine.modules.predict import DEFAULTS, Predict, PredictParams
from studio.engine.signature import Signature

BODY = "body"
"""The name of the part that takes the place of the step."""

STEPS: dict[str, Callable[[Signature, PredictParams], Module]] = {
    "predict": Predict.of,
    "chain_of_thought": chain_of_thought,
}
"""What the param `step` may name."""


def inner_step(
    signature: Signature,
    step: str,
    parts: Mapping[str, Module],
    *,
    params: PredictParams = DEFAULTS,
) -> Module:
    """The part “body” when the node has one, else a module of kind `step` with this signature.

    Raises `SignatureError` when `step` is no kind of step, or cannot have the signature.
    """
    if BODY in parts:
        return parts[BODY]
    if step not in STEPS:
        raise SignatureError(f"“{step}” is no step. Known steps are {', '.join(STEPS)}.")
    return STEPS[step](signature, params)


def step_param(default: str = "chain_of_thought") -> Any:
    """The dataclass field `step` of a module's params."""
    return field(
        default=default,
        metadata={
            "label": "Step",
            "help": "What answers when no pipeline is drawn inside.",
            "choices": tuple(STEPS),
        },
    )


def body_part(signature: Signature, params: Any = None) -> tuple[Part, ...]:
    """The optional part “body”, with the inputs and outputs of the signature itself."""
    return (Part(BODY, signature.inputs, signature.outputs, required=False),)


def read_outputs(signature: Signature, values: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of `signature` out of what a part answered, typed; nothing else.

    Raises `ParseError` that names the output when one is missing or of a wrong type.
    """
    read: dict[str, Any] = {}
    for output in signature.outputs:
        if output.name not in values:
            if output.required:
                raise ParseError(f"The output “{output.name}” is missing.", field=output.name)
            read[output.name] = output.absent()
        else:
            read[output.name] = output.read_json(values[output.name])
    return read
