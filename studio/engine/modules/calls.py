"""How many LM calls a run of a program takes, from how many each of its predictors takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from studio.engine.example import Example
from studio.engine.modules.base import Composite, Module, join_path
from studio.engine.modules.often import Often, all_of, exactly
from studio.engine.modules.subpipeline import Subpipeline
from studio.engine.program import INPUT, Program


def calls_of_program(
    program: Program, each: Mapping[str, float], lengths: Mapping[str, float]
) -> Often:
    """The calls of one run.

    `each` says how many calls each predictor takes when it is asked once, by path; `lengths` how
    many items the program's list inputs have on average, by name, where that is known.
    """
    return all_of(
        calls_of_module(
            node.module,
            _below(each, node.name),
            {
                name: lengths[wire.field]
                for name, wire in node.wires.items()
                if wire.node == INPUT and wire.field in lengths
            },
        )
        for layer in program.layers
        for node in layer
    )


def calls_of_module(
    module: Module, each: Mapping[str, float], lengths: Mapping[str, float]
) -> Often:
    """The same for one call of a module, with paths below it and its own inputs.

    A module of an extension that is no `Composite` asks each of its predictors once.
    """
    if isinstance(module, Subpipeline):
        return calls_of_program(module.program, each, lengths)
    if isinstance(module, Composite):
        members = {
            name: calls_of_module(member, _below(each, name) if name else each, lengths)
            for name, member in module.members.items()
        }
        return module.calls(members, lengths)
    return exactly(sum(each[path] for path in module.predictors()))


def average_lengths(program: Program, examples: Iterable[Example]) -> dict[str, float]:
    """How many items the program's list inputs have in these examples, on average."""
    found: dict[str, list[int]] = {}
    for example in examples:
        for field in program.inputs:
            value = example.values.get(field.name)
            if isinstance(value, (list, tuple)):
                found.setdefault(field.name, []).append(len(value))
    return {name: sum(counts) / len(counts) for name, counts in found.items()}


def _below(each: Mapping[str, float], name: str) -> dict[str, float]:
    """What stands below `name`, under its path from there; `""` for `name` itself."""
    prefix = join_path(name, "x")[:-1]
    return {
        "" if path == name else path.removeprefix(prefix): count
        for path, count in each.items()
        if path == name or path.startswith(prefix)
    }
