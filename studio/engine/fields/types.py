"""The types that a field can have, and their text form."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from studio.engine.codec import canonical_json
from studio.engine.errors import SignatureError
from studio.engine.fields.brackets import shorten, split_outside
from studio.engine.fields.schema_rules import check_schema, read_schema
from studio.engine.fields.schemas import json_schema

SCALARS = ("str", "int", "float", "bool")
PLAIN = ("date", "image", "document", "history", "tool", "object", "code")
"""Kinds that need nothing in brackets; the last two may have something."""
KNOWN = (
    "str, int, float, bool, date, enum[a, b], list[str], dict[str, int], optional[str], object, "
    "image, document, history, tool, code[python]"
)
MOST_NESTED = 20
"""Types inside types; the canvas has the same bound."""
LONGEST_TYPE = 40_000
"""Characters."""
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
_PROPERTY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
_LANGUAGE = re.compile(r"[a-z][a-z0-9+#._-]{0,30}\Z")
_BARE_LABEL = re.compile(r"\w(?:[\w .&/+\-]*[\w.&/+\-])?\Z")


@dataclass(frozen=True, slots=True)
class FieldType:
    """One type, such as `str`, `enum[a, b]`, `list[T]` or `object[{…}]`."""

    kind: str
    labels: tuple[str, ...] = ()
    """The allowed values of an `enum`."""
    item: FieldType | None = None
    """The type of the items of a `list`, of the values of a `dict`, or under an `optional`."""
    schema: str = ""
    """The JSON Schema of an `object`, as canonical JSON; empty: any object."""
    language: str = ""
    """What `code` is written in; empty: any language."""

    def __str__(self) -> str:
        """The text form; `parse_type` reads it back."""
        match self.kind:
            case "enum":
                return f"enum[{', '.join(_label_text(label) for label in self.labels)}]"
            case "list" | "optional":
                return f"{self.kind}[{self.item}]"
            case "dict":
                return f"dict[str, {self.item}]"
            case "object" if self.schema:
                return f"object[{self.schema}]"
            case "code" if self.language:
                return f"code[{self.language}]"
        return self.kind

    @property
    def bare(self) -> FieldType:
        """The type under an `optional`; any other type itself."""
        return self.item if self.kind == "optional" and self.item else self


STR = FieldType("str")


def parse_type(text: str) -> FieldType:
    """Read a type such as `list[int]` or `enum[billing, "not sure"]`.

    `Literal[…]` reads as `enum[…]`, `Optional[T]` and `T | None` as `optional[T]`, and
    `object[name: str, tags: list[str]]` as an object with that JSON Schema. Raises
    `SignatureError` with the part that is wrong.
    """
    if len(text) > LONGEST_TYPE:
        raise SignatureError("The type is longer than 40,000 characters.")
    return _parse_type(text, 0)


def _parse_type(text: str, depth: int) -> FieldType:
    text = text.strip()
    if text in SCALARS or text in PLAIN:
        return FieldType(text)
    if depth > MOST_NESTED:
        raise SignatureError("Types are nested too deeply.")
    bare, bar, none = text.rpartition("|")
    if bar and none.strip() == "None":
        return _optional(_parse_type(bare, depth + 1))
    head, bracket, rest = text.partition("[")
    head = head.strip()
    if bracket and rest.endswith("]"):
        inner = rest[:-1]
        match head:
            case "list":
                return FieldType("list", item=_parse_type(inner or "str", depth + 1))
            case "enum" | "Literal":
                return FieldType("enum", labels=_parse_labels(inner))
            case "optional" | "Optional":
                return _optional(_parse_type(inner or "str", depth + 1))
            case "dict":
                return FieldType("dict", item=_parse_dict(inner, depth))
            case "object":
                return FieldType("object", schema=_parse_object(inner.strip(), depth))
            case "code":
                return FieldType("code", language=_parse_language(inner.strip()))
    if text == "list":
        return FieldType("list", item=STR)
    if text == "dict":
        return FieldType("dict", item=STR)
    raise SignatureError(f"“{shorten(text)}” is not a type. Known types are {KNOWN}.")


def _optional(item: FieldType) -> FieldType:
    """What may be absent once is not absent twice."""
    return item if item.kind == "optional" else FieldType("optional", item=item)


def _parse_dict(text: str, depth: int) -> FieldType:
    key, *values = split_outside(text, ",")
    if key.strip() != "str" or len(values) != 1:
        raise SignatureError(
            f"A dict has texts as keys: write dict[str, int], not dict[{shorten(text)}]."
        )
    return _parse_type(values[0], depth + 1)


def _parse_object(text: str, depth: int) -> str:
    """The schema in JSON, or one property after the other: `name: str, tags: list[str]`."""
    if not text:
        return ""
    if text.startswith("{"):
        return read_schema(text)
    properties: dict[str, object] = {}
    required: list[str] = []
    for part in split_outside(text, ","):
        name, colon, written = part.partition(":")
        name = name.strip()
        if not _PROPERTY.match(name):
            raise SignatureError(
                f"“{shorten(name)}” is not a property’s name: "
                "write object[name: str, tags: list[str]]."
            )
        if name in properties:
            raise SignatureError(f"The property “{name}” stands twice in an object.")
        type_ = _parse_type(written, depth + 1) if colon else STR
        properties[name] = json_schema(type_, at=f"#/properties/{name}")
        if type_.kind != "optional":
            required.append(name)
    schema = {
        "type": "object",
        "properties": properties,
        "required": sorted(required),
        "additionalProperties": False,
    }
    check_schema(schema)
    return canonical_json(schema)


def _parse_language(text: str) -> str:
    language = text.lower()
    if language and not _LANGUAGE.match(language):
        raise SignatureError(f"“{shorten(text)}” is not a language: write code[python].")
    return language


def _label_text(label: str) -> str:
    return label if _BARE_LABEL.match(label) else json.dumps(label, ensure_ascii=False)


def _parse_labels(text: str) -> tuple[str, ...]:
    labels: list[str] = []
    for part in split_outside(text, ","):
        label = _read_label(part.strip())
        if not label.strip():
            raise SignatureError("An enum has an empty label: write enum[billing, shipping].")
        if label in labels:
            raise SignatureError(f"The label “{shorten(label)}” stands twice in an enum.")
        labels.append(label)
    if len(labels) < 2:
        raise SignatureError("An enum needs two labels or more: write enum[billing, shipping].")
    return tuple(labels)


def _read_label(text: str) -> str:
    if text[:1] == "'" and text.find("'", 1) == len(text) - 1:
        return text[1:-1]
    if text[:1] not in ("'", '"'):
        return text
    try:
        return str(json.loads(text))
    except ValueError:
        raise SignatureError(f"The label {shorten(text)} has no closing quote.") from None
