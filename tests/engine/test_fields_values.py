"""Values: read as people and LMs write them, written so that they read back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.errors import ParseError
from studio.engine.fields import FieldType, parse_type, read_json, read_value, write_value
from tests.engine.strategies import types, values_of

PNG = "data:image/png;base64,iVBORw0KGgo="
PDF = {"title": "Bill", "media_type": "application/pdf", "data": "JVBERi0="}


@st.composite
def typed_values(draw: st.DrawFn) -> tuple[FieldType, Any]:
    """A type and a value of it."""
    type_ = draw(types())
    return type_, draw(values_of(type_))


def attempt(read: Callable[..., Any], type_: FieldType, value: Any) -> tuple[str, Any]:
    """Why the value is refused, or what it reads as."""
    try:
        return "", read(type_, value, field="amount")
    except ParseError as error:
        return str(error), None


@given(typed_values())
def test_what_is_written_reads_back(pair: tuple[FieldType, Any]) -> None:
    type_, value = pair
    assert read_value(type_, write_value(type_, value)) == value


@given(typed_values())
def test_what_was_read_reads_as_itself(pair: tuple[FieldType, Any]) -> None:
    type_, value = pair
    assert read_json(type_, value) == value
    assert read_json(type_, json.loads(json.dumps(value))) == value


@given(types(), st.text(max_size=80) | st.binary(max_size=8) | st.floats() | st.none())
def test_anything_else_is_a_value_or_a_sentence(type_: FieldType, value: Any) -> None:
    for read in (read_value, read_json):
        says, found = attempt(read, type_, value)
        if says:
            assert says.startswith("amount")
            assert len(says) < 1_000
        else:
            assert read_json(type_, found) == found
            json.dumps(found, allow_nan=False)


@pytest.mark.parametrize(
    ("type_", "value", "expected"),
    [
        ("str", 3, "3"),
        ("str", True, "true"),
        ("str", 2.5, "2.5"),
        ("int", " 1,204 ", 1204),
        ("int", "**42**", 42),
        ("int", "4.0", 4),
        ("int", 4.0, 4),
        ("int", "-7", -7),
        ("float", "2.5", 2.5),
        ("float", "1,234.5", 1234.5),
        ("float", "`1e-3`", 0.001),
        ("float", ".5", 0.5),
        ("float", 3, 3.0),
        ("bool", "Yes", True),
        ("bool", "false.", False),
        ("bool", 1, True),
        ("bool", 0, False),
        ("enum[billing, not sure]", "**Not sure**", "not sure"),
        ("enum[billing, shipping]", "BILLING.", "billing"),
        ("enum[C, C++]", "C++.", "C++"),
        ("enum[a, A]", " A ", "A"),
        ('enum["1", "2"]', 2, "2"),
        ("date", "2024-02-29", "2024-02-29"),
        ("date", " `2024-02-29` ", "2024-02-29"),
        ("date", "2024-02-29T23:59:00+01:00", "2024-02-29"),
        ("date", "2024-02-29 00:00:00", "2024-02-29"),
        ("date", date(2024, 2, 29), "2024-02-29"),
        ("date", datetime(2024, 2, 29, 12, tzinfo=UTC), "2024-02-29"),
        ("list[int]", "[1, 2]", [1, 2]),
        ("list[str]", "- one\n- two\n", ["one", "two"]),
        ("list[str]", "1. one\n2) two", ["one", "two"]),
        ("list[str]", "", []),
        ("list[str]", "- \n-  a\n\n", ["a"]),
        ("list[str]", "[1] the first\n[2] the second", ["[1] the first", "[2] the second"]),
        ("list[str]", "[one](http://a)\n[two](http://b)", ["[one](http://a)", "[two](http://b)"]),
        ("list[str]", '```json\n["a", "b"]\n```', ["a", "b"]),
        ("list[str]", "```\n- a\n- b\n```", ["a", "b"]),
        ("list[str]", 'Here they are:\n["a", "b"]\nThat is all.', ["a", "b"]),
        ("list[str]", "['it', 'is',]", ["it", "is"]),
        ("list[date]", '["2024-02-29T01:00"]', ["2024-02-29"]),
        ("list[list[int]]", [[1], ["2"]], [[1], [2]]),
        ("list[optional[str]]", '["null", null]', ["null", None]),
        ("list[object]", '{"a": 1}\n{"a": 2}', [{"a": 1}, {"a": 2}]),
        ("list[object]", '{\n "a": 1\n}', [{"a": 1}]),
        ("enum[*, b]", " * ", "*"),
        ("dict[str, int]", '{"a": "1", "b": 2}', {"a": 1, "b": 2}),
        ("dict[str, int]", 'Sure! {"a": 1} Anything else?', {"a": 1}),
        ("dict[str, int]", '~~~json\r\n{"a": 1}\r\n~~~', {"a": 1}),
        ("dict[str, bool]", "{'a': True, 'b': False}", {"a": True, "b": False}),
        ("object", "{'a': None,}", {"a": None}),
        ("object", '{"text": "a \\"quoted\\" { brace"}', {"text": 'a "quoted" { brace'}),
        ("object[x: int]", '```\n{"x": 1}\n```', {"x": 1}),
        ("optional[int]", "null", None),
        ("optional[int]", " ", None),
        ("optional[int]", None, None),
        ("optional[int]", "7", 7),
        ("optional[str]", "None", None),
        ("optional[str]", '"null"', "null"),
        ("optional[str]", '"say \\"hi\\""', 'say "hi"'),
        ("optional[str]", '"hi", she said', '"hi", she said'),
        ("optional[str]", "nothing", "nothing"),
        ("optional[list[str]]", "- null", ["null"]),
        ("image", " https://example.org/a.png\n", "https://example.org/a.png"),
        ("image", PNG, PNG),
        ("document", "some text", {"title": "", "text": "some text"}),
        ("document", '{"text": "x"}', {"title": "", "text": "x"}),
        ("document", '{"a": 1}', {"title": "", "text": '{"a": 1}'}),
        ("document", json.dumps(PDF), PDF),
        ("history", "[]", []),
        (
            "history",
            'So far:\n[{"role": "user", "content": "hi"}]',
            [{"role": "user", "content": "hi"}],
        ),
        (
            "tool",
            {"name": "clock"},
            {
                "name": "clock",
                "description": "",
                "parameters": {"type": "object", "properties": {}},
            },
        ),
        ("code[python]", "```python\nprint(1)\n```", "print(1)"),
        ("code[python]", "Here it is:\n\n```py\nprint(1)\n```\nIt prints.", "print(1)"),
        ("code[python]", "print(1)", "print(1)"),
        ("code", "  ```\nx\n\n```  ", "x\n"),
        ("code", "a\n```\nb\n```\nc", "a\n```\nb\n```\nc"),
        ("code[python]", 'def f():\n    """\n```python\nx\n```\n    """', None),
        ("code[python]", "```python\na\n```\n```python\nb\n```", None),
        ("code[python]", "```python\ncut o", None),
    ],
)
def test_values_are_read(type_: str, value: object, expected: object) -> None:
    unchanged = type_.startswith("code") and expected is None
    assert read_value(parse_type(type_), value) == (value if unchanged else expected)


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("str", None),
        ("str", {"a": 1}),
        ("str", b"a"),
        ("str", float("nan")),
        ("int", "4.5"),
        ("int", "1,2,3"),
        ("int", "12,34"),
        ("int", "1_000"),
        ("int", True),
        ("int", "9" * 60),
        ("int", 10**5_000),
        ("int", 1e300),
        ("int", "42 apples"),
        ("float", "nan"),
        ("float", "inf"),
        ("float", "1e999"),
        ("float", "3,5"),
        ("float", "1_0.0"),
        ("float", None),
        ("float", 10**5_000),
        ("bool", "maybe"),
        ("bool", 2),
        ("bool", 10**5_000),
        ("bool", None),
        ("enum[a, b]", "c"),
        ("enum[a, b]", 1),
        ("enum[*, b]", ""),
        ("list[str]", '{"items": ["a"]}'),
        ("enum[a, b]", 10**5_000),
        ("enum[Yes, yes]", "YES"),
        ("date", "29 February"),
        ("date", "2023-02-29"),
        ("date", 20240229),
        ("date", "1" * 1_000_000),
        ("list[int]", "[1, x]"),
        ("list[int]", 5),
        ("list[int]", "[" * 5000),
        ("list[int]", {"a": 1}),
        ("dict[str, int]", "[1]"),
        ("dict[str, int]", "{"),
        ("dict[str, int]", '{"a": 1} or {"a": 2}'),
        ("dict[str, int]", '{"a": 1, "b": 2'),
        ("dict[str, int]", '{"a": 1, b'),
        ("dict[str, int]", {1: 2}),
        ("dict[str, int]", '{"a": ' * 5_000),
        ("dict[str, float]", '{"a": NaN}'),
        ("dict[str, float]", '{"a": 1e999}'),
        ("object", {"a": float("inf")}),
        ("object", {"a": {1}}),
        ("object", "none"),
        ("object", '{"a": "cut o'),
        ("optional[int]", "none at all"),
        ("optional[int]", '"seven"'),
        ("image", "ftp://example.org/a.png"),
        ("image", "javascript:alert(1)"),
        ("image", "file:///etc/passwd"),
        ("image", "https://"),
        ("image", "https://example.org/a b.png"),
        ("image", "http://[::1"),
        ("image", "https://example.org/" + "a" * 5_000),
        ("image", "data:text/html;base64,PGI+"),
        ("image", "data:image/svg+xml;base64,PGI+"),
        ("image", "data:image/png;base64,not base64!"),
        ("image", "data:image/png;base64,/9j/4AAQ"),
        ("image", "data:image/png;base64,é"),
        ("image", None),
        ("document", {"title": "x"}),
        ("document", {"title": 1, "text": "x"}),
        ("document", {"text": "x", "url": "http://example.org"}),
        ("document", {**PDF, "data": "iVBORw0KGgo="}),
        ("document", {**PDF, "media_type": "text/html"}),
        ("document", 5),
        ("history", "hello"),
        ("history", [{"question": "a", "answer": "b"}]),
        ("history", [{"role": "system", "content": "x"}]),
        ("history", [{"role": "user", "content": None}]),
        ("tool", "search"),
        ("tool", {"name": "two words"}),
        ("tool", {"name": "x", "parameters": {"type": "array"}}),
        ("tool", {"name": "x", "parameters": {"$ref": "http://example.org"}}),
        ("tool", {"name": "x", "description": 3}),
        ("tool", {"name": "x", "call": "y"}),
        ("code", 3),
        ("code", None),
    ],
    ids=lambda value: repr(value)[:40] if not isinstance(value, int) else "number",
)
def test_what_does_not_fit_is_refused_by_field_name(type_: str, value: object) -> None:
    with pytest.raises(ParseError, match="amount") as caught:
        read_value(parse_type(type_), value, field="amount")
    assert caught.value.field.startswith("amount")
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("type_", "value", "path"),
    [
        ("list[list[int]]", [[1], [2, "x"]], "amount[1][1]"),
        ("dict[str, int]", {"size": "x"}, "amount.size"),
        ("object[a: object[b: list[int]]]", {"a": {"b": [1, "x"]}}, "amount.a.b[1]"),
        ("object[a: int]", {}, "amount: 'a' is a required property"),
        ("object[a: int]", {"a": 1, "b": 2}, "amount: Additional properties"),
        ("list[object[a: int]]", [{"a": "x"}], "amount[0].a"),
    ],
)
def test_the_message_begins_with_the_path(type_: str, value: object, path: str) -> None:
    with pytest.raises(ParseError) as caught:
        read_value(parse_type(type_), value, field="amount")
    assert str(caught.value).startswith(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{'a': 1, 'b': None}", {"a": 1, "b": None}),
        ('{"a": "say "hi" now"}', {"a": 'say "hi" now'}),
        ('{"a": 1 "b": 2}', {"a": 1, "b": 2}),
        ("{a: 1, b: two words}", {"a": 1, "b": "two words"}),
        ('{"a": [1, 2,], }', {"a": [1, 2]}),
        ('{"a": "first\nsecond"}', {"a": "first\nsecond"}),
        ("{“a”: “größer”}", {"a": "größer"}),
        ("Sure: {'day': 2024-02-29}", {"day": "2024-02-29"}),
    ],
)
def test_json_that_is_nearly_right_is_repaired(text: str, expected: object) -> None:
    assert read_value(parse_type("object"), text) == expected


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, // about a\n"b": 2}',
        "{'it''s': 'b'}",
        "{'a': 'it's'}",
        '{"a": 1,,"b": 2}',
        '{"a": "b" "c"}',
        '{"n": -}',
        '{"n": 50%}',
        '{"n": 01}',
        '{"a": 1}{"b": 2}',
        '{"a": "x',
        "a {brace} in prose",
    ],
)
def test_what_repairing_would_change_is_refused(text: str) -> None:
    with pytest.raises(ParseError, match="expected object"):
        read_value(parse_type("object"), text)


@pytest.mark.parametrize(
    "text",
    [
        '["a", "b"',
        '["a", "b"],',
        '["a", ..., "z"]',
        "[12:30, 14:00]",
        "[1, 2] and [3]",
        '[{"a": 1}, {"a"',
        '{"items": ["a", "b',
        "['a', 'it's']",
        "```json\n[1, 2",
    ],
)
def test_a_list_gone_wrong_is_not_read_by_its_lines(text: str) -> None:
    with pytest.raises(ParseError, match="expected list"):
        read_value(parse_type("list[str]"), text)


@pytest.mark.parametrize("value", ["null", "None", "", '"x"'])
def test_json_says_itself_what_is_absent(value: str) -> None:
    assert read_json(parse_type("optional[str]"), value) == value
    assert read_json(parse_type("optional[str]"), None) is None


def test_an_empty_text_is_no_number_and_so_absent_in_json_too() -> None:
    assert read_json(parse_type("optional[int]"), "") is None
    assert read_json(parse_type("optional[enum[a, b]]"), "null") is None
    assert read_json(parse_type("optional[enum[null, b]]"), "null") == "null"


def test_code_in_json_keeps_any_fence_but_its_own() -> None:
    fenced = "```python\nprint(1)\n```"
    assert read_json(parse_type("code[python]"), fenced) == "print(1)"
    assert read_json(parse_type("code[markdown]"), fenced) == fenced


def test_code_is_written_in_a_fence_that_it_cannot_close() -> None:
    type_ = parse_type("code[python]")
    assert write_value(type_, "print(1)") == "```python\nprint(1)\n```"
    assert write_value(type_, "````") == "`````python\n````\n`````"


def test_a_recursive_schema_is_checked() -> None:
    node = '{"properties": {"next": {"$ref": "#"}, "n": {"type": "integer"}}}'
    type_ = parse_type(f"object[{node}]")
    assert read_value(type_, {"n": 1, "next": {"n": 2}})
    with pytest.raises(ParseError, match=r"value\.next\.n"):
        read_value(type_, {"n": 1, "next": {"n": "x"}})


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {
            "$defs": {
                f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 4 if n < 30 else [True]}
                for n in range(31)
            },
            "$ref": "#/$defs/d0",
        },
        {"properties": {"a": {"pattern": "^(a|aa)+$"}}},
        {"additionalProperties": {"pattern": "^((a|aa)+c|a+b)$"}},
    ],
    ids=["endless", "exploding", "slow pattern", "many slow patterns"],
)
def test_a_schema_cannot_hang_the_process(schema: dict[str, Any]) -> None:
    type_ = parse_type(f"object[{json.dumps(schema)}]")
    began = time.monotonic()
    with pytest.raises(ParseError, match=r"refers to itself too often|took too long"):
        read_value(type_, {"a": "a" * 60 + "b", **{f"b{n}": "a" * 22 + "b" for n in range(9_999)}})
    assert time.monotonic() - began < 300


def test_items_that_are_all_different_are_found_in_a_moment() -> None:
    type_ = parse_type('object[{"properties": {"a": {"uniqueItems": true}}}]')
    began = time.monotonic()
    many = [{"n": number} for number in range(20_000)]
    assert read_value(type_, {"a": many}) == {"a": many}
    assert read_value(type_, {"a": [1, True, "1", [1], None]})
    with pytest.raises(ParseError, match=r"value\.a: two of its items are the same"):
        read_value(type_, {"a": [{"b": 1}, {"b": 1.0}]})
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    "text",
    ["{" * 1_000_000, "[" * 1_000_000, '{"a": "' * 100_000, "`" * 1_000_000, "```\n" * 250_000],
    ids=["braces", "brackets", "open texts", "ticks", "fences"],
)
@pytest.mark.parametrize(
    "type_", ["object", "list[int]", "optional[code[python]]", "document", "history", "tool"]
)
def test_a_megabyte_of_rubbish_is_read_in_a_moment(type_: str, text: str) -> None:
    began = time.monotonic()
    says, _ = attempt(read_value, parse_type(type_), text)
    assert len(says) < 1_000
    assert time.monotonic() - began < 30


def test_a_megabyte_of_values_reads_back() -> None:
    type_ = parse_type("dict[str, list[str]]")
    value = {f"key {n}": ["größer ]}\n```"] * 10 for n in range(3_000)}
    assert read_value(type_, write_value(type_, value)) == value


def test_an_image_of_more_than_20_mb_is_refused() -> None:
    with pytest.raises(ParseError, match="20 MB"):
        read_value(parse_type("image"), "data:image/png;base64," + "A" * 28_000_000)


@pytest.mark.parametrize("value", [None, True, 3, "x", ["a"], {"a": 1}])
@pytest.mark.parametrize(
    "type_", ["str", "int", "list[str]", "code", "document", "optional[list[str]]", "object"]
)
def test_writing_a_value_of_another_type_is_still_a_text(type_: str, value: object) -> None:
    assert isinstance(write_value(parse_type(type_), value), str)
