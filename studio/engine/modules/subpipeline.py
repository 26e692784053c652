"""Subpipeline: a pipeline as one step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from studio.engine.example import Candidate, PredictorState
from studio.engine.modules.base import Composite, Module, ModuleKind, Part
from studio.engine.modules.inner import BODY, read_outputs
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from studio.engine.trace import Prediction

if TYPE_CHECKING:
    from studio.engine.program import Program


@dataclass(frozen=True)
class Subpipeline:
    """A program that stands where a module stands; its predictors keep their paths."""

    program: Program

    @cached_property
    def signature(self) -> Signature:
        """What the program takes and what it answers."""
        inputs = (replace(field, role="input") for field in self.program.inputs)
        outputs = (replace(field, role="output") for field in self.program.outputs)
        return Signature((*inputs, *outputs))

    def predictors(self) -> Mapping[str, tuple[Signature, PredictorState]]:
        """See `Module.predictors`."""
        states = self.program.candidate().states
        return {
            path: (signature, states[path]) for path, signature in self.program.predictors.items()
        }

    def with_states(self, states: Mapping[str, PredictorState]) -> Self:
        """See `Module.with_states`."""
        return replace(self, program=self.program.apply(Candidate(states)))

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`."""
        return await self.program(inputs, runtime, path)


@dataclass(frozen=True)
class _Whole(Composite):
    """A part as the whole of a node: it takes and answers what the node's signature says."""

    signature: Signature
    body: Module

    @property
    def members(self) -> Mapping[str, Module]:
        """The part, under no name: its predictors stand right below the node."""
        return {"": self.body}

    def with_members(self, members: Mapping[str, Module]) -> Self:
        """See `Composite.with_members`."""
        return replace(self, body=members[""])

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`."""
        read = self.signature.read_inputs(inputs)
        prediction = await self.body(read, runtime, path)
        return Prediction(read_outputs(self.signature, prediction.values), prediction.steps)


@dataclass(frozen=True, kw_only=True)
class SubpipelineParams:
    """A Subpipeline has nothing to set: what it does is drawn inside."""


def _parts(signature: Signature, params: SubpipelineParams) -> tuple[Part, ...]:
    return (Part(BODY, signature.inputs, signature.outputs),)


SUBPIPELINE = ModuleKind(
    name="subpipeline",
    title="Subpipeline",
    summary="Run a pipeline as one step of this one.",
    group="Flow",
    params=SubpipelineParams,
    make=lambda signature, params, parts: _Whole(signature, parts[BODY]),
    parts=_parts,
    calls_lm=False,
)
