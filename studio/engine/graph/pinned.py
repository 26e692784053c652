"""The demos that are pinned to a node: whether it can show them, and whether they fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.engine.errors import ParseError
from studio.engine.example import Demo
from studio.engine.graph.nodes import node_signature
from studio.engine.graph.spec import Problem
from studio.engine.modules import MODULES
from studio.engine.modules.base import Module
from studio.engine.modules.inside import takes_demos, with_pinned
from studio.engine.signature import Signature


def pin(node: Mapping[str, Any], module: Module) -> tuple[Module, list[Problem]]:
    """The module with the node's demos pinned to what it asks, or all that is wrong with them."""
    if not node.get("demos"):
        return module, []
    own = node_signature(node)
    predict = takes_demos(module, own)
    if predict is None:
        if node.get("parts"):
            why = "what it asks is drawn inside: pin the demos to a step in there"
        else:
            kind = MODULES[node["kind"]].title
            why = f"a {kind} step shows no pinned demos: remove them, or use Predict"
        message = f"{node['name']}: {why}."
        return module, [Problem(code="no-demos", message=message, node=node["id"])]
    problems: list[Problem] = []
    demos = []
    for number, values in enumerate(node["demos"], 1):
        where = f"{node['name']}, demo {number}"
        read, wrong = _read(predict.signature, values)
        if not wrong and not any(field.name in read for field in own.outputs):
            names = ", ".join(field.name for field in own.outputs)
            wrong = {own.outputs[0].name: f"It has no output: write what is right in {names}."}
        problems += [
            Problem(code="bad-demo", message=f"{where}: {why}", node=node["id"], field=name)
            for name, why in wrong.items()
        ]
        demos.append(Demo(values=read))
    return (module, problems) if problems else (with_pinned(module, predict, tuple(demos)), [])


SHOW_NO_DEMOS = frozenset({"map", "react", "program_of_thought", "code_act", "router"})
"""Kinds that ask an LM and show it no demos that were pinned to the node."""


def may_be_pinned(kind: str) -> bool:
    """Whether demos can be pinned to a step of this kind that has no pipelines inside."""
    return kind in MODULES and MODULES[kind].calls_lm and kind not in SHOW_NO_DEMOS


def _read(
    signature: Signature, values: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The typed values in the order of the fields, and by field what is wrong."""
    fields = {field.name: field for field in signature.fields}
    read: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, field in fields.items():
        if name in values:
            try:
                read[name] = field.read_json(values[name])
            except ParseError as error:
                wrong[name] = str(error)
    for name in values:
        if name not in fields:
            wrong[name] = f"There is no field “{name[:80]}”. Fields are {', '.join(fields)}."
    return read, wrong
