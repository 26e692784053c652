"""Signatures: string form, fields, inputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.errors import InputError, ParseError, SignatureError
from studio.engine.fields import Constraints, parse_type
from studio.engine.signature import MISSING, Field, Signature, read_fields
from tests.engine.strategies import NAMES, signatures, types, values_of
from tests.engine.test_fields import RULES


@given(signatures())
def test_the_string_form_reads_back(signature: Signature) -> None:
    assert Signature.parse(str(signature)) == signature


@given(signatures(descriptions=True), st.text(max_size=40))
def test_the_json_form_reads_back(signature: Signature, instruction: str) -> None:
    told = signature.with_instruction(instruction)
    assert Signature.from_dict(told.to_dict()) == told


@pytest.mark.parametrize(("text", "canonical", "fields"), RULES["signatures"])
def test_the_string_form_is_canonical(text: str, canonical: str, fields: list[list[str]]) -> None:
    signature = Signature.parse(text)
    assert str(signature) == canonical
    assert [[field.name, field.role, str(field.type)] for field in signature.fields] == fields


@pytest.mark.parametrize(("text", "sentence"), RULES["refused_signatures"])
def test_the_canvas_and_the_engine_refuse_alike(text: str, sentence: str) -> None:
    with pytest.raises(SignatureError) as caught:
        Signature.parse(text)
    assert str(caught.value) == sentence


def test_a_missing_type_is_text() -> None:
    assert str(Signature.parse("question,context:list[str]->answer")) == (
        "question, context: list[str] -> answer"
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "->"),
        ("a", "->"),
        ("a -> b -> c", "exactly one"),
        ("-> b", "name is missing"),
        ("a ->", "name is missing"),
        ("a, -> b", "name is missing"),
        ("a -> a", "twice"),
        ("Message -> b", "not a field name"),
        ("a b -> c", "not a field name"),
        ("__class__ -> c", "not a field name"),
        ("a -> b: nope", "nope"),
        ("a -> b: enum[x, y", "not closed"),
        ("a" * 30_000 + " -> b", "longer than"),
        ("a -> b: enum['x -> y', 'z'] -> c", "exactly one"),
        ("a]] -> b", "not closed"),
        ('a -> b: object[{"$ref": "http://x"}]', "own parts only"),
    ],
)
def test_a_wrong_signature_is_refused_with_a_sentence(text: str, says: str) -> None:
    with pytest.raises(SignatureError, match=says):
        Signature.parse(text)


@pytest.mark.parametrize(
    "data",
    [
        {"fields": Signature.parse("a -> b").to_dict()["fields"], "instruction": ["x"]},
        {},
        {"fields": None},
        {"fields": [1]},
        {"fields": [{"name": "a"}]},
        {"fields": []},
    ],
)
def test_json_of_another_shape_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(SignatureError):
        Signature.from_dict(data)


def test_inputs_are_typed_and_named_when_they_are_wrong() -> None:
    signature = Signature.parse("count: int, note -> answer")
    assert signature.read_inputs({"count": "3", "note": "x", "more": 1}) == {
        "count": 3,
        "note": "x",
    }
    with pytest.raises(InputError, match="note"):
        signature.read_inputs({"count": 3})
    with pytest.raises(InputError, match="count: expected int"):
        signature.read_inputs({"count": "many", "note": ""})


def test_the_task_is_the_instruction_or_a_plain_sentence() -> None:
    signature = Signature.parse("message -> problem_area")
    assert signature.task == "Given the message, produce the problem area."
    assert signature.with_instruction("Sort it.").task == "Sort it."


ORDER = Signature.parse("order, note -> area: enum[a, b], size: int", "Sort it.")
DAY = Field(name="day", role="input", type=parse_type("date"))
SURE = Field(name="sure", role="output", type=parse_type("bool"))


def names(signature: Signature) -> list[str]:
    """The fields in their order."""
    return [field.name for field in signature.fields]


@pytest.mark.parametrize(
    ("field", "place", "expected"),
    [
        (DAY, {}, "order note day area size"),
        (SURE, {}, "order note area size sure"),
        (DAY, {"index": 0}, "day order note area size"),
        (DAY, {"index": 1}, "order day note area size"),
        (SURE, {"index": 1}, "order note area sure size"),
        (SURE, {"index": 99}, "order note area size sure"),
        (SURE, {"before": "size"}, "order note area sure size"),
        (SURE, {"after": "area"}, "order note area sure size"),
        (DAY, {"before": "order"}, "day order note area size"),
    ],
)
def test_a_field_is_inserted(field: Field, place: dict[str, Any], expected: str) -> None:
    changed = ORDER.insert(field, **place)
    assert names(changed) == expected.split()
    assert changed.instruction == "Sort it."
    assert names(ORDER) == ["order", "note", "area", "size"]


def test_a_field_is_appended_to_its_side() -> None:
    assert [field.name for field in ORDER.append(DAY).inputs] == ["order", "note", "day"]
    assert [field.name for field in ORDER.insert_output(0, DAY).outputs] == ["day", "area", "size"]


def test_a_field_is_removed_renamed_and_replaced() -> None:
    assert names(ORDER.remove("note")) == ["order", "area", "size"]
    assert names(ORDER.rename("area", "field")) == ["order", "note", "field", "size"]
    assert ORDER.rename("area", "field")["field"].type == ORDER["area"].type
    assert names(ORDER.rename("area", "area")) == names(ORDER)
    changed = ORDER.with_field("size", SURE)
    assert names(changed) == ["order", "note", "area", "sure"]
    assert changed["sure"].type == parse_type("bool")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda: ORDER.append(Field(name="area", role="input")), "“area” stands twice"),
        (lambda: ORDER.rename("note", "order"), "“order” stands twice"),
        (lambda: ORDER.rename("note", "Note"), "not a field name"),
        (lambda: ORDER.with_field("size", Field(name="note", role="output")), "stands twice"),
        (lambda: ORDER.remove("price"), "no field “price”. The fields are order, note, area"),
        (lambda: ORDER.rename("price", "cost"), "no field “price”"),
        (lambda: ORDER.insert(DAY, after="price"), "no field “price”"),
        (lambda: ORDER.remove("area").remove("size"), "needs an input and an output"),
    ],
)
def test_a_change_that_leaves_no_signature_is_refused(
    change: Callable[[], Signature], says: str
) -> None:
    with pytest.raises(SignatureError, match=says):
        change()


@given(signatures(), NAMES)
def test_what_was_inserted_can_be_removed(signature: Signature, name: str) -> None:
    field = Field(name=name, role="output")
    if name not in names(signature):
        assert signature.append(field).remove(name) == signature


def test_only_what_is_set_is_written() -> None:
    assert Field(name="a", role="input").to_dict() == {
        "name": "a",
        "role": "input",
        "type": "str",
        "description": "",
    }
    full = Field(
        name="a",
        role="input",
        type=parse_type("optional[int]"),
        constraints=Constraints(min=1),
        default=None,
    )
    assert full.to_dict()["constraints"] == {"min": 1}
    assert full.to_dict()["default"] is None
    assert Field.from_dict(full.to_dict()) == full


@given(st.data())
def test_a_default_reads_back(data: st.DataObject) -> None:
    type_ = data.draw(types())
    field = Field(name="a", role="input", type=type_, default=data.draw(values_of(type_)))
    again = Field.from_dict(json.loads(json.dumps(field.to_dict())))
    assert again == field
    assert again.absent() == field.default
    assert not again.required
    assert hash(again) == hash(field)


@pytest.mark.parametrize(
    ("type_", "constraints", "default", "says"),
    [
        ("int", {}, "many", "The default does not fit. a: expected int, got 'many'"),
        ("int", {}, None, "The default does not fit. a: expected int, got None"),
        ("int", {"max": 5}, 6, "The default does not fit. a: expected 5 or less, got 6"),
        ("enum[x, y]", {}, "z", "expected enum"),
        ("object[b: int]", {}, {}, "'b' is a required property"),
    ],
)
def test_a_default_that_does_not_fit_is_refused(
    type_: str, constraints: dict[str, Any], default: Any, says: str
) -> None:
    spec = {"name": "a", "role": "input", "type": type_}
    with pytest.raises(SignatureError, match=says):
        Field.from_dict({**spec, "constraints": constraints, "default": default})


def test_a_default_is_of_the_type() -> None:
    assert Field(name="a", role="input", type=parse_type("int"), default="7").default == 7


def test_what_is_absent_takes_its_default() -> None:
    signature = Signature.from_fields(
        [
            {"name": "size", "role": "input", "type": "int", "default": 3},
            {"name": "note", "role": "input", "type": "optional[str]"},
            Field(name="area", role="output"),
        ]
    )
    assert signature.read_inputs({}) == {"size": 3, "note": None}
    assert signature.read_inputs({"size": 4, "note": "null"}) == {"size": 4, "note": "null"}
    assert not signature["size"].required
    assert not signature["note"].required
    assert signature["area"].required
    assert signature["area"].default is MISSING


def test_inputs_that_were_read_are_read_as_themselves() -> None:
    signature = Signature.parse("a: optional[str], b: list[optional[str]], c: document -> d")
    values = {"a": '"null"', "b": ["null", None, ""], "c": {"title": "", "text": "{}"}}
    assert read_fields(signature.inputs, values) == values


@pytest.mark.parametrize(
    "data",
    [
        {"name": "a", "role": "both"},
        {"name": 3, "role": "input"},
        {"name": "a", "role": "input", "type": ["str"]},
        {"name": "a", "role": "input", "constraints": [1]},
        {"name": "a", "role": "input", "description": {"of": "a"}},
        {"name": "a", "role": "input", "constraints": {"min": 1}},
    ],
)
def test_a_field_of_another_shape_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(SignatureError):
        Field.from_dict(data)


def test_a_written_value_and_a_parsed_one_are_read_each_in_its_way() -> None:
    field = Field(name="a", role="output", type=parse_type("optional[str]"))
    assert field.read("null") is None
    assert field.read_json("null") == "null"
    bounded = Field(name="a", role="output", constraints=Constraints(max_length=1))
    for read in (bounded.read, bounded.read_json):
        with pytest.raises(ParseError, match="at most 1, got 2"):
            read("ab")
