"""Wires: what may be drawn, drawing it, and taking it away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.engine.errors import GraphError
from studio.engine.fields import Converter, accepts, converters
from studio.engine.graph.edits.fresh import fresh_edge_id
from studio.engine.graph.edits.levels import Edge, Node, Spec, find_node
from studio.engine.graph.edits.rows import Row, find_row, rows_of


@dataclass(frozen=True, slots=True)
class Source:
    """Something that an input could take, and why not, if not."""

    node: str
    name: str
    """What its node is called."""
    field: str
    type: str
    reason: str = ""
    """Empty: the wire is legal."""
    converters: tuple[Converter, ...] = ()
    """What would make it legal."""


def connect(level: Spec, source: str, source_field: str, target: str, target_field: str) -> Spec:
    """The level with the wire, in the place of the one that led into the same input.

    Raises `GraphError` with the reason when it may not be drawn.
    """
    node, end = find_node(level, source), find_node(level, target)
    out, into = find_row(node, "output", source_field), find_row(end, "input", target_field)
    if node is end:
        raise GraphError(f"{node['name']} cannot feed itself.")
    if out is None:
        raise GraphError(f"{node['name']} has no output “{source_field}”.")
    if into is None:
        raise GraphError(f"{end['name']} has no input “{target_field}”.")
    circle = target in _reach(source, _behind(level))
    if reason := _refusal((node, out), (end, into), circle=circle):
        raise GraphError(reason)
    return lay(level, source, source_field, target, target_field)


def lay(level: Spec, source: str, source_field: str, target: str, target_field: str) -> Spec:
    """The wire as `connect` draws it, whether it fits or not."""
    there = wire_into(level, target, target_field)
    wire = {
        "id": there["id"] if there else fresh_edge_id(level),
        "source": source,
        "source_field": source_field,
        "target": target,
        "target_field": target_field,
    }
    others = (edge for edge in level["edges"] if not _is_into(edge, target, target_field))
    return {**level, "edges": [*others, wire]}


def disconnect(level: Spec, target: str, target_field: str) -> Spec:
    """The level with nothing in this input. Raises `GraphError` when there was no wire."""
    node = find_node(level, target)
    if wire_into(level, target, target_field) is None:
        raise GraphError(f"Nothing leads into {node['name']}.{target_field}.")
    edges = [edge for edge in level["edges"] if not _is_into(edge, target, target_field)]
    return {**level, "edges": edges}


def wire_into(level: Mapping[str, Any], target: str, target_field: str) -> Edge | None:
    """The wire that leads into this input."""
    found = (edge for edge in level["edges"] if _is_into(edge, target, target_field))
    return next(found, None)


def sources_for(level: Spec, target: str, target_field: str) -> list[Source]:
    """Everything that could be wired into an input: legal, or not with the reason.

    Raises `GraphError` when there is no such node.
    """
    end = find_node(level, target)
    into = find_row(end, "input", target_field)
    waiting = _reach(target, ahead_of(level))
    found = []
    for node in level["nodes"]:
        for row in rows_of(node) if node["id"] != target else ():
            if row.role == "output":
                circle = node["id"] in waiting
                if into is None:
                    reason = f"{end['name']} has no input “{target_field}”."
                else:
                    reason = _refusal((node, row), (end, into), circle=circle)
                ways = () if circle else _ways(row, into)
                found.append(Source(node["id"], node["name"], row.name, row.text, reason, ways))
    return found


def wire_up(level: Spec, source: str, target: str) -> Spec:
    """The level in which `target` takes of `source` what fits: fields of one name, or the first
    that fits at all."""
    outputs = [row for row in rows_of(find_node(level, source)) if row.role == "output"]
    inputs = [row for row in rows_of(find_node(level, target)) if row.role == "input"]
    fitting = [(out, into) for out in outputs for into in inputs if _fits(out, into)]
    same = [pair for pair in fitting if pair[0].name == pair[1].name]
    for out, into in same or fitting[:1]:
        level = lay(level, source, out.name, target, into.name)
    return level


def drop_loose_wires(level: Spec, id_: str) -> Spec:
    """Without wires that lead to fields of the node which are not there any more."""
    node = find_node(level, id_)
    edges = [
        edge
        for edge in level["edges"]
        if (edge["source"] != id_ or find_row(node, "output", edge["source_field"]))
        and (edge["target"] != id_ or find_row(node, "input", edge["target_field"]))
    ]
    return {**level, "edges": edges}


def ahead_of(level: Mapping[str, Any]) -> dict[str, set[str]]:
    """For each node those that take something of it."""
    return _neighbours(level, "source", "target")


def _behind(level: Mapping[str, Any]) -> dict[str, set[str]]:
    return _neighbours(level, "target", "source")


def _neighbours(level: Mapping[str, Any], of: str, to: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for edge in level["edges"]:
        found.setdefault(edge[of], set()).add(edge[to])
    return found


def _reach(start: str, following: Mapping[str, set[str]]) -> set[str]:
    """The start, and everything that can be reached from it."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        id_ = waiting.pop()
        if id_ not in seen:
            seen.add(id_)
            waiting.extend(following.get(id_, ()))
    return seen


def _refusal(start: tuple[Node, Row], end: tuple[Node, Row], *, circle: bool) -> str:
    """Why the wire may not be drawn between two other nodes; empty: it may."""
    (source, out), (target, into) = start, end
    for node, row in ((source, out), (target, into)):
        if row.type is None:
            return f"The type of {node['name']}.{row.name} cannot be read yet."
    if reason := _misfit(out, into):
        return f"{_at(source, out)} → {_at(target, into)}: {reason}."
    if circle:
        return f"That would run in a circle: {source['name']} already waits for {target['name']}."
    return ""


def _at(node: Node, row: Row) -> str:
    return f"{node['name']}.{row.name}"


def _misfit(out: Row, into: Row) -> str:
    return accepts(out.type, into.type) if out.type and into.type else ""


def _fits(out: Row, into: Row) -> bool:
    return bool(out.type and into.type) and not _misfit(out, into)


def _ways(out: Row, into: Row | None) -> tuple[Converter, ...]:
    if into is None or out.type is None or into.type is None:
        return ()
    return converters(out.type, into.type)


def _is_into(edge: Mapping[str, Any], node: str, field: str) -> bool:
    return bool(edge["target"] == node and edge["target_field"] == field)
