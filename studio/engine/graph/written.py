"""Fields as JSON, and as people write them: `message, tags: list[str]`.

Nothing is refused here that a drawing may hold while it is unfinished: types are texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from studio.engine.errors import SignatureError
from studio.engine.fields import shorten, split_outside

FieldJson = dict[str, Any]
_OWN = ("name", "role", "type")
"""What stands in the text; all else about a field are its details."""


def read_fields(text: str, role: str = "") -> list[FieldJson]:
    """The fields of `message, tags: list[str]`; an empty text has none.

    Raises `SignatureError` when a bracket is not closed or a name is missing.
    """
    if not text.strip():
        return []
    fields = []
    for part in split_outside(text, ","):
        name, _, type_ = part.partition(":")
        if not name.strip():
            raise SignatureError("A field's name is missing: write message, tags: list[str].")
        field = {"name": name.strip(), "type": type_.strip() or "str", "description": ""}
        fields.append({**field, "role": role} if role else field)
    return fields


def read_signature(text: str) -> list[FieldJson]:
    """The fields of `message -> area: enum[a, b]`; either side may be empty still."""
    if not text.strip():
        return []
    sides = split_outside(text, "->")
    if len(sides) != 2:
        raise SignatureError(
            f"A signature has exactly one “->”: write message -> category. Got “{shorten(text)}”."
        )
    return [*read_fields(sides[0], "input"), *read_fields(sides[1], "output")]


def with_details(
    fields: Sequence[FieldJson], details: Mapping[str, Any], what: str
) -> list[FieldJson]:
    """The fields with what else is said of them: a description, or an object with more.

    Raises `SignatureError` for details of a field that is not there.
    """
    known = {field["name"] for field in fields}
    for name, detail in details.items():
        if name not in known:
            raise SignatureError(
                f"{what} has no field “{shorten(name)}” that could be described. "
                f"Its fields are {', '.join(known) or 'none'}."
            )
        if not isinstance(detail, (str, dict)):
            raise SignatureError(
                f"{what}: write a description of “{shorten(name)}”, or an object with "
                "description, constraints, default."
            )
    return [{**field, **_detail(details.get(field["name"], {}))} for field in fields]


def _detail(given: Any) -> dict[str, Any]:
    return {"description": given} if isinstance(given, str) else given


def write_fields(fields: Iterable[FieldJson]) -> str:
    """The text of the fields; `read_fields` reads it back."""
    return ", ".join(map(_written, fields))


def write_signature(fields: Iterable[FieldJson]) -> str:
    """The text of a signature; `read_signature` reads it back."""
    fields = list(fields)
    if not fields:
        return ""
    sides = [
        write_fields(field for field in fields if field.get("role") == role)
        for role in ("input", "output")
    ]
    return " -> ".join(sides).strip()


def details_of(fields: Iterable[FieldJson]) -> dict[str, Any]:
    """What the text does not say of the fields, as `with_details` takes it."""
    details: dict[str, Any] = {}
    for field in fields:
        more = {key: value for key, value in field.items() if key not in _OWN}
        if more.get("description") == "":
            del more["description"]
        if not _is_plain(field):
            more = {"type": field["type"], **more}
        if set(more) == {"description"} and isinstance(more["description"], str):
            details[field["name"]] = more["description"]
        elif more:
            details[field["name"]] = more
    return details


def _written(field: FieldJson) -> str:
    type_ = field.get("type", "str")
    return field["name"] if type_ == "str" or not _is_plain(field) else f"{field['name']}: {type_}"


def _is_plain(field: FieldJson) -> bool:
    """Whether the type can stand in the text: one that is not finished yet may tear it apart."""
    type_ = field.get("type", "str")
    try:
        (read,) = read_signature(f"n: {type_} ->")
    except (SignatureError, ValueError):
        return False
    return bool(read["type"] == type_)
