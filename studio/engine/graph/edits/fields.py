"""The fields of a node: as a line, as a table, and what their values must satisfy.

Wires follow a renamed field, and go with a field that goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from studio.engine.errors import GraphError, SignatureError
from studio.engine.fields import parse_type, shorten, split_outside
from studio.engine.graph.edits.levels import Node, Spec, find_node, with_node
from studio.engine.graph.edits.rows import Role, is_end, raw_fields
from studio.engine.graph.edits.settings import find_step
from studio.engine.graph.edits.wires import drop_loose_wires
from studio.engine.graph.nodes import node_fields
from studio.engine.signature import MISSING, Signature

_LONGEST = 20_000
_NAMES_MOST = 200
"""Fields of one node."""
_KNOWN = ("name", "role", "type", "description", "constraints", "default")

JSON = dict[str, Any]


def set_signature(level: Spec, id_: str, fields: Sequence[Mapping[str, Any]]) -> Spec:
    """Other fields for a step, each as JSON. Raises `SignatureError`."""
    node = find_step(level, id_)
    _require_few(fields)
    clean = [
        _with_extras(field.to_dict(), given)
        for field, given in zip(Signature.from_fields(fields).fields, fields, strict=True)
    ]
    before = node.get("signature")
    signature = {
        "instruction": "",
        **(before if isinstance(before, dict) else {}),
        "fields": clean,
    }
    changed = with_node(level, {**node, "signature": signature})
    for role in ("input", "output"):
        old, new = _side(raw_fields(node), role), _side(clean, role)
        changed = _follow_renames(changed, id_, role, old, new)
    return drop_loose_wires(changed, id_)


def set_signature_text(level: Spec, id_: str, text: str) -> Spec:
    """Other fields for a step, as `message, order_id: int -> category`.

    Descriptions, constraints and defaults stay with the fields that stay. Raises `SignatureError`.
    """
    node = find_step(level, id_)
    after = [field.to_dict() for field in Signature.parse(text).fields]
    return set_signature(level, id_, kept_beside(raw_fields(node), after))


def set_fields(level: Spec, id_: str, fields: Sequence[Mapping[str, Any]]) -> Spec:
    """Other fields for the input or the output node, each as JSON. Raises `SignatureError`."""
    node = _find_end(level, id_)
    _require_few(fields)
    wanted = {**node, "fields": [dict(field) for field in fields]}
    clean = [
        _with_extras(field.to_dict(), given)
        for field, given in zip(node_fields(wanted), fields, strict=True)
    ]
    for field in clean:
        field.pop("role", None)
    changed = with_node(level, {**node, "fields": clean})
    role: Role = "output" if node["kind"] == "input" else "input"
    changed = _follow_renames(changed, id_, role, raw_fields(node), clean)
    return drop_loose_wires(changed, id_)


def set_fields_text(level: Spec, id_: str, text: str) -> Spec:
    """Other fields for the input or the output node, as `message, order_id: int`."""
    node = _find_end(level, id_)
    return set_fields(level, id_, kept_beside(raw_fields(node), parse_fields(text)))


def set_constraints(
    level: Spec, id_: str, field: str, constraints: Mapping[str, Any], default: Any = MISSING
) -> Spec:
    """What the values of a field must satisfy, and what is taken when there is none.

    Raises `SignatureError` when a bound says nothing about its type, or the default breaks one.
    """
    node = find_node(level, id_)
    fields = [dict(one) for one in raw_fields(node)]
    one = next((one for one in fields if one["name"] == field), None)
    if one is None:
        raise GraphError(f"{node['name']} has no field “{shorten(field)}”.")
    one.pop("constraints", None)
    one.pop("default", None)
    if constraints:
        one["constraints"] = dict(constraints)
    if default is not MISSING:
        one["default"] = default
    return (set_fields if is_end(node) else set_signature)(level, id_, fields)


def parse_fields(text: str) -> list[JSON]:
    """`message, order_id: int` as fields without a role. Raises `SignatureError`."""
    if len(text) > _LONGEST:
        raise SignatureError("The list of fields is longer than 20,000 characters.")
    fields = []
    for part in split_outside(text, ",") if text.strip() else ():
        name, colon, type_ = part.partition(":")
        if not name.strip():
            raise SignatureError("A field's name is missing: write message, order_id: int.")
        type_text = str(parse_type(type_)) if colon else "str"
        fields.append({"name": name.strip(), "type": type_text, "description": ""})
    return fields


def fields_text(node: Mapping[str, Any]) -> str:
    """The line that `set_fields_text` or `set_signature_text` reads back."""
    fields = raw_fields(node)
    if is_end(node):
        return _line(fields)
    return " -> ".join(_line(_side(fields, role)) for role in ("input", "output"))


def kept_beside(before: Sequence[Mapping[str, Any]], after: Sequence[JSON]) -> list[JSON]:
    """The new fields with what the line does not say: description, constraints, default.

    They stay with fields of the same name, or of the same place when a name was changed there.
    What does not fit a field's new type goes.
    """
    known = {field["name"] for field in after}
    kept = []
    for index, field in enumerate(after):
        old = next((one for one in before if _same(one, field)), None)
        if old is None and len(before) == len(after) and before[index]["name"] not in known:
            old = before[index]
        kept.append(_merged(old or {}, field))
    return kept


def _merged(old: Mapping[str, Any], field: JSON) -> JSON:
    merged = {**old, **field, "description": old.get("description", "")}
    try:
        Signature.from_fields([{**merged, "role": "input"}, {"name": "z", "role": "output"}])
    except SignatureError:
        merged.pop("constraints", None)
        merged.pop("default", None)
    return merged


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(one["name"] == other["name"] and one.get("role") == other.get("role"))


def _line(fields: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(
        field["name"] if field.get("type", "str") == "str" else f"{field['name']}: {field['type']}"
        for field in fields
    )


def _side(fields: Sequence[Mapping[str, Any]], role: str) -> list[Mapping[str, Any]]:
    return [field for field in fields if (field.get("role") == "output") == (role == "output")]


def _with_extras(field: JSON, given: Mapping[str, Any]) -> JSON:
    """The field with what the document says of it that nobody here knows."""
    return {**{key: value for key, value in given.items() if key not in _KNOWN}, **field}


def _follow_renames(
    level: Spec,
    id_: str,
    role: str,
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]],
) -> Spec:
    """A field is renamed when one name of a side changed and the number of fields did not."""
    if len(before) != len(after):
        return level
    known = {field["name"] for field in before}
    kept = {field["name"] for field in after}
    names = {
        old["name"]: new["name"]
        for old, new in zip(before, after, strict=True)
        if new["name"] not in known and old["name"] not in kept
    }
    end, field = ("target", "target_field") if role == "input" else ("source", "source_field")
    edges = [
        {**edge, field: names.get(edge[field], edge[field])} if edge[end] == id_ else edge
        for edge in level["edges"]
    ]
    return {**level, "edges": edges}


def _find_end(level: Spec, id_: str) -> Node:
    node = find_node(level, id_)
    if not is_end(node):
        raise GraphError(f"{node['name']} is a step: it has a signature.")
    return node


def _require_few(fields: Sequence[Any]) -> None:
    if len(fields) > _NAMES_MOST:
        raise GraphError(f"A node has {_NAMES_MOST} fields at most, not {len(fields)}.")
