"""What stands inside of a program: its predictors as modules, pinned demos, LMs that are named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from studio.engine.example import Demo
from studio.engine.modules.base import Composite, Module, join_path
from studio.engine.modules.knn_demos import KnnDemos
from studio.engine.modules.predict import Predict
from studio.engine.modules.subpipeline import Subpipeline
from studio.engine.program import INPUT, Program
from studio.engine.signature import Field, Signature


def pinned_demos(program: Program) -> dict[str, tuple[Demo, ...]]:
    """For each predictor that has any, by path, the demos that somebody has pinned to it."""
    return {
        join_path(node.name, path): predict.pinned
        for layer in program.layers
        for node in layer
        for path, predict in _predicts(node.module)
        if predict.pinned
    }


def own_pinned(module: Module) -> tuple[Demo, ...]:
    """The demos that are pinned to the module itself, not to one inside of it."""
    predict = module.predict if isinstance(module, KnnDemos) else module
    return predict.pinned if isinstance(predict, Predict) else ()


def pinned_inputs(program: Program) -> list[dict[str, Any]]:
    """What the pinned demos say of the program's own inputs, one item for each of them.

    A demo of a step that is wired to none of them says nothing; of one that is wired to some it
    says those.
    """
    found = []
    for layer in program.layers:
        for node in layer:
            for values in _pinned_inputs(node.module):
                mine = {
                    wire.field: values[name]
                    for name, wire in node.wires.items()
                    if wire.node == INPUT and name in values
                }
                if mine:
                    found.append(mine)
    return found


def named_lms(program: Program) -> dict[str, str]:
    """The LM that a step names, for each path below which it answers."""
    found: dict[str, str] = {}
    for layer in program.layers:
        for node in layer:
            if node.lm:
                found[node.name] = node.lm
            for path, inner in _programs(node.module):
                for below, lm in named_lms(inner).items():
                    found[join_path(join_path(node.name, path), below)] = lm
    return found


def drawn_inside(program: Program) -> list[str]:
    """The paths of the steps in pipelines inside of steps, of those that ask an LM."""
    return [
        join_path(join_path(node.name, path), below)
        for layer in program.layers
        for node in layer
        for path, inner in _programs(node.module)
        for below in (*_asking(inner), *drawn_inside(inner))
    ]


def takes_demos(module: Module, signature: Signature) -> Predict | None:
    """The predictor that asks what `signature` says, and may ask for more; None: there is none.

    One that stands in a pipeline drawn inside of the module is asked by that pipeline.
    """
    for _, predict in _predicts(module, into_programs=False):
        asked, given = predict.signature, _shapes(signature.inputs)
        if _shapes(asked.inputs) == given and _shapes(signature.outputs) <= _shapes(asked.outputs):
            return predict
    return None


def with_pinned(module: Module, predict: Predict, demos: tuple[Demo, ...]) -> Module:
    """The module with `demos` pinned to `predict`, which stands inside of it."""
    if isinstance(module, Predict):
        return replace(module, pinned=demos, _renderers={}) if module is predict else module
    if isinstance(module, KnnDemos):
        inner = with_pinned(module.predict, predict, demos)
        return replace(module, predict=cast(Predict, inner), _vectors={}, _embedding={})
    if isinstance(module, Composite):
        members = {
            name: with_pinned(member, predict, demos) for name, member in module.members.items()
        }
        return module.with_members(members)
    return module


def _predicts(
    module: Module, path: str = "", *, into_programs: bool = True
) -> Iterator[tuple[str, Predict]]:
    if isinstance(module, Predict):
        yield path, module
    elif isinstance(module, KnnDemos):
        yield path, module.predict
    for name, member in _members(module):
        yield from _predicts(member, join_path(path, name), into_programs=into_programs)
    if isinstance(module, Subpipeline) and into_programs:
        for layer in module.program.layers:
            for node in layer:
                yield from _predicts(node.module, join_path(path, node.name))


def _programs(module: Module, path: str = "") -> Iterator[tuple[str, Program]]:
    """The pipelines drawn inside of a module; those inside of these are found in them."""
    if isinstance(module, Subpipeline):
        yield path, module.program
    for name, member in _members(module):
        yield from _programs(member, join_path(path, name))


def _asking(program: Program) -> list[str]:
    return [node.name for layer in program.layers for node in layer if node.module.predictors()]


def _pinned_inputs(module: Module) -> Iterator[Mapping[str, Any]]:
    """By the names of the module's own inputs, which its members share."""
    for _, predict in _predicts(module, into_programs=False):
        yield from (demo.values for demo in predict.pinned)
    for _, program in _programs(module):
        yield from pinned_inputs(program)


def _members(module: Module) -> Iterator[tuple[str, Module]]:
    if isinstance(module, Composite):
        yield from module.members.items()


def _shapes(fields: tuple[Field, ...]) -> set[tuple[str, str]]:
    return {(field.name, str(field.type)) for field in fields}
