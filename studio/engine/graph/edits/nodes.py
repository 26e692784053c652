"""Nodes come, go, are named and copied."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from studio.engine.errors import GraphError
from studio.engine.fields import shorten
from studio.engine.graph.edits.fresh import (
    free_name,
    fresh_edge_id,
    fresh_node_id,
    names_of,
    require_name,
)
from studio.engine.graph.edits.levels import Node, Spec, find_node, with_node
from studio.engine.graph.edits.placing import COLUMN, free_spot
from studio.engine.graph.edits.rows import ENDS, is_end
from studio.engine.graph.edits.wires import drop_loose_wires, wire_up
from studio.engine.graph.spec import NODE_KINDS
from studio.engine.modules import MODULES
from studio.engine.signature import Signature

START = "text -> answer"
"""The signature of a step that nobody has described yet."""
_ASIDE = 40


def add_node(
    level: Spec,
    kind: str,
    name: str = "",
    *,
    after: str = "",
    signature: Signature | None = None,
    params: Mapping[str, Any] | None = None,
    module: str = "",
) -> Spec:
    """The level with one more node, the last of its list.

    It stands to the right of the node `after`, and takes of that what fits. Without a name it is
    called by its kind. Raises `GraphError`.
    """
    if kind not in NODE_KINDS:
        raise GraphError(f"“{shorten(kind)}” is no kind of node here.")
    if kind in ENDS and any(node["kind"] == kind for node in level["nodes"]):
        raise GraphError(f"The pipeline has an {kind} node already.")
    if name:
        require_name(level, name)
    before = find_node(level, after) if after else _last_before_output(level)
    node: Node = {
        "id": fresh_node_id(level),
        "kind": kind,
        "name": name or free_name(kind.replace("-", "_"), names_of(level), fallback="step"),
        "position": free_spot(level, _beside(before, kind)),
    }
    if kind in ENDS:
        node["fields"] = []
    else:
        node["signature"] = (signature or Signature.parse(START)).to_dict()
        node["params"] = dict(params or {})
        node["module"] = module
    added = {**level, "nodes": [*level["nodes"], node]}
    return wire_up(added, after, node["id"]) if after else added


def add_module(level: Spec, module: Mapping[str, Any], name: str = "", *, after: str = "") -> Spec:
    """The level with a step as a saved module says: `slug`, `name`, `kind`, `signature`, `params`.

    Raises `GraphError` when its kind is gone, `SignatureError` when its signature is.
    """
    if module["kind"] not in MODULES:
        raise GraphError(f"“{shorten(str(module['kind']))}” is no kind of step here any more.")
    wanted = str(module["slug"]).replace("-", "_")
    return add_node(
        level,
        module["kind"],
        name or free_name(wanted, names_of(level), fallback="step"),
        after=after,
        signature=Signature.from_dict(module["signature"]),
        params=module["params"],
        module=str(module["slug"]),
    )


def remove_nodes(level: Spec, ids: Collection[str]) -> Spec:
    """Without these nodes and without their wires. Raises `GraphError` when one is not there."""
    for id_ in ids:
        find_node(level, id_)
    return {
        **level,
        "nodes": [node for node in level["nodes"] if node["id"] not in ids],
        "edges": [
            edge
            for edge in level["edges"]
            if edge["source"] not in ids and edge["target"] not in ids
        ],
    }


def rename(level: Spec, id_: str, name: str) -> Spec:
    """Another name. Raises `GraphError` when it is no name, or another node has it."""
    node = find_node(level, id_)
    require_name(level, name, besides=id_)
    return with_node(level, {**node, "name": name})


def set_kind(level: Spec, id_: str, kind: str) -> Spec:
    """Another kind of step; parameters that it does not know go, and wires to what the old one
    added. Raises `GraphError`."""
    node = find_node(level, id_)
    if is_end(node) or kind not in MODULES:
        raise GraphError(f"{node['name']} cannot become “{shorten(kind)}”.")
    if node["kind"] == kind:
        return level
    known = MODULES[kind].params.__dataclass_fields__
    params = {key: value for key, value in node.get("params", {}).items() if key in known}
    return drop_loose_wires(with_node(level, {**node, "kind": kind, "params": params}), id_)


def duplicate(level: Spec, ids: Collection[str]) -> Spec:
    """Copies of these steps beside them, with the wires between them. Raises `GraphError`."""
    chosen = [find_node(level, id_) for id_ in dict.fromkeys(ids)]
    fresh: dict[str, str] = {}
    for node in chosen:
        if is_end(node):
            raise GraphError(f"A pipeline has one {node['kind']} node: it cannot be copied.")
        copy = {
            **node,
            "id": fresh_node_id(level),
            "name": free_name(node["name"], names_of(level), fallback="step"),
            "position": {axis: node["position"][axis] + _ASIDE for axis in ("x", "y")},
        }
        fresh[node["id"]] = copy["id"]
        level = {**level, "nodes": [*level["nodes"], copy]}
    for edge in level["edges"]:
        if edge["source"] in fresh and edge["target"] in fresh:
            ends = {"source": fresh[edge["source"]], "target": fresh[edge["target"]]}
            copied = {**edge, **ends, "id": fresh_edge_id(level)}
            level = {**level, "edges": [*level["edges"], copied]}
    return level


def _last_before_output(level: Spec) -> Node | None:
    """The node that is farthest to the right, the output left aside."""
    others = [node for node in level["nodes"] if node["kind"] != "output"]
    return max(others, key=lambda node: node["position"]["x"], default=None)


def _beside(node: Node | None, kind: str) -> dict[str, float]:
    if node is None or kind == "input":
        return {"x": 0, "y": 0}
    return {"x": node["position"]["x"] + COLUMN, "y": node["position"]["y"]}
