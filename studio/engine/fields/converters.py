"""What makes a wire legal that is not: conversions between types, in a table.

A conversion is pure and exact, or it says why it cannot be done; what it gives is always read as
the target's type.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from studio.engine.errors import ParseError
from studio.engine.fields.lattice import TEXTS, accepts
from studio.engine.fields.types import FieldType
from studio.engine.fields.values import read_json, read_value

JSON_KINDS = ("list", "dict", "object", "document", "history", "tool")
"""Kinds whose text is JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Converter:
    """One conversion."""

    name: str
    title: str
    summary: str
    fits: Callable[[FieldType, FieldType], bool]
    """Whether it leads from a source to a target; asked with the target and what it holds."""
    change: Callable[[Any, FieldType, FieldType], Any]
    """The value, before it is read as the target's type; raises `ParseError`."""

    def convert(self, value: Any, source: FieldType, target: FieldType) -> Any:
        """`value` (of `source`) as a value of `target`.

        Raises `ParseError` that says what cannot be converted.
        """
        return read_json(target, self.change(value, source, target.bare))


def converters(source: FieldType, target: FieldType) -> tuple[Converter, ...]:
    """The conversions that would make a wire legal, the likeliest first; none when it is."""
    if not accepts(source, target):
        return ()
    return tuple(
        converter
        for converter in CONVERTERS.values()
        if converter.fits(source, target.bare) or converter.fits(source, target)
    )


def _one_to_one(source: str, *targets: str) -> Callable[[FieldType, FieldType], bool]:
    return lambda s, t: s.kind == source and t.kind in targets


def _items_fit(source: FieldType, target: FieldType) -> bool:
    return source.item is not None and not accepts(source.item, target)


def _drops(source: FieldType, target: FieldType) -> bool:
    return (
        source.kind == target.kind
        and source.kind in ("list", "dict")
        and source.item is not None
        and target.item is not None
        and source.item.kind == "optional"
        and not accepts(source.item.bare, target.item)
    )


def _reads_items(source: FieldType, target: FieldType) -> bool:
    return (
        source.kind == target.kind
        and source.kind in ("list", "dict")
        and source.item is not None
        and target.item is not None
        and source.item.kind == "str"
        and target.item.kind in TEXTS
    )


def _read(value: Any, source: FieldType, target: FieldType) -> Any:
    return read_value(target, value)


def _same(value: Any, source: FieldType, target: FieldType) -> Any:
    return value


def _require(value: Any, source: FieldType, target: FieldType) -> Any:
    if value is None:
        raise ParseError("The value is absent.", field="value")
    return value


def _drop_absent(value: Any, source: FieldType, target: FieldType) -> Any:
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if item is not None}
    return [item for item in value if item is not None]


def _round(value: Any, source: FieldType, target: FieldType) -> int:
    if abs(value) >= 2**53:
        return int(value)
    return int(Decimal(repr(value)).quantize(Decimal(1), ROUND_HALF_UP))


def _join(value: Any, source: FieldType, target: FieldType) -> str:
    return "\n".join(str(read_json(_STR, item)) for item in value)


def _split(value: Any, source: FieldType, target: FieldType) -> list[Any]:
    assert target.item is not None
    lines = (line.strip() for line in value.splitlines())
    return [read_value(target.item, line) for line in lines if line]


def _first(value: Any, source: FieldType, target: FieldType) -> Any:
    if not value:
        raise ParseError("The list is empty: there is no first item.", field="value")
    return value[0]


def _turns(value: Any, source: FieldType, target: FieldType) -> str:
    return "\n\n".join(f"{turn['role']}: {turn['content']}" for turn in value)


def _document_text(value: Any, source: FieldType, target: FieldType) -> str:
    if "text" not in value:
        raise ParseError(
            f"The document “{value['title']}” is a file ({value['media_type']}) without text.",
            field="value",
        )
    return str(value["text"])


def _as_json(value: Any, source: FieldType, target: FieldType) -> str:
    return json.dumps(value, ensure_ascii=False)


_STR = FieldType("str")

