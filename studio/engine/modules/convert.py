"""Convert: makes a value of one type a value of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.engine.errors import ParseError, SignatureError
from studio.engine.fields import CONVERTERS, Converter, accepts, converters
from studio.engine.messages import Usage
from studio.engine.modules.base import ModuleKind, WithoutLM
from studio.engine.runtime import Runtime
from studio.engine.signature import Field, Signature
from studio.engine.trace import Prediction, Step


@dataclass(frozen=True, kw_only=True)
class ConvertParams:
    """What people may set on a Convert step."""

    rule: str = field(
        default="",
        metadata={
            "label": "How",
            "help": "The conversion; when none is chosen, the first that applies.",
            "choices": ("", *CONVERTERS),
        },
    )


@dataclass(frozen=True)
class Convert(WithoutLM):
    """One conversion of `CONVERTERS`; calls no LM."""

    signature: Signature
    """One input and one output."""
    converter: Converter | None
    """None where the value fits as it is."""

    @classmethod
    def of(cls, signature: Signature | str, rule: str = "") -> Convert:
        """A Convert; raises `SignatureError` when there is no such conversion."""
        if isinstance(signature, str):
            signature = Signature.parse(signature)
        source, target = _ends(check_signature(signature))
        if not rule and not accepts(source.type, target.type):
            return cls(signature, None)
        found = converters(source.type, target.type)
        chosen = [converter for converter in found if rule in ("", converter.name)]
        if not chosen:
            names = ", ".join(converter.name for converter in found)
            raise SignatureError(
                f"“{rule}” does not lead from {source.type} to {target.type}. "
                + (f"What does: {names}." if found else "Nothing needs to be converted.")
            )
        return cls(signature, chosen[0])

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`; raises `ParseError` when the value cannot be converted."""
        read = self.signature.read_inputs(inputs)
        source, target = _ends(self.signature)
        value = read[source.name]
        try:
            if self.converter is not None:
                value = self.converter.convert(value, source.type, target.type)
            values = {target.name: target.read_json(value)}
        except ParseError as error:
            rule = self.converter.title if self.converter else "Convert"
            raise ParseError(
                f"{source.name} → {target.name} ({rule}): {error}",
                field=target.name,
                text=error.text,
            ) from None
        step = Step(
            path=path,
            inputs=read,
            outputs=values,
            prompt="",
            answer="",
            scores={},
            usage=Usage(),
        )
        return Prediction(values, (step,))


def check_signature(signature: Signature) -> Signature:
    """The signature, if a Convert can have it, else `SignatureError`."""
    if len(signature.inputs) != 1 or len(signature.outputs) != 1:
        raise SignatureError(
            "Convert has one input and one output: write lines: list[str] -> text: str."
        )
    source, target = _ends(signature)
    if accepts(source.type, target.type) and not converters(source.type, target.type):
        raise SignatureError(
            f"There is no conversion from {source.type} to {target.type}: "
            "convert in two steps, or write a Python step."
        )
    return signature


def _ends(signature: Signature) -> tuple[Field, Field]:
    return signature.inputs[0], signature.outputs[0]


CONVERT = ModuleKind(
    name="convert",
    title="Convert",
    summary="Turns a value into another type: joins lines, reads a number, parses JSON.",
    group="Code",
    params=ConvertParams,
    make=lambda signature, params, parts: Convert.of(signature, params.rule),
    ports=check_signature,
    calls_lm=False,
)
