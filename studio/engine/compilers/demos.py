"""Demos: made from labels, or from what a teacher did, and put into a candidate."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from studio.engine.errors import CompileError, ParseError
from studio.engine.example import Candidate, Demo, Example
from studio.engine.fields import read_json
from studio.engine.modules.base import Composite, Module
from studio.engine.modules.map_over import MapOver
from studio.engine.modules.subpipeline import Subpipeline
from studio.engine.program import INPUT, Program, Wire
from studio.engine.signature import Field
from studio.engine.trace import Step


def labelled_demo(program: Program, path: str, example: Example) -> Demo | None:
    """The example as the predictor at `path` would see it.

    None when an input is missing, or all outputs are. What an example says of a predictor is what
    is wired to it from the program's inputs or from it to the program's outputs, through however
    many pipelines, or stands in a column of the same name. Of one item of a Map it says nothing.
    """
    signature = program.predictors[path]
    values: dict[str, Any] = {}
    for field in signature.fields:
        value = gold_value(program, path, field, example)
        if value is not None:
            values[field.name] = value
    has_inputs = all(field.name in values for field in signature.inputs)
    if not has_inputs or not any(field.name in values for field in signature.outputs):
        return None
    return Demo(values=values, source=example.id)


def gold_value(program: Program, path: str, field: Field, example: Example) -> Any:
    """What the example says of one field of a predictor, typed; None when it says nothing."""
    column = _column(program, path, field)
    value = None if column is None else example.values.get(column)
    if value is None:
        return None
    try:
        return read_json(field.type, value, field=field.name)
    except ParseError:
        return None


def bootstrapped_demos(steps: Iterable[Step], example: Example, reason: str) -> Mapping[str, Demo]:
    """A demo for each place that the trace went through.

    Of several steps at one place, such as the items of a Map, it is one that the example and the
    place decide: over many examples all kinds of steps are shown.
    """
    places: dict[str, list[Step]] = {}
    for step in steps:
        if not step.discarded:
            places.setdefault(step.path, []).append(step)
    return {
        path: _as_demo(random.Random(f"{example.id}/{path}").choice(found), example, reason)
        for path, found in places.items()
    }


def _as_demo(step: Step, example: Example, reason: str) -> Demo:
    return Demo(
        values={**step.inputs, **step.outputs},
        source=example.id,
        bootstrapped=True,
        reason=reason,
    )


def with_demos(
    program: Program,
    labelled: Iterable[Example],
    bootstrapped: Iterable[Mapping[str, Demo]],
    start: Candidate | None = None,
) -> Candidate:
    """`start`, or else the program's candidate, with these demos in place of its own.

    Bootstrapped demos are complete and stand last, next to the question.
    """
    if start is not None and start.members:
        raise CompileError(
            "An ensemble cannot be given other demos: start from one of its members, or from the "
            "program as it is."
        )
    labelled, bootstrapped = list(labelled), list(bootstrapped)
    states = {}
    for path, state in (start or program.candidate()).states.items():
        first = (labelled_demo(program, path, example) for example in labelled)
        demos = [demo for demo in first if demo is not None]
        demos += [trace[path] for trace in bootstrapped if path in trace]
        states[path] = replace(state, demos=tuple(demos), calibration={}, nearest=0)
    return Candidate(states)


def _column(program: Program, path: str, field: Field) -> str | None:
    """The name under which examples hold this field of the predictor; None: under none."""
    name, _, below = path.partition(".")
    node = next((node for layer in program.layers for node in layer if node.name == name), None)
    if node is None:
        return field.name
    port = _port(node.module, below, field)
    if port is None:
        return None
    if field.role == "output":
        ends = (name for name, wire in program.wires.items() if wire == Wire(node.name, port))
        return next(ends, port)
    wire = node.wires.get(port)
    return wire.field if wire and wire.node == INPUT else port


def _port(module: Module, path: str, field: Field) -> str | None:
    """The port of `module` that holds what a field of the predictor inside holds."""
    if isinstance(module, Subpipeline):
        return _column(module.program, path, field)
    mapped = module.over if isinstance(module, MapOver) else None
    if not isinstance(module, Composite):
        return field.name
    port: str | None = field.name
    for name, member in module.members.items():
        if not name or path == name or path.startswith(f"{name}."):
            port = _port(member, path[len(name) :].removeprefix("."), field)
    if mapped is not None and (field.role == "output" or port == mapped):
        return None  # one of many values
    return port
