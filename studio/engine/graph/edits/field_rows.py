"""One field more, one fewer, one earlier or later: what the buttons of a table do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from studio.engine.errors import GraphError
from studio.engine.graph.edits.fields import set_fields, set_signature
from studio.engine.graph.edits.fresh import free_name
from studio.engine.graph.edits.levels import Node, Spec, find_node
from studio.engine.graph.edits.rows import is_end, raw_fields


def table_of(node: Node) -> list[dict[str, Any]]:
    """The fields in the order in which they are shown: inputs first."""
    return sorted(raw_fields(node), key=lambda field: field.get("role") == "output")


def set_table(level: Spec, id_: str, fields: Sequence[dict[str, Any]]) -> Spec:
    """Other fields for a node of any kind. Raises `SignatureError`."""
    change = set_fields if is_end(find_node(level, id_)) else set_signature
    return change(level, id_, fields)


def add_field(level: Spec, id_: str, role: str) -> Spec:
    """One more field, the last of its role; at an end the role says nothing."""
    node = find_node(level, id_)
    fields = table_of(node)
    name = free_name(role, [field["name"] for field in fields])
    new = {"name": name, "type": "str", "description": ""}
    if is_end(node):
        return set_table(level, id_, [*fields, new])
    at = len([field for field in fields if field.get("role") != "output"])
    at = at if role == "input" else len(fields)
    return set_table(level, id_, [*fields[:at], {**new, "role": role}, *fields[at:]])


def remove_field(level: Spec, id_: str, number: int) -> Spec:
    """Without the field at that place of the table, and without its wires."""
    fields = _with(level, id_, number)
    return set_table(level, id_, [*fields[:number], *fields[number + 1 :]])


def move_field(level: Spec, id_: str, number: int, by: int) -> Spec:
    """The field at that place earlier (-1) or later (1); at the edge of the table it stays."""
    fields = _with(level, id_, number)
    other = number + by
    if 0 <= other < len(fields):
        fields[number], fields[other] = fields[other], fields[number]
    return set_table(level, id_, fields)


def _with(level: Spec, id_: str, number: int) -> list[dict[str, Any]]:
    fields = table_of(find_node(level, id_))
    if not 0 <= number < len(fields):
        raise GraphError(f"There is no field {number + 1} here any more.")
    return fields
