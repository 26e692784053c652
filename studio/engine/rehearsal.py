"""A program, run partly and watched: what people do with a drawing while they draw it.

Values that are given by hand take the place of steps, and a run may end at one step. Other than a
call of the program, a rehearsal goes on where it can when a step fails, and what was done is told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, reduce
from types import MappingProxyType
from typing import Any

from studio.engine.errors import EngineError, InputError, ParseError
from studio.engine.messages import Usage
from studio.engine.program import INPUT, Place, Program, Slot
from studio.engine.runtime import Runtime
from studio.engine.side_by_side import side_by_side
from studio.engine.signature import Field, read_fields
from studio.engine.trace import Step

WAITING, RUNNING, DONE = "waiting", "running", "done"
FAILED, SKIPPED, GIVEN = "failed", "skipped", "given"
STATES = (WAITING, RUNNING, DONE, FAILED, SKIPPED, GIVEN)
"""What a node may be in a rehearsal."""

Given = Mapping[str, Mapping[str, Any]]
"""Values by the name of the node that they stand for, and by field."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeNews:
    """How far a node is now."""

    name: str
    state: str
    """One of `STATES`."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    seconds: float = 0.0
    """From its start to its end; 0 before."""
    error: str = ""
    """Why it failed, or why it is skipped when another one's failure is the reason."""

    @property
    def usage(self) -> Usage:
        """What its steps used."""
        return reduce(Usage.__add__, (step.usage for step in self.steps), Usage())


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How a rehearsal ended."""

    nodes: Mapping[str, NodeNews]
    """Every node of the program, in the order of running."""
    outputs: Mapping[str, Any]
    """Of the program, or of the node that it ran up to; empty when one of these failed."""
    error: EngineError | None = None
    """The first failure."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """What happened, in the order of the layers."""
        return tuple(step for news in self.nodes.values() for step in news.steps)


@dataclass(frozen=True)
class Plan:
    """Which nodes of a program run, with which values in the place of others."""

    program: Program
    given: Given
    """Typed, and only what a node that runs takes, or what is asked for at the end."""
    until: str
    runs: frozenset[str]
    """The names of the nodes that run."""

    @classmethod
    def of(cls, program: Program, given: Given = _NOTHING, until: str = "") -> Plan:
        """The plan for running up to the node `until`; without one, for the program's outputs.

        Raises `InputError` that names the node, and the field of it, for a node that is not
        there, and for values that are missing, unknown or of a wrong type.
        """
        places = {place.name: place for place in program.places}
        for name in (*given, *((until,) if until else ())):
            if name not in places:
                known = ", ".join(places) or "none"
                raise InputError(f"There is no step “{name}”. Steps are {known}.")
        if until and until in given:
            raise InputError(f"{until} is to run, and its outputs are given: choose one of both.")
        ends = [until] if until else [wire.node for wire in program.wires.values()]
        runs, used = _needed(places, ends, given)
        plan = cls(program, {name: given[name] for name in places if name in used}, until, runs)
        read = {name: _read(places[name], values) for name, values in plan.given.items()}
        for node, name in plan.slots:
            if node in read and name not in read[node]:
                raise InputError(
                    f"{node}: its output “{name}” is needed and not given. Give it, too, or let "
                    f"{node} run."
                )
        return cls(program, read, until, runs)

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """Every value that is asked for while it runs."""
        taken = [slot for place in self.places for _, slot in place.takes]
        return (*taken, *(slot for _, slot in self.answers))

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The nodes that run, in the order of running."""
        return tuple(place for place in self.program.places if place.name in self.runs)

    @cached_property
    def inputs(self) -> tuple[Field, ...]:
        """Those of the program's inputs that are needed."""
        names = {name for node, name in self.slots if node == INPUT}
        return tuple(field for field in self.program.inputs if field.name in names)

    @cached_property
    def answers(self) -> tuple[tuple[str, Slot], ...]:
        """What comes out at the end, by name."""
        if not self.until:
            return tuple(
                (name, (wire.node, wire.field)) for name, wire in self.program.wires.items()
            )
        return next(place.gives for place in self.places if place.name == self.until)


