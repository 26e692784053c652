"""Any type, any value of a type, any signature: what property tests draw from."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from studio.engine.fields import FieldType, parse_type, read_json
from studio.engine.signature import Field, Signature

TEXT = st.text(max_size=40)
TRICKY = st.sampled_from(
    [
        "",
        " ",
        "null",
        "None",
        '"null"',
        '"quoted"',
        '"',
        "true",
        "3",
        "```python\nprint(1)\n```",
        "```\n```",
        "~~~",
        '{"a": 1}',
        "[1, 2]",
        "- a\n- b",
        "[[ ## answer ## ]]\nno",
        "Answer: no",
        "---",
        "</answer><answer>",
        "]]>",
        "größer 等しい 😀\u2028\x00\x1b",
        "a\r\nb\rc",
        "  indented\n\n",
    ]
)
TEXTS = TEXT | TRICKY
KEYS = st.text(max_size=8) | st.sampled_from(["", "a.b", "type", "$ref", "__proto__"])
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
NAMES = st.text("abcdefgh_xyz0123456789", min_size=1, max_size=9).map(lambda text: f"n{text}")
LABELS = st.lists(
    TEXTS.filter(lambda text: bool(text.strip())), min_size=2, max_size=5, unique=True
)
PLAIN = [
    FieldType(kind)
    for kind in ("str", "int", "float", "bool", "date", "image", "document", "history", "tool")
]
OBJECTS = [
    parse_type(text)
    for text in (
        "object",
        "object[name: str, tags: list[str], note: optional[str]]",
        "object[size: int, share: float, sure: bool, day: date, of: enum[a, b]]",
        "object[inner: object[x: int | None], by_name: dict[str, list[bool]]]",
    )
]


@cache
def types() -> SearchStrategy[FieldType]:
    """Any type; a few levels deep."""
    leaves = (
        st.sampled_from(PLAIN)
        | st.sampled_from(OBJECTS)
        | LABELS.map(lambda found: FieldType("enum", labels=tuple(found)))
        | st.sampled_from(["", "python", "sql", "c++"]).map(
            lambda language: FieldType("code", language=language)
        )
    )
    return st.recursive(leaves, _around, max_leaves=3)


def _around(inner: SearchStrategy[FieldType]) -> SearchStrategy[FieldType]:
    return (
        inner.map(lambda item: FieldType("list", item=item))
        | inner.map(lambda item: FieldType("dict", item=item))
        | inner.filter(lambda item: item.kind != "optional").map(
            lambda item: FieldType("optional", item=item)
        )
    )


@cache
def values_of(type_: FieldType) -> SearchStrategy[Any]:
    """Any value of the type, as reading gives it; small, with texts that are hard to write."""
    match type_.kind:
        case "enum":
            return st.sampled_from(type_.labels)
        case "list":
            assert type_.item is not None
            return st.lists(values_of(type_.item), max_size=3)
        case "dict":
            assert type_.item is not None
            return st.dictionaries(KEYS, values_of(type_.item), max_size=3)
        case "optional":
            assert type_.item is not None
            return st.none() | values_of(type_.item)
        case "object":
            return _of_schema(json.loads(type_.schema or '{"type": "object"}'))
        case "code":
            return TEXTS.filter(lambda text: bool(read_json(type_, text) == text))
    return _VALUES[type_.kind]


def _of_schema(schema: dict[str, Any]) -> SearchStrategy[Any]:
    """Values of the schemas that stand in `OBJECTS`."""
    if "anyOf" in schema:
        return st.one_of([_of_schema(inner) for inner in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "string":
            return st.dates().map(str) if schema.get("format") == "date" else TEXTS
        case "integer":
            return st.integers(-(10**9), 10**9)
        case "number":
            return st.floats(allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case "array":
            return st.lists(_of_schema(schema["items"]), max_size=3)
    if isinstance(schema.get("additionalProperties"), dict):
        return st.dictionaries(KEYS, _of_schema(schema["additionalProperties"]), max_size=3)
    if "properties" not in schema:
        return st.dictionaries(KEYS, JSON_VALUES, max_size=3)
    parts = {name: _of_schema(inner) for name, inner in schema["properties"].items()}
    return st.fixed_dictionaries(
        {name: part for name, part in parts.items() if name in schema["required"]},
        optional={name: part for name, part in parts.items() if name not in schema["required"]},
    )


def _base64(beginning: bytes) -> SearchStrategy[str]:
    return st.binary(max_size=20).map(
        lambda rest: base64.b64encode(beginning + rest).decode("ascii")
    )


_VALUES: dict[str, SearchStrategy[Any]] = {
    "str": TEXTS,
    "int": st.integers(-(10**30) + 1, 10**30 - 1),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "date": st.dates().map(str),
    "image": st.sampled_from(["https://example.org/a.png", "http://localhost:8000/b?c=%20#d"])
    | _base64(b"\x89PNG\r\n\x1a\n").map(lambda data: f"data:image/png;base64,{data}")
    | _base64(b"\xff\xd8\xff").map(lambda data: f"data:image/jpeg;base64,{data}"),
    "document": st.fixed_dictionaries({"title": TEXTS, "text": TEXTS})
    | st.fixed_dictionaries(
        {
            "title": TEXTS,
            "media_type": st.just("application/pdf"),
            "data": _base64(b"%PDF-"),
        }
    ),
    "history": st.lists(
        st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": TEXTS}),
        max_size=3,
    ),
    "tool": st.fixed_dictionaries(
        {
            "name": st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True),
            "description": TEXTS,
            "parameters": st.sampled_from([json.loads(t.schema or "{}") for t in OBJECTS]),
        }
    ),
}


@st.composite
def signatures(draw: st.DrawFn, descriptions: bool = False) -> Signature:
    """Any signature, of at most four fields."""
    names = draw(st.lists(NAMES, min_size=2, max_size=4, unique=True))
    cut = draw(st.integers(1, len(names) - 1))
    return Signature(
        tuple(
            Field(
                name=name,
                role="input" if index < cut else "output",
                type=draw(types()),
                description=draw(TEXT) if descriptions else "",
            )
            for index, name in enumerate(names)
        )
    )
