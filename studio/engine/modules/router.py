"""Router: the LM decides which pipeline answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from studio.engine.errors import SignatureError
from studio.engine.fields import FieldType
from studio.engine.modules.base import Composite, Module, ModuleKind, Part, join_path
from studio.engine.modules.cases import case_parts, chosen_parts, part_names
from studio.engine.modules.inner import inner_step, read_outputs, step_param
from studio.engine.modules.often import Often, all_of, one_of
from studio.engine.runtime import Runtime
from studio.engine.signature import Field, Signature
from studio.engine.trace import Prediction

ROUTE = Field(name="route", role="output", description="The case that fits best.")


@dataclass(frozen=True, kw_only=True)
class RouterParams:
    """What people may set on a Router."""

    cases: tuple[str, ...] = field(
        default=(),
        metadata={
            "label": "Cases",
            "help": "Two or more names; the instruction may say when each of them fits.",
            "widget": "names",
            "required": True,
        },
    )
    step: str = step_param("predict")


@dataclass(frozen=True)
class Router(Composite):
    """One question, which of the cases it is, and then the pipeline of that case."""

    signature: Signature
    route: Module
    parts: Mapping[str, Module]
    cases: Mapping[str, str]
    """For each label the name of the part that runs."""

    @property
    def members(self) -> Mapping[str, Module]:
        """The part of a case of that name stands under `case_route`: `route` is the question."""
        return {"route": self.route, **{_member(name): part for name, part in self.parts.items()}}

    def with_members(self, members: Mapping[str, Module]) -> Self:
        """See `Composite.with_members`."""
        parts = {name: members[_member(name)] for name in self.parts}
        return replace(self, route=members["route"], parts=parts)

    def calls(self, members: Mapping[str, Often], lengths: Mapping[str, float]) -> Often:
        """See `Composite.calls`."""
        case = one_of((1.0, members[_member(name)]) for name in self.cases.values())
        return all_of((members["route"], case))

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`; the output `route` is the case that was chosen."""
        read = self.signature.read_inputs(inputs)
        asked = await self.route(read, runtime, join_path(path, "route"))
        case = asked.values["route"]
        name = self.cases[case]
        answered = await self.parts[name](read, runtime, join_path(path, _member(name)))
        values = {**answered.values, "route": case}
        return Prediction(read_outputs(self.signature, values), asked.steps + answered.steps)


def _member(part: str) -> str:
    return "case_route" if part == "route" else part


def ports(signature: Signature) -> Signature:
    """The signature with `route` as its first output; `SignatureError` if it has one already."""
    if any(field.name == ROUTE.name for field in signature.fields):
        raise SignatureError("Router adds the field “route” itself: rename yours.")
    return signature.insert_output(0, ROUTE)


def _names(params: RouterParams) -> dict[str, str]:
    if len(params.cases) < 2:
        raise SignatureError("Router needs two cases or more: write billing and shipping.")
    blank = next((case for case in params.cases if not case.strip()), None)
    if blank is not None:
        raise SignatureError("A case of the Router is empty: give it a name.")
    return part_names(params.cases)


def _parts(signature: Signature, params: RouterParams) -> tuple[Part, ...]:
    return case_parts(_names(params).values(), signature)


def _make(signature: Signature, params: RouterParams, parts: Mapping[str, Module]) -> Router:
    cases = chosen_parts(_names(params), parts)
    outer = ports(signature)
    label = replace(ROUTE, type=FieldType("enum", labels=params.cases))
    given = ", ".join(field.name.replace("_", " ") for field in signature.inputs)
    question = Signature(
        (*signature.inputs, label),
        signature.instruction or f"Choose the case that fits the {given} best.",
    )
    return Router(outer, inner_step(question, params.step, {}), parts, cases)


ROUTER = ModuleKind(
    name="router",
    title="Router",
    summary="Let the model choose which pipeline answers.",
    group="Flow",
    params=RouterParams,
    make=_make,
    ports=ports,
    parts=_parts,
)
