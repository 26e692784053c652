"""The pipelines inside of a node: which there may be, adding one, taking one away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from studio.engine.errors import EngineError, GraphError
from studio.engine.fields import shorten
from studio.engine.graph.edits.levels import Spec, with_node
from studio.engine.graph.edits.settings import find_step
from studio.engine.graph.nodes import node_params, node_signature
from studio.engine.graph.spec import VERSION
from studio.engine.modules import MODULES
from studio.engine.modules.base import Part
from studio.engine.signature import Field


def parts_for(node: Mapping[str, Any]) -> tuple[Part, ...]:
    """The parts that a node of this kind may have.

    Raises `EngineError` while its signature or parameters do not say yet which those are.
    """
    if node["kind"] not in MODULES:
        return ()
    return MODULES[node["kind"]].parts(node_signature(node), node_params(node))


def add_part(level: Spec, id_: str, part: str) -> Spec:
    """The level in which a node has this part, with the ends that it needs and nothing between.

    Raises `GraphError` when it has it already or may not have it, `EngineError` when nobody can
    tell yet.
    """
    node = find_step(level, id_)
    parts = node.get("parts", {})
    if part in parts:
        raise GraphError(f"{node['name']} has the pipeline “{shorten(part)}” already.")
    try:
        wanted = {one.name: one for one in parts_for(node)}
    except EngineError as error:
        raise GraphError(f"{node['name']} cannot have a pipeline inside yet: {error}") from None
    if part not in wanted:
        known = f"It may have {', '.join(wanted)}." if wanted else "It has none inside."
        raise GraphError(f"{node['name']} has no pipeline “{shorten(part)}”. {known}")
    inside = _empty(wanted[part])
    return with_node(level, {**node, "parts": {**parts, part: inside}})


def remove_part(level: Spec, id_: str, part: str) -> Spec:
    """The level in which a node has this part no more, nor what is in it."""
    node = find_step(level, id_)
    parts = node.get("parts", {})
    if part not in parts:
        raise GraphError(f"{node['name']} has no pipeline “{shorten(part)}”.")
    left = {name: inside for name, inside in parts.items() if name != part}
    others = {key: value for key, value in node.items() if key != "parts"}
    return with_node(level, {**others, "parts": left} if left else others)


def _empty(part: Part) -> Spec:
    ends = (("input", 0, part.inputs), ("output", 720, part.outputs))
    return {
        "version": VERSION,
        "nodes": [
            {
                "id": kind,
                "kind": kind,
                "name": kind,
                "position": {"x": x, "y": 0},
                "fields": list(_plain(fields)),
            }
            for kind, x, fields in ends
        ],
        "edges": [],
    }


def _plain(fields: Iterable[Field]) -> Iterable[dict[str, Any]]:
    """As an end has them: without a role."""
    for field in fields:
        yield {key: value for key, value in field.to_dict().items() if key != "role"}
