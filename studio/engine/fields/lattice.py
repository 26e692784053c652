"""Which values fit where: what the canvas, the checker and the API ask before a wire is drawn."""

from __future__ import annotations

from studio.engine.fields.brackets import shorten
from studio.engine.fields.types import FieldType

TEXTS = ("str", "int", "float", "bool", "enum", "date", "code")
"""Kinds whose values have one text each: a text input takes them as they are."""
OBJECTS = ("object", "dict", "document", "tool")
"""Kinds whose values are JSON objects."""


def accepts(source: FieldType, target: FieldType) -> str:
    """Why a wire from `source` to `target` is refused; empty when it is legal.

    A text input takes whatever has one text, an `object` whatever is a JSON object, an
    `optional[T]` whatever `T` takes; lists and dicts go by what they hold. Nothing else is
    converted: see `converters`.
    """
    if source == target:
        return ""
    if target.kind == "optional" and target.item:
        return accepts(source.bare, target.item)
    if source.kind == "optional":
        return (
            f"{_shown(source)} may be absent and {_shown(target)} may not: "
            "make the target optional, or convert the value"
        )
    if source.kind == "enum" and target.kind == "enum":
        extra = [label for label in source.labels if label not in target.labels]
        return f"the target does not know the label “{extra[0]}”" if extra else ""
    if source.kind == target.kind and source.item and target.item:
        return accepts(source.item, target.item)
    if (
        (target.kind == "str" and source.kind in TEXTS)
        or (target.kind == "float" and source.kind == "int")
        or (target.kind == "object" and not target.schema and source.kind in OBJECTS)
        or (target.kind == "code" and not target.language and source.kind == "code")
    ):
        return ""
    return f"{_shown(source)} does not fit into {_shown(target)}"


def _shown(type_: FieldType) -> str:
    return shorten(str(type_))
