"""A program: modules, wired. What a pipeline's spec builds, and what compilers set."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from studio.engine.errors import InputError
from studio.engine.example import Candidate, PredictorState, member_path
from studio.engine.modules.base import Module, join_path
from studio.engine.runtime import Runtime
from studio.engine.side_by_side import side_by_side
from studio.engine.signature import Field, Signature, read_fields
from studio.engine.trace import Prediction, Step

INPUT = ""
"""The node name under which the program's own inputs are wired."""


@dataclass(frozen=True, slots=True)
class Wire:
    """Where a value comes from."""

    node: str
    field: str


@dataclass(frozen=True, slots=True)
class Node:
    """One module in its place."""

    name: str
    module: Module
    wires: Mapping[str, Wire]
    """For each input of the module, its source."""
    lm: str = ""
    """Who answers here, under a name that the runtime's owner knows; empty: who answers anyway."""


Slot = tuple[str, str]
"""A value inside a running program: the node's name and the field's."""


@dataclass(frozen=True, slots=True)
class Place:
    """A node as it is run: everything that is the same for every call, found once."""

    name: str
    module: Module
    takes: tuple[tuple[str, Slot], ...]
    gives: tuple[tuple[str, Slot], ...]
    waits_for: tuple[str, ...]
    """The nodes whose answers it takes."""

    @classmethod
    def of(cls, node: Node) -> Place:
        """The place of a node."""
        return cls(
            node.name,
            node.module,
            tuple((name, (wire.node, wire.field)) for name, wire in node.wires.items()),
            tuple(
                (field.name, (node.name, field.name)) for field in node.module.signature.outputs
            ),
            tuple({wire.node: None for wire in node.wires.values() if wire.node != INPUT}),
        )

    async def run(self, values: dict[Slot, Any], runtime: Runtime, prefix: str) -> Prediction:
        """Answer, and put the answers to the values."""
        prediction = await self.module(
            {name: values[slot] for name, slot in self.takes}, runtime, prefix + self.name
        )
        for name, slot in self.gives:
            values[slot] = prediction.values[name]
        return prediction


@dataclass(frozen=True)
class Program:
    """Inputs, modules in layers that only need what earlier ones answer, outputs.

    A step runs as soon as what is wired to it is there, whatever else its layer waits for.
    """

    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    layers: tuple[tuple[Node, ...], ...]
    wires: Mapping[str, Wire]
    """For each output of the program, its source."""

    @classmethod
    def of(cls, module: Module, name: str = "predict") -> Program:
        """A program of one module."""
        signature = module.signature
        wires = {field.name: Wire(INPUT, field.name) for field in signature.inputs}
        node = Node(name, module, wires)
        return cls(
            signature.inputs,
            signature.outputs,
            ((node,),),
            {field.name: Wire(name, field.name) for field in signature.outputs},
        )

    @cached_property
    def predictors(self) -> Mapping[str, Signature]:
        """The signature of every predictor, by path, in the order of running."""
        return MappingProxyType(
            {path: signature for path, (signature, _) in self._predictors.items()}
        )

    def candidate(self) -> Candidate:
        """How the predictors are set now."""
        return self._candidate

    def predictors_of(self, paths: Iterable[str]) -> Mapping[str, Signature]:
        """The signatures of the predictors that a candidate with these paths sets.

        Of an ensemble those of each member, else `predictors`.
        """
        members = dict.fromkeys(path.partition("/")[0] for path in paths if "/" in path)
        if not members:
            return self.predictors
        return {
            member_path(member, path): signature
            for member in members
            for path, signature in self.predictors.items()
        }

    def apply(self, candidate: Candidate) -> Program:
        """The program with the predictors set as `candidate` says; shares everything else.

        Of an ensemble's candidate: all members side by side. Raises `InputError` when the
        candidate's paths are not this program's.
        """
        known = self.predictors_of(candidate.states)
        if set(candidate.states) != set(known):
            raise InputError(
                "The candidate is for other predictors: "
                f"{', '.join(sorted(candidate.states)) or 'none'} instead of "
                f"{', '.join(sorted(known)) or 'none'}."
            )
        if candidate.members:
            from studio.engine.ensembles import Ensemble

            return Ensemble.set_as(self, candidate)
        layers = tuple(
            tuple(_with_states(node, candidate.states) for node in layer) for layer in self.layers
        )
        return replace(self, layers=layers)

    async def __call__(
        self, inputs: Mapping[str, Any], runtime: Runtime, path: str = ""
    ) -> Prediction:
        """Answer one set of inputs; the prediction's steps are in the order of the layers.

        `path` is where a program stands that is part of another one. Inputs that it does not
        know are not looked at. Raises `InputError` and what modules raise; the first failure
        ends the steps beside it.
        """
        values: dict[Slot, Any] = {
            (INPUT, name): value for name, value in read_fields(self.inputs, inputs).items()
        }
        prefix = f"{path}." if path else ""
        steps: tuple[Step, ...] = ()
        if self._in_a_row:
            for place in self.places:
                steps += (await place.run(values, runtime, prefix)).steps
        else:
            found = await self._at_once(values, runtime, prefix)
            steps = tuple(step for prediction in found for step in prediction.steps)
        return Prediction({name: values[slot] for name, slot in self._answers}, steps)

    async def _at_once(
        self, values: dict[Slot, Any], runtime: Runtime, prefix: str
    ) -> list[Prediction]:
        """Each step as soon as those are through that it waits for."""
        tasks: dict[str, asyncio.Task[Prediction]] = {}

        async def run(place: Place) -> Prediction:
            for name in place.waits_for:
                await tasks[name]
            return await place.run(values, runtime, prefix)

        # The first one is the failure itself; steps that waited for it raise it again.
        async with side_by_side() as group:
            for place in self.places:
                tasks[place.name] = group.create_task(run(place))
        return [tasks[place.name].result() for place in self.places]

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The nodes as they are run, in the order of the layers."""
        return tuple(Place.of(node) for layer in self.layers for node in layer)

    @cached_property
    def _in_a_row(self) -> bool:
        """No two steps may run at the same time, so that no task is worth its cost."""
        return all(len(layer) == 1 for layer in self.layers)

    @cached_property
    def _answers(self) -> tuple[tuple[str, Slot], ...]:
        return tuple((name, (wire.node, wire.field)) for name, wire in self.wires.items())

    @cached_property
    def _predictors(self) -> dict[str, tuple[Signature, PredictorState]]:
        return {
            join_path(node.name, below): found
            for layer in self.layers
            for node in layer
            for below, found in node.module.predictors().items()
        }

    @cached_property
    def _candidate(self) -> Candidate:
        return Candidate({path: state for path, (_, state) in self._predictors.items()})


def _with_states(node: Node, states: Mapping[str, PredictorState]) -> Node:
    mine = {below: states[join_path(node.name, below)] for below in node.module.predictors()}
    return replace(node, module=node.module.with_states(mine))
