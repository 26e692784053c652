"""What can be wired into a node and out of it, read as far as it can be read.

The check refuses a node whose fields are not in order; while it is being edited, its other fields
are still there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from studio.engine.errors import SignatureError
from studio.engine.fields import FieldType, parse_type
from studio.engine.modules import MODULES
from studio.engine.modules.base import ModuleKind
from studio.engine.signature import Field, Signature

Role = Literal["input", "output"]
ENDS = ("input", "output")
"""The two kinds of nodes that are no steps."""


@dataclass(frozen=True, slots=True)
class Row:
    """One field of a node, on the side of the node where its wires are."""

    name: str
    role: Role
    text: str
    """The type as it is written."""
    type: FieldType | None
    """None: it cannot be read."""
    added: bool = False
    """The kind adds it: it is not in the signature."""
    optional: bool = False
    """An input that needs no wire."""


def is_end(node: Mapping[str, Any]) -> bool:
    """Whether a node is the input or the output of its pipeline."""
    return node["kind"] in ENDS


def raw_fields(node: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields as the document holds them, without what is no field at all."""
    holder: Any = node if is_end(node) else node.get("signature")
    fields = holder.get("fields") if isinstance(holder, dict) else None
    if not isinstance(fields, list):
        return []
    return [
        field for field in fields if isinstance(field, dict) and isinstance(field.get("name"), str)
    ]


def rows_of(node: Mapping[str, Any]) -> tuple[Row, ...]:
    """Every field, inputs first; what a kind adds stands before the outputs. Never raises."""
    if is_end(node):
        role: Role = "output" if node["kind"] == "input" else "input"
        return tuple(_row(field, role) for field in raw_fields(node))
    fields = raw_fields(node)
    inputs = [_row(field, "input") for field in fields if field.get("role") != "output"]
    outputs = [_row(field, "output") for field in fields if field.get("role") == "output"]
    return (*inputs, *_added(node), *outputs)


def find_row(node: Mapping[str, Any], role: Role, name: str) -> Row | None:
    """The field of that name on that side."""
    found = (row for row in rows_of(node) if row.role == role and row.name == name)
    return next(found, None)


def _row(field: Mapping[str, Any], role: Role) -> Row:
    text = field.get("type", "str")
    text = text if isinstance(text, str) else ""
    try:
        type_ = parse_type(text)
    except SignatureError:
        return Row(field["name"], role, text, None)
    optional = "default" in field or type_.kind == "optional"
    return Row(field["name"], role, text, type_, optional=optional)


_PROBES = (
    "probe_a -> probe_b",
    "probe_a: bool -> probe_b",
    "probe_a: list[str] -> probe_b: list[str]",
)
"""Signatures of which one suits every kind: what comes out beside is what the kind adds."""


def _added(node: Mapping[str, Any]) -> tuple[Row, ...]:
    """The outputs that the kind adds; none where the signature has fields of their names."""
    if node["kind"] not in MODULES:
        return ()
    own = {field["name"] for field in raw_fields(node)}
    return tuple(
        Row(field.name, "output", str(field.type), field.type, added=True)
        for field in _added_by(MODULES[node["kind"]])
        if field.name not in own
    )


@cache
def _added_by(kind: ModuleKind) -> tuple[Field, ...]:
    for probe in _PROBES:
        signature = Signature.parse(probe)
        try:
            wired = kind.ports(signature)
        except SignatureError:
            continue
        known = {field.name for field in signature.fields}
        return tuple(field for field in wired.outputs if field.name not in known)
    return ()
