"""JSON Schemas (draft 2020-12) of types and of what a signature asks for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from studio.engine.fields.constraints import NO_CONSTRAINTS, Constraints

if TYPE_CHECKING:
    from studio.engine.fields.types import FieldType
    from studio.engine.signature import Field


def json_schema(
    type_: FieldType, constraints: Constraints = NO_CONSTRAINTS, *, at: str = "#"
) -> dict[str, Any]:
    """The schema of the JSON values of `type_` that keep the constraints.

    `at` is where it will stand in a larger schema, as a JSON Pointer: references inside the
    schema of an `object` are moved there.
    """
    if type_.kind == "optional":
        assert type_.item is not None
        inner = json_schema(type_.item, constraints, at=f"{at}/anyOf/0")
        return {"anyOf": [inner, {"type": "null"}]}
    schema = _SCHEMAS[type_.kind](type_, at)
    if constraints:
        names = _BOUNDS[_GROUPS.get(type_.kind, "text")]
        bounds = constraints.to_dict().items()
        schema |= {names[name]: bound for name, bound in bounds if name in names}
    return schema


def signature_schema(fields: Iterable[Field]) -> dict[str, Any]:
    """An object with a property for every one of `fields`, in their order, all required.

    What may be absent is null. Descriptions are told. Inside objects, a property that may be null
    is required too, as OpenAI's strict mode wants it (see `is_strict`): what keeps this schema
    keeps the types and constraints of the fields.
    """
    properties: dict[str, Any] = {}
    for field in fields:
        schema = json_schema(field.type, field.constraints, at=f"#/properties/{field.name}")
        _require_nullable(schema)
        if field.description and "$ref" not in schema:
            schema["description"] = field.description
        properties[field.name] = schema
    return _object(properties)


def is_strict(schema: Any) -> bool:
    """Whether OpenAI's strict mode takes the schema.

    See https://platform.openai.com/docs/guides/structured-outputs#supported-schemas: every object
    names and requires all its properties and allows no other, and keywords outside the list are
    refused. A server that is laxer may be given any schema.
    """
    if not isinstance(schema, Mapping) or not set(schema) <= _STRICT:
        return False
    if "type" not in schema and not {"anyOf", "$ref", "enum", "const"} & set(schema):
        return False
    kinds = schema.get("type", "")
    if "object" in ([kinds] if isinstance(kinds, str) else kinds):
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is not False:
            return False
        if set(schema.get("required", ())) != set(properties):
            return False
    if "array" in ([kinds] if isinstance(kinds, str) else kinds) and "items" not in schema:
        return False
    named = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    items = [schema["items"]] if "items" in schema else []
    return all(map(is_strict, [*named, *items, *schema.get("anyOf", ())]))


def _require_nullable(schema: Any) -> None:
    """Ask for null instead of for nothing, in place, wherever the schema allows both."""
    if isinstance(schema, list):
        for item in schema:
            _require_nullable(item)
    if not isinstance(schema, dict):
        return
    properties = schema.get("properties")
    if isinstance(properties, dict) and schema.get("additionalProperties") is False:
        required = schema.get("required", [])
        absent = [name for name in properties if name not in required]
        schema["required"] = [*required, *(name for name in absent if _nullable(properties[name]))]
    for keyword in ("properties", "$defs"):
        if isinstance(schema.get(keyword), dict):
            for inner in schema[keyword].values():
                _require_nullable(inner)
    for keyword in ("items", "additionalProperties", "anyOf"):
        _require_nullable(schema.get(keyword))


def _nullable(schema: Any) -> bool:
    if not isinstance(schema, dict):
        return schema is True
    kinds = schema.get("type", ())
    return (
        kinds == "null"
        or (isinstance(kinds, list) and "null" in kinds)
        or any(map(_nullable, schema.get("anyOf", ())))
    )


def _object(properties: Mapping[str, Any], *, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _moved(schema: Any, at: str) -> Any:
    """`schema` with its references pointing below `at`."""
    if isinstance(schema, list):
        return [_moved(item, at) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: at + value[1:] if key == "$ref" and isinstance(value, str) else _moved(value, at)
        for key, value in schema.items()
    }


def _of_object(type_: FieldType, at: str) -> dict[str, Any]:
    schema = json.loads(type_.schema) if type_.schema else {}
    return {"type": "object", **(_moved(schema, at) if at != "#" else schema)}


def _of_list(type_: FieldType, at: str) -> dict[str, Any]:
    assert type_.item is not None
    return {"type": "array", "items": json_schema(type_.item, at=f"{at}/items")}


def _of_dict(type_: FieldType, at: str) -> dict[str, Any]:
    assert type_.item is not None
    values = json_schema(type_.item, at=f"{at}/additionalProperties")
    return {"type": "object", "additionalProperties": values}


def _of_history(type_: FieldType, at: str) -> dict[str, Any]:
    role = {"type": "string", "enum": ["user", "assistant"]}
    return {"type": "array", "items": _object({"role": role, "content": {"type": "string"}})}


def _of_document(type_: FieldType, at: str) -> dict[str, Any]:
    text = {"type": "string"}
    media = {"type": "string", "enum": ["application/pdf"]}
    file = {"title": text, "media_type": media, "data": {**text, "description": "In base64."}}
    return {"anyOf": [_object({"title": text, "text": text}), _object(file)]}


def _of_tool(type_: FieldType, at: str) -> dict[str, Any]:
    text = {"type": "string"}
    return _object({"name": text, "description": text, "parameters": {"type": "object"}})


_SCHEMAS: dict[str, Callable[[FieldType, str], dict[str, Any]]] = {
    "str": lambda type_, at: {"type": "string"},
    "int": lambda type_, at: {"type": "integer"},
    "float": lambda type_, at: {"type": "number"},
    "bool": lambda type_, at: {"type": "boolean"},
    "date": lambda type_, at: {"type": "string", "format": "date"},
    "enum": lambda type_, at: {"type": "string", "enum": list(type_.labels)},
    "code": lambda type_, at: {"type": "string"},
    "image": lambda type_, at: {"type": "string"},
    "list": _of_list,
    "dict": _of_dict,
    "object": _of_object,
    "history": _of_history,
    "document": _of_document,
    "tool": _of_tool,
}

_GROUPS = {"list": "list", "history": "list", "dict": "dict"}
_NUMBERS = {"min": "minimum", "max": "maximum", "multiple_of": "multipleOf"}
_BOUNDS: dict[str, dict[str, str]] = {
    "text": {
        **_NUMBERS,
        "min_length": "minLength",
        "max_length": "maxLength",
        "pattern": "pattern",
    },
    "list": {"min_length": "minItems", "max_length": "maxItems"},
    "dict": {"min_length": "minProperties", "max_length": "maxProperties"},
}

_STRICT = {
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "anyOf",
    "enum",
    "const",
    "$ref",
    "$defs",
    "title",
    "description",
    "format",
    "pattern",
    "multipleOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minItems",
    "maxItems",
}
