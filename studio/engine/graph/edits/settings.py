"""What a step is told beside its fields: instruction, parameters, LM, pinned demos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studio.engine.errors import GraphError
from studio.engine.fields import shorten
from studio.engine.graph.edits.levels import Node, Spec, find_node, with_node
from studio.engine.graph.edits.rows import is_end
from studio.engine.graph.spec import MOST_PINNED
from studio.engine.modules import MODULES
from studio.engine.params import read_params

LONGEST_INSTRUCTION = 20_000
_LONGEST_LM = 200


def set_instruction(level: Spec, id_: str, instruction: str) -> Spec:
    """What to do, in a sentence or two. Raises `GraphError` when it is too long."""
    node = find_step(level, id_)
    if len(instruction) > LONGEST_INSTRUCTION:
        raise GraphError(
            f"The instruction has {len(instruction):,} letters; {LONGEST_INSTRUCTION:,} is the "
            "most."
        )
    signature = node.get("signature")
    before = signature if isinstance(signature, dict) else {"fields": []}
    return with_node(level, {**node, "signature": {**before, "instruction": instruction}})


def set_params(level: Spec, id_: str, params: Mapping[str, Any]) -> Spec:
    """The parameters of its kind. Raises `EngineError` that names the one that is wrong."""
    node = find_step(level, id_)
    if node["kind"] in MODULES:
        read_params(MODULES[node["kind"]].params, params)
    return with_node(level, {**node, "params": dict(params)})


def set_lm(level: Spec, id_: str, lm: str) -> Spec:
    """The language model that answers here; empty: the run's."""
    node = find_step(level, id_)
    if len(lm) > _LONGEST_LM:
        raise GraphError(f"“{shorten(lm)}” is no short name of a language model.")
    return with_node(level, _with(node, "lm", lm))


def set_demos(level: Spec, id_: str, demos: Sequence[Mapping[str, Any]]) -> Spec:
    """The worked examples that the step is always shown: values by field name."""
    node = find_step(level, id_)
    if len(demos) > MOST_PINNED:
        raise GraphError(f"A step has {MOST_PINNED} pinned demos at most, not {len(demos)}.")
    return with_node(level, _with(node, "demos", [dict(demo) for demo in demos]))


def find_step(level: Spec, id_: str) -> Node:
    """The step of that id. Raises `GraphError` when there is none, or it is an end."""
    node = find_node(level, id_)
    if is_end(node):
        raise GraphError(f"{node['name']} is where values enter or leave: it has only fields.")
    return node


def _with(node: Node, key: str, value: Any) -> Node:
    """The node with the value, or without the key when there is nothing to say."""
    others = {name: old for name, old in node.items() if name != key}
    return {**others, key: value} if value else others
