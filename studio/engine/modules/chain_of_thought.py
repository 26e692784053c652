"""ChainOfThought: let the LM reason before it answers (Wei et al. 2022, arXiv 2201.11903)."""

from __future__ import annotations

from studio.engine.errors import SignatureError
from studio.engine.modules.base import ModuleKind
from studio.engine.modules.predict import DEFAULTS, Predict, PredictParams
from studio.engine.signature import Field, Signature

REASONING = Field(
    name="reasoning", role="output", description="Think step by step before the answer."
)


def with_reasoning(signature: Signature) -> Signature:
    """The signature with `reasoning` as its first output.

    Raises `SignatureError` when it has a field of that name already.
    """
    if any(field.name == REASONING.name for field in signature.fields):
        raise SignatureError(
            "ChainOfThought adds the field “reasoning” itself: rename yours, or use Predict."
        )
    return signature.insert_output(0, REASONING)


def chain_of_thought(signature: Signature | str, params: PredictParams = DEFAULTS) -> Predict:
    """A Predict that writes its reasoning first."""
    if isinstance(signature, str):
        signature = Signature.parse(signature)
    return Predict.of(with_reasoning(signature), params)


CHAIN_OF_THOUGHT = ModuleKind(
    name="chain_of_thought",
    title="Chain of thought",
    summary="Let the model reason step by step, then answer.",
    group="Ask",
    params=PredictParams,
    make=lambda signature, params, parts: chain_of_thought(signature, params),
    ports=with_reasoning,
)
