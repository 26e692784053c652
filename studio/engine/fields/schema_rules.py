"""What a JSON Schema may look like here; the canvas keeps the same rules.

A schema is checked when a type is read, by its shape alone, so that nothing heavy is imported
and nothing is fetched: it refers to its own parts only. The dialect is draft 2020-12
(https://json-schema.org/draft/2020-12) without keywords that move names about or that match
property names by a pattern.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from studio.engine.codec import canonical_json
from studio.engine.errors import SignatureError
from studio.engine.fields.brackets import shorten
from studio.engine.fields.patterns import compile_pattern

LONGEST_SCHEMA = 20_000
"""Characters."""
DEEPEST_SCHEMA = 50
LARGEST_NUMBER = 2**53 - 1
"""Beyond it, JavaScript would read another number."""

_KINDS = ("array", "boolean", "integer", "null", "number", "object", "string")
_REFUSED = (
    "$anchor",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$recursiveAnchor",
    "$recursiveRef",
    "$vocabulary",
    "patternProperties",
)


def read_schema(text: str) -> str:
    """The canonical JSON of the schema of an object in `text`; empty when it allows any object.

    Raises `SignatureError` that says what is wrong with it.
    """
    if len(text) > LONGEST_SCHEMA:
        raise SignatureError("A JSON Schema has at most 20,000 characters.")
    try:
        schema = json.loads(
            text, parse_float=_number, parse_int=_number, parse_constant=_no_constant
        )
    except RecursionError:
        raise SignatureError("The JSON Schema is nested too deeply.") from None
    except ValueError:
        schema = None
    if not isinstance(schema, dict):
        raise SignatureError('An object has a JSON Schema: write object[{"properties": {…}}].')
    check_schema(schema)
    return canonical_json(schema) if schema else ""


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raise `SignatureError` unless `schema` (JSON) is the schema of an object."""
    if not _depth_at_most(schema, DEEPEST_SCHEMA):
        raise SignatureError("The JSON Schema is nested too deeply.")
    text = canonical_json(schema)
    if len(text) > LONGEST_SCHEMA:
        raise SignatureError("A JSON Schema has at most 20,000 characters.")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise SignatureError("A JSON Schema is made of whole characters.")
    if schema.get("type", "object") != "object":
        raise SignatureError("The JSON Schema of an object has the type object.")
    places: dict[int, Any] = {}
    refs: list[str] = []
    _check(schema, places, refs)
    for ref in refs:
        target = _resolve(schema, ref)
        if not isinstance(target, bool) and id(target) not in places:
            raise SignatureError(
                f"A JSON Schema refers to its own parts only: “{shorten(ref)}” is none of them."
            )


def _number(text: str) -> float:
    number = float(text)
    if not abs(number) <= LARGEST_NUMBER:
        raise SignatureError(f"A JSON Schema has no numbers beyond {LARGEST_NUMBER}.")
    return int(number) if number.is_integer() else number


def _no_constant(text: str) -> float:
    raise ValueError(text)


def _depth_at_most(value: Any, depth: int) -> bool:
    if not isinstance(value, (dict, list)):
        return True
    items = value.values() if isinstance(value, dict) else value
    return depth > 0 and all(_depth_at_most(item, depth - 1) for item in items)


def _check(schema: Any, places: dict[int, Any], refs: list[str]) -> None:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        raise SignatureError("In a JSON Schema, every schema is an object, or true or false.")
    places[id(schema)] = schema
    for keyword in sorted(schema):
        value = schema[keyword]
        if keyword in _REFUSED:
            raise SignatureError(f"A JSON Schema cannot have “{keyword}” here.")
        if keyword not in _KEYWORDS:
            continue
        holds, words = _SHAPES[_KEYWORDS[keyword]]
        if not holds(value):
            raise SignatureError(f"In a JSON Schema, “{keyword}” is {words}.")
        match _KEYWORDS[keyword]:
            case "schema":
                _check(value, places, refs)
            case "schemas":
                for inner in value:
                    _check(inner, places, refs)
            case "named":
                for name in sorted(value):
                    _check(value[name], places, refs)
            case "ref":
                refs.append(value)
            case "pattern":
                compile_pattern(value)


def _resolve(root: Any, ref: str) -> Any:
    """What a JSON Pointer names (RFC 6901), or None."""
    if ref == "#":
        return root
    if not ref.startswith("#/") or "%" in ref:
        return None
    for part in ref[2:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(root, list) and key.isascii() and key.isdigit() and int(key) < len(root):
            root = root[int(key)]
        elif isinstance(root, dict) and key in root:
            root = root[key]
        else:
            return None
    return root


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _are_texts(value: Any) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(item, str) for item in value)
        and len(set(value)) == len(value)
    )


def _are_kinds(value: Any) -> bool:
    kinds = value if isinstance(value, list) else [value]
    return bool(kinds) and _are_texts(kinds) and all(kind in _KINDS for kind in kinds)


_SHAPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "kinds": (_are_kinds, f"one of {', '.join(_KINDS)}, or a list of them"),
    "schema": (lambda value: True, "a schema"),
    "schemas": (lambda value: isinstance(value, list) and bool(value), "a list of schemas"),
    "named": (lambda value: isinstance(value, dict), "an object whose values are schemas"),
    "texts": (_are_texts, "a list of different texts"),
    "dependent": (
        lambda value: isinstance(value, dict) and all(map(_are_texts, value.values())),
        "an object whose values are lists of texts",
    ),
    "values": (lambda value: isinstance(value, list) and bool(value), "a list of values"),
    "number": (_is_number, "a number"),
    "step": (lambda value: _is_number(value) and value > 0, "a number above 0"),
    "count": (_is_count, "a whole number, 0 or more"),
    "pattern": (lambda value: isinstance(value, str), "a regular expression"),
    "text": (lambda value: isinstance(value, str), "a text"),
    "ref": (lambda value: isinstance(value, str), "a text"),
    "switch": (lambda value: isinstance(value, bool), "true or false"),
}

_KEYWORDS: dict[str, str] = {
    "type": "kinds",
    "enum": "values",
    "$ref": "ref",
    "pattern": "pattern",
    "multipleOf": "step",
    "required": "texts",
    "dependentRequired": "dependent",
    "uniqueItems": "switch",
    **dict.fromkeys(("$defs", "definitions", "dependentSchemas", "properties"), "named"),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), "schemas"),
    **dict.fromkeys(
        ("additionalProperties", "contains", "else", "if", "items", "not", "propertyNames"),
        "schema",
    ),
    **dict.fromkeys(("then", "unevaluatedItems", "unevaluatedProperties"), "schema"),
    **dict.fromkeys(("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum"), "number"),
    **dict.fromkeys(("maxContains", "maxItems", "maxLength", "maxProperties"), "count"),
    **dict.fromkeys(("minContains", "minItems", "minLength", "minProperties"), "count"),
    **dict.fromkeys(("$comment", "$schema", "description", "format", "title"), "text"),
}
