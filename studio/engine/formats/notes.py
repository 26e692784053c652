"""What a prompt tells of a field besides its name: its type, description and bounds."""

from __future__ import annotations

import json
from collections.abc import Iterable

from studio.engine.fields import FieldType
from studio.engine.signature import MISSING, Field

_HINTS = {
    "int": "one whole number",
    "float": "one number",
    "bool": "true or false",
    "date": "a date as YYYY-MM-DD",
    "object": "a JSON object",
    "tool": "a tool, as JSON",
    "history": "a conversation",
}


def describe(fields: Iterable[Field]) -> str:
    """A line for every field."""
    lines = []
    for field in fields:
        *before, last = notes(field) or [""]
        note = "; ".join([*(part.removesuffix(".") for part in before), last])
        lines.append(f"- `{field.name}` ({type_text(field.type)})" + (f": {note}" if note else ""))
    return "\n".join(lines)


def notes(field: Field) -> list[str]:
    """Description, form of the value, constraints, and whether it may be left out."""
    found = [" ".join(field.description.split()), hint(field.type), bounds(field)]
    if field.role == "output" and not field.required:
        found.append("may be left out")
    if field.role == "output" and field.default is not MISSING:
        found.append(f"if left out: {json.dumps(field.default, ensure_ascii=False)}")
    return [note for note in found if note]


def bounds(field: Field) -> str:
    """The constraints in words; empty when there are none."""
    return field.constraints.describe(field.type) if field.constraints else ""


def type_text(type_: FieldType) -> str:
    """The type as people write it, without the JSON Schema of an object."""
    match type_.kind:
        case "object":
            return "object"
        case "list" | "optional" if type_.item is not None:
            return f"{type_.kind}[{type_text(type_.item)}]"
        case "dict" if type_.item is not None:
            return f"dict[str, {type_text(type_.item)}]"
    return str(type_)


def hint(type_: FieldType) -> str:
    """How a value of this type is written, in a few words; empty for texts."""
    inner = hint(type_.item) if type_.item is not None else ""
    match type_.kind:
        case "enum":
            return "exactly one of: " + "; ".join(type_.labels)
        case "list":
            return f"a JSON list, each item {inner}" if inner else "a JSON list"
        case "dict":
            return f"a JSON object, each value {inner}" if inner else "a JSON object"
        case "optional":
            return f"{inner}, or null" if inner else "null if there is none"
        case "object" if type_.schema:
            return f"a JSON object that fits the JSON Schema {type_.schema}"
        case "code":
            return f"{type_.language} code" if type_.language else "code"
    return _HINTS.get(type_.kind, "")
