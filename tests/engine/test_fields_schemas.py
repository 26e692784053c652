"""JSON Schemas of types and signatures: what keeps the schema keeps the type."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.fields import (
    Constraints,
    FieldType,
    is_strict,
    json_schema,
    parse_type,
    read_json,
    signature_schema,
)
from studio.engine.signature import Field, Signature
from tests.engine.strategies import JSON_VALUES, signatures, types, values_of


@given(st.data())
def test_every_value_keeps_the_schema_of_its_type(data: st.DataObject) -> None:
    type_ = data.draw(types())
    schema = json_schema(type_)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(data.draw(values_of(type_)), schema)


@given(
    st.sampled_from(
        [
            "str",
            "bool",
            "enum[a, b]",
            "list[str]",
            "dict[str, optional[bool]]",
            "object[a: int, b: list[str]]",
            "history",
            "optional[dict[str, str]]",
        ]
    ),
    JSON_VALUES,
)
def test_what_keeps_the_schema_is_read_unchanged(text: str, value: Any) -> None:
    type_ = parse_type(text)
    if jsonschema.Draft202012Validator(json_schema(type_)).is_valid(value):
        assert read_json(type_, value) == value


@given(signatures(descriptions=True), st.data())
def test_every_answer_keeps_the_schema_of_its_signature(
    signature: Signature, data: st.DataObject
) -> None:
    schema = signature_schema(signature.outputs)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert list(schema["properties"]) == [field.name for field in signature.outputs]
    assert schema["required"] == list(schema["properties"])
    loose = {field.name: data.draw(values_of(field.type)) for field in signature.outputs}
    validator = jsonschema.Draft202012Validator(schema)
    if validator.is_valid(loose):
        assert {field.name: field.read_json(loose[field.name]) for field in signature.outputs} == (
            loose
        )


@pytest.mark.parametrize(
    ("type_", "bounds", "schema"),
    [
        ("int", {"min": 1, "max": 5}, {"type": "integer", "minimum": 1, "maximum": 5}),
        ("float", {"multiple_of": 0.5}, {"type": "number", "multipleOf": 0.5}),
        (
            "str",
            {"min_length": 1, "max_length": 9, "pattern": "a"},
            {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "a"},
        ),
        (
            "list[int]",
            {"min_length": 1, "max_length": 2},
            {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2},
        ),
        (
            "dict[str, bool]",
            {"max_length": 2},
            {
                "type": "object",
                "additionalProperties": {"type": "boolean"},
                "maxProperties": 2,
            },
        ),
        (
            "optional[int]",
            {"min": 0},
            {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]},
        ),
        ("date", {}, {"type": "string", "format": "date"}),
        ("enum[a, b]", {}, {"type": "string", "enum": ["a", "b"]}),
        ("object", {}, {"type": "object"}),
    ],
)
def test_constraints_stand_in_the_schema(
    type_: str, bounds: dict[str, Any], schema: dict[str, Any]
) -> None:
    assert json_schema(parse_type(type_), Constraints(**bounds)) == schema


def test_references_follow_their_schema_into_a_larger_one() -> None:
    node = '{"properties": {"next": {"$ref": "#"}, "n": {"type": "integer"}}}'
    signature = Signature.parse(f"a -> tree: list[object[{node}]], more: optional[object[{node}]]")
    schema = signature_schema(signature.outputs)
    validator = jsonschema.Draft202012Validator(schema)
    good = {"n": 1, "next": {"n": 2}}
    bad = {"n": 1, "next": {"n": "x"}}
    assert validator.is_valid({"tree": [good], "more": good})
    assert not validator.is_valid({"tree": [bad], "more": None})
    assert not validator.is_valid({"tree": [], "more": bad})


def test_a_schema_is_made_anew_each_time() -> None:
    type_ = parse_type("object[a: int]")
    json_schema(type_)["properties"]["a"]["type"] = "string"
    assert json_schema(type_)["properties"]["a"] == {"type": "integer"}
    history = parse_type("history")
    json_schema(history)["items"].clear()
    assert json_schema(history)["items"]


def test_what_may_be_absent_is_asked_for_as_null() -> None:
    fields = Signature.parse("a -> b: object[x: int, y: optional[str]], c: date | None").outputs
    schema = signature_schema(fields)
    assert schema["required"] == ["b", "c"]
    assert schema["properties"]["b"]["required"] == ["x", "y"]
    assert schema["properties"]["c"]["anyOf"][1] == {"type": "null"}
    assert is_strict(schema)


def test_descriptions_are_told() -> None:
    field = Field(name="b", role="output", description="How sure.")
    assert signature_schema([field])["properties"]["b"]["description"] == "How sure."


@pytest.mark.parametrize(
    ("text", "strict"),
    [
        ("a -> b, c: int, d: list[enum[x, y]], e: optional[float]", True),
        ("a -> b: object[x: object[y: bool]]", True),
        ("a -> b: history, c: document, d: code[sql], e: image", True),
        ("a -> b: dict[str, int]", False),
        ("a -> b: object", False),
        ("a -> b: tool", False),
        ('a -> b: object[{"properties": {"x": {}}, "additionalProperties": false}]', False),
        ('a -> b: list[object[{"properties": {"x": {"type": "string"}}}]]', False),
        ('a -> b: object[{"additionalProperties": false, "oneOf": [{}]}]', False),
    ],
)
def test_whether_openai_takes_the_schema_strictly(text: str, strict: bool) -> None:
    assert is_strict(signature_schema(Signature.parse(text).outputs)) is strict


def test_bounds_that_strict_mode_does_not_know() -> None:
    long = Field(name="b", role="output", constraints=Constraints(max_length=3))
    assert not is_strict(signature_schema([long]))
    small = Field(name="b", role="output", type=FieldType("int"), constraints=Constraints(max=3))
    assert is_strict(signature_schema([small]))