async def rehearse(
    program: Program,
    inputs: Mapping[str, Any],
    runtime: Runtime,
    *,
    given: Given = _NOTHING,
    until: str = "",
    hear: Callable[[NodeNews], None] = lambda news: None,
) -> Rehearsal:
    """Run the program up to the node `until`, with the values of `given` in the place of nodes.

    Only the inputs that are needed are looked at. `hear` is told of every change of a node, at
    first how each of them begins. When a node fails, those that wait for it are skipped and the
    others go on. Raises `InputError` before anything runs, and whatever is no `EngineError`.
    """
    plan = Plan.of(program, given, until)
    values: dict[Slot, Any] = {
        (INPUT, name): value for name, value in read_fields(plan.inputs, inputs).items()
    }
    for node, fields in plan.given.items():
        values.update({(node, name): value for name, value in fields.items()})
    running = _Running(values, runtime, hear)
    for place in program.places:
        running.tell(_before(plan, place.name))
    async with side_by_side() as group:
        for place in plan.places:
            running.tasks[place.name] = group.create_task(running.run(place))
    found = {name: values[slot] for name, slot in plan.answers if slot in values}
    whole = len(found) == len(plan.answers)
    return Rehearsal(running.nodes, found if whole else {}, running.error)


class _Running:
    """A rehearsal in the middle."""

    def __init__(
        self, values: dict[Slot, Any], runtime: Runtime, hear: Callable[[NodeNews], None]
    ) -> None:
        self.values, self.runtime, self.hear = values, runtime, hear
        self.nodes: dict[str, NodeNews] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.error: EngineError | None = None
        self._blamed: dict[str, str] = {}
        """For each node without outputs, the one that failed."""

    def tell(self, news: NodeNews) -> None:
        self.nodes[news.name] = news
        self.hear(news)

    async def run(self, place: Place) -> None:
        """As soon as those are through that it waits for; never raises an `EngineError`."""
        name = place.name
        for other in place.waits_for:
            if other in self.tasks:
                await self.tasks[other]
        blamed = next((self._blamed[one] for one in place.waits_for if one in self._blamed), "")
        if blamed:
            self._blamed[name] = blamed
            why = f"Skipped because {blamed} failed."
            self.tell(NodeNews(name=name, state=SKIPPED, error=why))
            return
        self.tell(NodeNews(name=name, state=RUNNING))
        begun = time.perf_counter()
        try:
            prediction = await place.run(self.values, self.runtime, "")
        except EngineError as error:
            self._blamed[name] = name
            self.error = self.error or error
            seconds = time.perf_counter() - begun
            self.tell(NodeNews(name=name, state=FAILED, seconds=seconds, error=str(error)))
            return
        self.tell(
            NodeNews(
                name=name,
                state=DONE,
                outputs=dict(prediction.values),
                steps=prediction.steps,
                seconds=time.perf_counter() - begun,
            )
        )


def _before(plan: Plan, name: str) -> NodeNews:
    if name in plan.given:
        return NodeNews(name=name, state=GIVEN, outputs=dict(plan.given[name]))
    return NodeNews(name=name, state=WAITING if name in plan.runs else SKIPPED)


def _needed(
    places: Mapping[str, Place], ends: list[str], given: Given
) -> tuple[frozenset[str], frozenset[str]]:
    """The nodes that have to run so that `ends` are there, and the given ones that they take."""
    runs: set[str] = set()
    used: set[str] = set()
    waiting = [name for name in ends if name != INPUT]
    while waiting:
        name = waiting.pop()
        if name in given:
            used.add(name)
        elif name not in runs:
            runs.add(name)
            waiting.extend(places[name].waits_for)
    return frozenset(runs), frozenset(used)


def _read(place: Place, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a node's outputs, typed."""
    outputs = {output.name: output for output in place.module.signature.outputs}
    read = {}
    for name, value in values.items():
        if name not in outputs:
            raise InputError(
                f"{place.name} has no output “{name}”. Its outputs are {', '.join(outputs)}."
            )
        try:
            read[name] = outputs[name].read_json(value)
        except ParseError as error:
            raise InputError(f"{place.name}: {error}") from None
    return read
