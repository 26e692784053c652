"""Map: do the same to every item of a list."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from studio.engine.errors import EngineError, InputError, SignatureError
from studio.engine.fields import NO_CONSTRAINTS, STR
from studio.engine.modules.base import Composite, Module, ModuleKind, Part, join_path
from studio.engine.modules.inner import body_part, inner_step, read_outputs, step_param
from studio.engine.modules.often import Often, times
from studio.engine.modules.together import together
from studio.engine.runtime import Runtime
from studio.engine.signature import MISSING, Field, Signature
from studio.engine.trace import Prediction, Step

MOST_ITEMS = 1_000
_LIKELY_ITEMS: Often = (1.0, 5.0, 20.0)
"""Of a list of which nothing is known."""
_ABOUT: Often = (0.8, 1.0, 1.25)
"""How far the average of other lists may be from that of the known ones."""


@dataclass(frozen=True, kw_only=True)
class MapParams:
    """What people may set on a Map."""

    over: str = field(
        default="",
        metadata={
            "label": "List",
            "help": "The input whose items are worked on. Empty: the first list among the inputs.",
        },
    )
    step: str = step_param()
    concurrency: int = field(
        default=8,
        metadata={
            "label": "At the same time",
            "help": "How many items are worked on at the same time.",
            "min": 1,
            "max": 64,
        },
    )


@dataclass(frozen=True)
class MapOver(Composite):
    """One step for every item of one list; each output is the list of what the step answers."""

    signature: Signature
    step: Module
    over: str
    """The input that is a list; the step's input of that name is one of its items."""
    concurrency: int = 8

    @property
    def members(self) -> Mapping[str, Module]:
        """See `Composite.members`."""
        return {"step": self.step}

    def with_members(self, members: Mapping[str, Module]) -> Self:
        """See `Composite.with_members`."""
        return replace(self, step=members["step"])

    def calls(self, members: Mapping[str, Often], lengths: Mapping[str, float]) -> Often:
        """See `Composite.calls`."""
        known = lengths.get(self.over)
        items = _LIKELY_ITEMS if known is None else times((known, known, known), _ABOUT)
        return times(items, members["step"])

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`.

        Answers and steps stand in the order of the items. The first item that fails ends the
        others, and the error tells which it was. Raises `InputError` for more than `MOST_ITEMS`.
        """
        read = self.signature.read_inputs(inputs)
        items: list[Any] = read[self.over]
        if len(items) > MOST_ITEMS:
            raise InputError(
                f"“{self.over}” has {len(items):,} items; a Map takes {MOST_ITEMS:,} at most. "
                "Split the list."
            )
        gate = asyncio.Semaphore(self.concurrency)
        below = join_path(path, "step")

        async def one(number: int, item: Any) -> Prediction:
            async with gate:
                try:
                    return await self.step({**read, self.over: item}, runtime, below)
                except EngineError as error:
                    raise _of_item(error, self.over, number) from error

        found = await together([one(number, item) for number, item in enumerate(items, start=1)])
        steps: list[Step] = []
        for prediction in found:
            steps += prediction.steps
        lists = {
            output.name: [prediction.values.get(output.name) for prediction in found]
            for output in self.signature.outputs
        }
        return Prediction(read_outputs(self.signature, lists), tuple(steps))


def _of_item(error: EngineError, over: str, number: int) -> EngineError:
    """The same error; its sentence says at which item it happened, counted from 1."""
    told = copy.copy(error)
    told.args = (f"Item {number} of “{over}”: {error}", *error.args[1:])
    return told


def item_signature(signature: Signature, over: str) -> Signature:
    """What the step inside takes and answers for one item."""

    def one(field: Field) -> Field:
        if field.role == "input" and field.name != over:
            return field
        item = field.type.item or STR
        return replace(field, type=item, constraints=NO_CONSTRAINTS, default=MISSING)

    return Signature(tuple(map(one, signature.fields)), signature.instruction)


def mapped_input(signature: Signature, over: str) -> str:
    """The name of the input that is mapped; raises `SignatureError` when there is none."""
    lists = [field.name for field in signature.inputs if field.type.kind == "list"]
    if over and over not in lists:
        raise SignatureError(
            f"It should work on “{over}”, which is no list among its inputs. "
            f"Lists are {', '.join(lists) or 'none'}."
        )
    return over or lists[0]


def ports(signature: Signature) -> Signature:
    """The signature itself, or `SignatureError` when nothing in it can be mapped."""
    if not any(field.type.kind == "list" for field in signature.inputs):
        raise SignatureError("Map needs a list among its inputs: write messages: list[str].")
    single = next((field for field in signature.outputs if field.type.kind != "list"), None)
    if single is not None:
        raise SignatureError(
            f"Map answers one value for each item: write {single.name}: list[{single.type}]."
        )
    return signature


def _parts(signature: Signature, params: MapParams) -> tuple[Part, ...]:
    return body_part(item_signature(signature, mapped_input(signature, params.over)))


def _make(signature: Signature, params: MapParams, parts: Mapping[str, Module]) -> MapOver:
    over = mapped_input(ports(signature), params.over)
    step = inner_step(item_signature(signature, over), params.step, parts)
    return MapOver(signature, step, over, params.concurrency)


MAP = ModuleKind(
    name="map",
    title="Map",
    summary="Do the same to every item of a list, several at a time.",
    group="Flow",
    params=MapParams,
    make=_make,
    ports=ports,
    parts=_parts,
)
