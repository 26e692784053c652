"""Branch: one pipeline or another, by a value that is there already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from studio.engine.errors import SignatureError
from studio.engine.fields import FieldType
from studio.engine.modules.base import Composite, Module, ModuleKind, Part, join_path
from studio.engine.modules.cases import OTHERWISE, case_parts, chosen_parts, part_names
from studio.engine.modules.inner import read_outputs
from studio.engine.modules.often import Often, one_of
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from studio.engine.trace import Prediction

_ANSWERS = {True: "yes", False: "no"}


@dataclass(frozen=True, kw_only=True)
class BranchParams:
    """What people may set on a Branch."""

    on: str = field(
        default="",
        metadata={
            "label": "Decided by",
            "help": "The input of type bool or enum that decides. Empty: the first such input.",
        },
    )


@dataclass(frozen=True)
class Branch(Composite):
    """Runs the one of its pipelines that the value of `on` names."""

    signature: Signature
    parts: Mapping[str, Module]
    on: str
    cases: Mapping[str, str]
    """For each value, as text, the name of the part that runs."""

    @property
    def members(self) -> Mapping[str, Module]:
        """See `Composite.members`."""
        return self.parts

    def with_members(self, members: Mapping[str, Module]) -> Self:
        """See `Composite.with_members`."""
        return replace(self, parts=members)

    def calls(self, members: Mapping[str, Often], lengths: Mapping[str, float]) -> Often:
        """See `Composite.calls`."""
        return one_of((1.0, members[name]) for name in self.cases.values())

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`."""
        read = self.signature.read_inputs(inputs)
        value = read[self.on]
        name = OTHERWISE if value is None else self.cases[_ANSWERS.get(value, value)]
        prediction = await self.parts[name](read, runtime, join_path(path, name))
        return Prediction(read_outputs(self.signature, prediction.values), prediction.steps)


def _decides(type_: FieldType) -> FieldType | None:
    """The bool or enum that decides; None: a value of this type cannot."""
    if type_.kind == "optional" and type_.item is not None:
        type_ = type_.item
    return type_ if type_.kind in ("bool", "enum") else None


def _decider(signature: Signature, on: str) -> str:
    deciders = [field.name for field in signature.inputs if _decides(field.type)]
    if on and on not in deciders:
        raise SignatureError(
            f"It should be decided by “{on}”, which is no bool or enum among its inputs. "
            f"There {'is' if len(deciders) == 1 else 'are'} {', '.join(deciders) or 'none'}."
        )
    return on or deciders[0]


def _names(signature: Signature, on: str) -> dict[str, str]:
    """The parts' names by the texts of the values."""
    decides = _decides(signature[on].type)
    labels = decides.labels if decides and decides.kind == "enum" else tuple(_ANSWERS.values())
    return part_names(labels)


def ports(signature: Signature) -> Signature:
    """The signature itself, or `SignatureError` when nothing in it can decide."""
    if not any(_decides(field.type) for field in signature.inputs):
        raise SignatureError(
            "Branch needs an input that decides: write urgent: bool, or area: enum[a, b]."
        )
    return signature


def _parts(signature: Signature, params: BranchParams) -> tuple[Part, ...]:
    names = _names(signature, _decider(signature, params.on))
    return case_parts(names.values(), signature)


def _make(signature: Signature, params: BranchParams, parts: Mapping[str, Module]) -> Branch:
    on = _decider(ports(signature), params.on)
    cases = chosen_parts(_names(signature, on), parts)
    if signature[on].type.kind == "optional" and OTHERWISE not in parts:
        raise SignatureError(f"“{on}” may be nothing: draw the pipeline “{OTHERWISE}”.")
    return Branch(signature, parts, on, cases)


BRANCH = ModuleKind(
    name="branch",
    title="Branch",
    summary="Run one pipeline or another, by a value that is there already.",
    group="Flow",
    params=BranchParams,
    make=_make,
    ports=ports,
    parts=_parts,
    calls_lm=False,
)