_TABLE = (
    Converter(
        name="require",
        title="Must be there",
        summary="Takes the value, and fails when it is absent.",
        fits=lambda s, t: s.kind == "optional" and not accepts(s.bare, t),
        change=_require,
    ),
    Converter(
        name="drop_absent",
        title="Drop the absent",
        summary="Leaves out the items that are absent.",
        fits=_drops,
        change=_drop_absent,
    ),
    Converter(
        name="read_number",
        title="Read a number",
        summary="Reads the number that the text is.",
        fits=_one_to_one("str", "int", "float"),
        change=_read,
    ),
    Converter(
        name="read_date",
        title="Read a date",
        summary="Reads a date such as 2024-02-29.",
        fits=_one_to_one("str", "date"),
        change=_read,
    ),
    Converter(
        name="read_yes_no",
        title="Read yes or no",
        summary="Reads yes, no, true or false.",
        fits=_one_to_one("str", "bool"),
        change=_read,
    ),
    Converter(
        name="read_label",
        title="Read a label",
        summary="Takes the label that the text is, whatever its capitals.",
        fits=lambda s, t: t.kind == "enum" and s.kind in ("str", "enum"),
        change=_read,
    ),
    Converter(
        name="round",
        title="Round",
        summary="Rounds to the nearest whole number; halves go away from zero.",
        fits=_one_to_one("float", "int"),
        change=_round,
    ),
    Converter(
        name="join_lines",
        title="Join lines",
        summary="Writes one item a line.",
        fits=lambda s, t: (
            s.kind == "list" and s.item is not None and s.item.kind in TEXTS and t.kind == "str"
        ),
        change=_join,
    ),
    Converter(
        name="split_lines",
        title="Split lines",
        summary="Makes an item of every line that is not empty.",
        fits=lambda s, t: (
            s.kind == "str" and t.kind == "list" and t.item is not None and t.item.kind in TEXTS
        ),
        change=_split,
    ),
    Converter(
        name="read_items",
        title="Read each item",
        summary="Reads every item as the target's items are.",
        fits=_reads_items,
        change=_same,
    ),
    Converter(
        name="wrap",
        title="Wrap in a list",
        summary="Makes a list with the value as its only item.",
        fits=lambda s, t: t.kind == "list" and t.item is not None and not accepts(s, t.item),
        change=lambda value, source, target: [value],
    ),
    Converter(
        name="first_item",
        title="First item",
        summary="Takes the first item, and fails when the list is empty.",
        fits=lambda s, t: s.kind == "list" and _items_fit(s, t),
        change=_first,
    ),
    Converter(
        name="dict_values",
        title="The values",
        summary="Makes a list of the values, in their order, without the keys.",
        fits=lambda s, t: (
            s.kind == "dict" and t.kind == "list" and t.item is not None and _items_fit(s, t.item)
        ),
        change=lambda value, source, target: list(value.values()),
    ),
    Converter(
        name="text_to_code",
        title="Take as code",
        summary="Takes the text as code, without a Markdown fence around it.",
        fits=lambda s, t: t.kind == "code" and s.kind in ("str", "code"),
        change=_read,
    ),
    Converter(
        name="text_to_document",
        title="Text to document",
        summary="Makes a document of the text, without a title.",
        fits=_one_to_one("str", "document"),
        change=lambda value, source, target: {"title": "", "text": value},
    ),
    Converter(
        name="document_to_text",
        title="Document to text",
        summary="Takes the text of the document, and fails for a file that has none.",
        fits=_one_to_one("document", "str"),
        change=_document_text,
    ),
    Converter(
        name="text_to_turn",
        title="Text to conversation",
        summary="Makes a conversation of the text: one turn of the user.",
        fits=_one_to_one("str", "history"),
        change=lambda value, source, target: [{"role": "user", "content": value}],
    ),
    Converter(
        name="history_to_text",
        title="Conversation to text",
        summary="Writes the turns one below the other, each after its role.",
        fits=_one_to_one("history", "str"),
        change=_turns,
    ),
    Converter(
        name="read_image",
        title="Read an address",
        summary="Takes the text as the address of an image.",
        fits=_one_to_one("str", "image"),
        change=_read,
    ),
    Converter(
        name="image_address",
        title="Address of the image",
        summary="Takes the address of the image as a text.",
        fits=_one_to_one("image", "str"),
        change=_same,
    ),
    Converter(
        name="check_object",
        title="Check the object",
        summary="Takes the object if it fits, and fails with what is wrong with it.",
        fits=lambda s, t: (
            s.kind in ("object", "dict", "document", "tool")
            and t.kind in ("object", "dict", "document", "tool")
        ),
        change=_same,
    ),
    Converter(
        name="read_json",
        title="Read JSON",
        summary="Reads the text as JSON, also out of a Markdown fence.",
        fits=lambda s, t: s.kind in ("str", "code") and t.kind in JSON_KINDS,
        change=_read,
    ),
    Converter(
        name="to_json",
        title="Write JSON",
        summary="Writes the value as JSON.",
        fits=lambda s, t: s.bare.kind in JSON_KINDS and t.kind == "str",
        change=_as_json,
    ),
)

CONVERTERS: dict[str, Converter] = {converter.name: converter for converter in _TABLE}
"""By name, in the order in which they are offered."""
