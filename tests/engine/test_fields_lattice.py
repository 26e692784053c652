"""Wires: legal, refused with a reason, made legal by a conversion."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.errors import ParseError
from studio.engine.fields import (
    CONVERTERS,
    FieldType,
    accepts,
    converters,
    parse_type,
    read_json,
)
from tests.engine.strategies import types, values_of
from tests.engine.test_fields import RULES

KINDS = sorted({type_ for source, target, _ in RULES["converters"] for type_ in (source, target)})


@pytest.mark.parametrize("rule", RULES["accepts"], ids=lambda rule: f"{rule[0]}→{rule[1]}")
def test_a_wire_is_legal_or_refused_with_a_reason(rule: list[str]) -> None:
    source, target, reason = rule
    assert accepts(parse_type(source), parse_type(target)) == reason


@pytest.mark.parametrize("rule", RULES["converters"], ids=lambda rule: f"{rule[0]}→{rule[1]}")
def test_these_conversions_make_a_wire_legal(rule: list[Any]) -> None:
    source, target, names = rule
    found = converters(parse_type(source), parse_type(target))
    assert [converter.name for converter in found] == names


@given(types())
def test_a_type_fits_into_itself_and_into_its_optional(type_: FieldType) -> None:
    assert accepts(type_, type_) == ""
    assert accepts(type_, parse_type(f"optional[{type_}]")) == ""
    assert converters(type_, type_) == ()


@given(types(), types())
def test_a_refusal_is_a_sentence_about_both(source: FieldType, target: FieldType) -> None:
    reason = accepts(source, target)
    assert len(reason) < 300
    assert bool(reason) is bool(accepts(FieldType("list", item=source), list_of(target)))


def list_of(type_: FieldType) -> FieldType:
    """`list[T]`."""
    return FieldType("list", item=type_)


@given(st.data(), st.sampled_from(KINDS), st.sampled_from(KINDS))
def test_what_a_legal_wire_carries_is_read(data: st.DataObject, source: str, target: str) -> None:
    if not accepts(parse_type(source), parse_type(target)):
        value = data.draw(values_of(parse_type(source)))
        read = read_json(parse_type(target), value)
        assert read_json(parse_type(target), read) == read


@given(st.data(), st.sampled_from([rule for rule in RULES["converters"] if rule[2]]))
def test_a_conversion_gives_a_value_of_the_target_or_says_why_not(
    data: st.DataObject, rule: list[Any]
) -> None:
    source, target = parse_type(rule[0]), parse_type(rule[1])
    converter = CONVERTERS[data.draw(st.sampled_from(rule[2]))]
    try:
        found = converter.convert(data.draw(values_of(source)), source, target)
    except ParseError:
        return
    assert read_json(target, found) == found


@given(st.data(), types(), types())
def test_so_does_any_conversion_between_any_types(
    data: st.DataObject, source: FieldType, target: FieldType
) -> None:
    for converter in converters(source, target):
        value = data.draw(values_of(source))
        try:
            found = converter.convert(value, source, target)
        except ParseError:
            continue
        assert read_json(target, found) == found


@pytest.mark.parametrize(
    ("name", "source", "target", "value", "expected"),
    [
        ("require", "optional[int]", "int", 3, 3),
        ("drop_absent", "list[optional[int]]", "list[int]", [1, None, 2], [1, 2]),
        ("drop_absent", "dict[str, int | None]", "dict[str, int]", {"a": 1, "b": None}, {"a": 1}),
        ("read_number", "str", "int", " 1,204 ", 1204),
        ("read_number", "str", "optional[float]", "2.5", 2.5),
        ("read_date", "str", "date", "2024-02-29", "2024-02-29"),
        ("read_yes_no", "str", "bool", "Yes.", True),
        ("read_label", "str", "enum[a, b]", "**A**", "a"),
        ("read_label", "enum[a, b, c]", "enum[a, b]", "b", "b"),
        ("round", "float", "int", 2.5, 3),
        ("round", "float", "int", -2.5, -3),
        ("round", "float", "int", 0.49999999999999994, 0),
        ("round", "float", "int", 1e20, 10**20),
        ("join_lines", "list[int]", "str", [1, 2], "1\n2"),
        ("join_lines", "list[bool]", "str", [True], "true"),
        ("join_lines", "list[str]", "str", [], ""),
        ("split_lines", "str", "list[str]", " a \n\n- b\r\nc", ["a", "- b", "c"]),
        ("split_lines", "str", "list[int]", "1\n2", [1, 2]),
        ("read_items", "list[str]", "list[int]", ["1", "2"], [1, 2]),
        ("read_items", "dict[str, str]", "dict[str, bool]", {"a": "yes"}, {"a": True}),
        ("wrap", "int", "list[str]", 3, ["3"]),
        ("first_item", "list[int]", "float", [3, 4], 3.0),
        ("dict_values", "dict[str, int]", "list[int]", {"b": 1, "a": 2}, [1, 2]),
        ("text_to_code", "str", "code[python]", "```python\nx\n```", "x"),
        (
            "text_to_document",
            "str",
            "document",
            '{"text": "x"}',
            {"title": "", "text": '{"text": "x"}'},
        ),
        ("document_to_text", "document", "str", {"title": "a", "text": "b"}, "b"),
        ("text_to_turn", "str", "history", "hi", [{"role": "user", "content": "hi"}]),
        (
            "history_to_text",
            "history",
            "str",
            [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}],
            "user: hi\n\nassistant: ho",
        ),
        ("read_image", "str", "image", "https://a.org/b.png", "https://a.org/b.png"),
        ("image_address", "image", "str", "https://a.org/b.png", "https://a.org/b.png"),
        ("check_object", "object", "object[a: int]", {"a": 1}, {"a": 1}),
        ("check_object", "object", "dict[str, int]", {"a": "1"}, {"a": 1}),
        ("read_json", "str", "dict[str, int]", '```json\n{"a": 1}\n```', {"a": 1}),
        ("read_json", "code[json]", "list[int]", "[1]", [1]),
        ("to_json", "list[int]", "str", [1, 2], "[1, 2]"),
        ("to_json", "optional[object]", "str", None, "null"),
    ],
)
def test_conversions(name: str, source: str, target: str, value: Any, expected: Any) -> None:
    converter = CONVERTERS[name]
    types_ = parse_type(source), parse_type(target)
    assert converter in converters(*types_)
    assert converter.convert(value, *types_) == expected


@pytest.mark.parametrize(
    ("name", "source", "target", "value", "says"),
    [
        ("require", "optional[int]", "int", None, "absent"),
        ("read_number", "str", "int", "three", "expected int"),
        ("read_label", "enum[a, b, c]", "enum[a, b]", "c", "expected enum"),
        ("round", "float", "int", 1e300, "expected int"),
        ("split_lines", "str", "list[int]", "1\nx", "expected int, got 'x'"),
        ("read_items", "list[str]", "list[int]", ["1", "x"], r"value\[1\]: expected int"),
        ("first_item", "list[int]", "int", [], "no first item"),
        (
            "document_to_text",
            "document",
            "str",
            {"title": "Bill", "media_type": "application/pdf", "data": "JVBERi0="},
            "“Bill” is a file",
        ),
        ("read_image", "str", "image", "no address", "https"),
        ("check_object", "object", "object[a: int]", {"a": "x"}, r"value\.a"),
        ("read_json", "str", "dict[str, int]", "no json", "expected dict"),
    ],
)
def test_what_cannot_be_converted_is_told(
    name: str, source: str, target: str, value: Any, says: str
) -> None:
    with pytest.raises(ParseError, match=says):
        CONVERTERS[name].convert(value, parse_type(source), parse_type(target))


@pytest.mark.parametrize("name", CONVERTERS)
def test_a_conversion_is_explained(name: str) -> None:
    converter = CONVERTERS[name]
    assert converter.name == name
    assert converter.title
    assert converter.summary.endswith(".")
    used = {name for rule in RULES["converters"] for name in rule[2]}
    assert name in used or name == "read_label"


def test_a_label_may_be_read_from_another_enum() -> None:
    found = converters(parse_type("enum[a, b, c]"), parse_type("enum[a, b]"))
    assert [converter.name for converter in found] == ["read_label"]
