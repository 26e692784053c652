"""Types: read from text, written, refused with a sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.codec import canonical_json
from studio.engine.errors import SignatureError
from studio.engine.fields import FieldType, parse_type, split_outside
from studio.engine.fields.schema_rules import DEEPEST_SCHEMA, read_schema
from tests.engine.strategies import JSON_VALUES, types

RULES = json.loads((Path(__file__).parents[1] / "fixtures" / "type_rules.json").read_text())


@given(types())
def test_a_type_reads_back_from_its_text(type_: FieldType) -> None:
    assert parse_type(str(type_)) == type_


@given(types())
def test_types_are_keys(type_: FieldType) -> None:
    assert {type_: 1}[parse_type(str(type_))] == 1


@given(st.text(max_size=60))
def test_any_other_text_is_refused_and_nothing_else_happens(text: str) -> None:
    try:
        type_ = parse_type(text)
    except SignatureError:
        return
    assert parse_type(str(type_)) == type_


@pytest.mark.parametrize(("text", "canonical"), RULES["types"])
def test_a_type_has_one_canonical_text(text: str, canonical: str) -> None:
    assert str(parse_type(text)) == canonical
    assert str(parse_type(canonical)) == canonical


@pytest.mark.parametrize(("text", "sentence"), RULES["refused_types"])
def test_no_other_text_is_a_type(text: str, sentence: str) -> None:
    with pytest.raises(SignatureError) as caught:
        parse_type(text)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("depth", [22, 5_000])
@pytest.mark.parametrize("opening", ["list[", "optional[", "dict[str, ", "object[a: "])
def test_types_inside_types_have_an_end(opening: str, depth: int) -> None:
    with pytest.raises(SignatureError, match=r"nested too deeply|longer than 40,000"):
        parse_type(opening * depth + "str" + "]" * depth)


def test_the_deepest_type_is_read() -> None:
    assert parse_type("list[" * 21 + "str" + "]" * 21)


@pytest.mark.parametrize(
    "text", ["x" * 50_000, "enum[" + "a" * 50_000 + ", b]", "str" + " | None" * 10_000]
)
def test_a_type_without_end_is_refused(text: str) -> None:
    with pytest.raises(SignatureError, match="40,000"):
        parse_type(text)


def test_what_may_be_absent_once_is_not_absent_twice() -> None:
    assert parse_type("optional[optional[int] | None]") == parse_type("int | None")


def test_the_bare_type_is_what_an_optional_holds() -> None:
    assert parse_type("optional[int]").bare == parse_type("int").bare == FieldType("int")


def test_a_list_of_properties_is_a_schema() -> None:
    type_ = parse_type("object[name: str, tags: list[str], note: optional[str]]")
    assert json.loads(type_.schema) == {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["name", "tags"],
        "additionalProperties": False,
    }


def test_the_order_of_properties_makes_no_other_type() -> None:
    assert parse_type("object[a: int, b: str]") == parse_type("object[b, a: int]")


@given(st.dictionaries(st.text(max_size=8), JSON_VALUES, max_size=4))
def test_the_schema_of_an_object_is_canonical(extra: dict[str, object]) -> None:
    try:
        schema = read_schema(json.dumps({"title": "x", "default": extra}))
    except SignatureError:
        return
    assert canonical_json(json.loads(schema)) == schema
    assert read_schema(schema) == schema


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ('{"title": "' + "a" * 20_000 + '"}', "20,000"),
        ('{"a": ' * 60 + "1" + "}" * 60, "nested too deeply"),
        ("[" * 9_000, "nested too deeply"),
        ('{"pattern": "("}', "cannot be read"),
        ('{"properties": {"a": {"pattern": "' + "a" * 1_001 + '"}}}', "1,000 characters"),
        ('{"$ref": "http://127.0.0.1/secret"}', "own parts only"),
        ('{"$ref": "#/properties/%61", "properties": {"a": {}}}', "own parts only"),
        ('{"$ref": "#/title", "title": "x"}', "own parts only"),
        ('{"properties": {"$ref": 1}}', "every schema is an object"),
        ('{"a": 1} {"b": 2}', "An object has a JSON Schema"),
        ('{"minimum": ' + "9" * 5_000 + "}", "numbers beyond"),
    ],
)
def test_a_schema_that_is_none_is_refused(schema: str, says: str) -> None:
    with pytest.raises(SignatureError, match=says):
        read_schema(schema)


def test_a_schema_may_refer_to_its_own_parts() -> None:
    text = '{"$defs":{"a/b~c":{"type":"string"}},"properties":{"x":{"$ref":"#/$defs/a~1b~0c"}}}'
    assert read_schema(text) == text
    listed = '{"anyOf":[{"title":"x"},{"properties":{"y":{"$ref":"#/anyOf/0"}}}]}'
    assert read_schema(listed) == listed


def test_a_property_may_have_the_name_of_a_keyword() -> None:
    schema = read_schema('{"properties": {"$ref": {}, "type": {"type": "string"}, "$id": true}}')
    assert parse_type(f"object[{schema}]").schema == schema


def test_the_deepest_schema_is_read() -> None:
    depth = DEEPEST_SCHEMA // 2 - 1
    assert read_schema('{"properties":{"a":' * depth + "{}" + "}}" * depth)


@pytest.mark.parametrize(
    ("text", "mark", "parts"),
    [
        ("a, b", ",", ["a", " b"]),
        ('a, "b, c"', ",", ["a", ' "b, c"']),
        (r'"a\", b", c', ",", [r'"a\", b"', " c"]),
        ("don't, stop", ",", ["don't", " stop"]),
        ("['a, b', c], d", ",", ["['a, b', c]", " d"]),
        ("a -> b, [->] -> c", "->", ["a ", " b, [->] ", " c"]),
        ("", ",", [""]),
    ],
)
def test_text_is_cut_outside_of_brackets_and_quotes(
    text: str, mark: str, parts: list[str]
) -> None:
    assert split_outside(text, mark) == parts


def test_importing_the_types_imports_nothing_heavy() -> None:
    code = (
        "import sys, studio.engine.fields as f\n"
        "f.read_value(f.parse_type('dict[str, list[int]]'), '{\"a\": [1]}')\n"
        "heavy = {'jsonschema', 'regex', 'json_repair', 'django'} & set(sys.modules)\n"
        "print(*heavy)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "\n", "")
