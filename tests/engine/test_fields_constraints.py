"""Constraints: enforced on reading, checked when a field is made, told in words."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from studio.engine.errors import ParseError, SignatureError
from studio.engine.fields import NO_CONSTRAINTS, Constraints, parse_type
from studio.engine.fields.constraints import is_multiple
from studio.engine.signature import Field


def make_field(type_: str, **bounds: Any) -> Field:
    """An output with constraints."""
    return Field(
        name="score", role="output", type=parse_type(type_), constraints=Constraints(**bounds)
    )


@pytest.mark.parametrize(
    ("type_", "bounds", "good", "bad", "says"),
    [
        ("int", {"min": 1, "max": 5}, ["1", 5], ["0", 6], "expected"),
        ("float", {"min": 0.5}, ["0.5", 1], ["0.49", -1], "expected 0.5 or more, got"),
        ("float", {"max": 1}, [1.0, "-3"], ["1.0000001"], "expected 1 or less, got 1.0000001"),
        ("float", {"multiple_of": 0.1}, ["0.3", 0.7, "1e3", 0], ["0.35", 1e-9], "multiple of 0.1"),
        ("int", {"multiple_of": 5}, [10**29, "-15", 0], ["7"], "multiple of 5, got 7"),
        ("str", {"min_length": 2, "max_length": 3}, ["ab", "größ"[:3]], ["a", "abcd"], "length"),
        ("list[int]", {"max_length": 2}, ["[1, 2]", []], ["[1, 2, 3]"], "at most 2, got 3"),
        ("dict[str, int]", {"min_length": 1}, ['{"a": 1}'], ["{}"], "at least 1, got 0"),
        ("history", {"max_length": 0}, ["[]"], [[{"role": "user", "content": ""}]], "got 1"),
        ("code[python]", {"max_length": 5}, ["```python\nx = 1\n```"], ["x = 12"], "got 6"),
        ("str", {"pattern": "^[A-Z]{3}$"}, ["ABC"], ["abc", "ABCD", ""], "matching"),
        ("str", {"pattern": r"\d"}, ["a1b"], ["ab"], r"matching \\d"),
        ("str", {"pattern": r"^\p{Lu}+$"}, ["ÄÖ"], ["äö"], "matching"),
        ("optional[int]", {"min": 3}, ["null", None, "3"], ["2"], "3 or more, got 2"),
        ("optional[str]", {"min_length": 1}, [None, "a"], ['""'], "at least 1, got 0"),
    ],
)
def test_a_constraint_is_enforced(
    type_: str, bounds: dict[str, Any], good: list[Any], bad: list[Any], says: str
) -> None:
    field = make_field(type_, **bounds)
    for value in good:
        assert field.read(value) == field.read_json(field.read(value))
    for value in bad:
        with pytest.raises(ParseError, match=says) as caught:
            field.read(value)
        assert caught.value.field == "score"
        assert str(caught.value).startswith("score: ")


@pytest.mark.parametrize(
    ("type_", "bounds", "says"),
    [
        ("bool", {"max_length": 3}, "“max_length” says nothing about bool"),
        ("str", {"min": 3}, "“min” says nothing about str. It is for int, float"),
        ("int", {"pattern": "a"}, "“pattern” says nothing about int"),
        ("optional[date]", {"max": 3}, "says nothing about optional"),
        ("enum[a, b]", {"min_length": 1}, "says nothing about enum"),
        ("list[int]", {"min": 1}, "says nothing about list"),
        ("document", {"max_length": 1}, "says nothing about document"),
    ],
)
def test_a_constraint_that_says_nothing_is_refused(
    type_: str, bounds: dict[str, Any], says: str
) -> None:
    with pytest.raises(SignatureError, match=says):
        make_field(type_, **bounds)


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        ({"min": 5, "max": 1}, "min 5 is above max 1"),
        ({"min_length": 2, "max_length": 1}, "min_length 2 is above max_length 1"),
        ({"min_length": -1}, "min_length: expected a whole number, 0 or more, got -1"),
        ({"max_length": 2.0}, "max_length: expected a whole number"),
        ({"max_length": True}, "max_length: expected a whole number"),
        ({"min": "1"}, "min: expected a number, got '1'"),
        ({"min": True}, "min: expected a number, got True"),
        ({"max": float("nan")}, "max: expected a number, got nan"),
        ({"max": float("inf")}, "max: expected a number, got inf"),
        ({"multiple_of": 0}, "multiple_of: 0 is not above 0"),
        ({"multiple_of": -1}, "multiple_of: -1 is not above 0"),
        ({"pattern": 3}, "pattern: expected a regular expression"),
        ({"pattern": "("}, r"The pattern “\(” cannot be read: missing \)"),
        ({"pattern": "a" * 1_001}, "at most 1,000 characters"),
        ({"least": 1}, "There is no constraint “least”. Known are min, max"),
        ([1], "Constraints are an object"),
        ("min", "Constraints are an object"),
    ],
)
def test_constraints_that_make_no_sense_are_refused(bounds: Any, says: str) -> None:
    with pytest.raises(SignatureError, match=says):
        Constraints.from_dict(bounds)
    with pytest.raises(SignatureError, match=says):
        Field.from_dict({"name": "score", "role": "output", "type": "str", "constraints": bounds})


def test_the_field_is_named_when_its_constraints_make_no_sense() -> None:
    with pytest.raises(SignatureError, match=r"^score: min 5 is above max 1"):
        Field.from_dict(
            {
                "name": "score",
                "role": "output",
                "type": "int",
                "constraints": {"min": 5, "max": 1},
            }
        )


@given(
    st.builds(
        dict,
        min=st.none() | st.integers(-9, 0) | st.floats(-9, 0),
        max=st.none() | st.integers(1, 9) | st.floats(1, 9),
        multiple_of=st.none() | st.sampled_from([1, 0.5, 0.1]),
        min_length=st.none() | st.integers(0, 3),
        max_length=st.none() | st.integers(3, 9),
        pattern=st.none() | st.just("a+"),
    )
)
def test_the_json_form_reads_back(bounds: dict[str, Any]) -> None:
    constraints = Constraints(**bounds)
    assert Constraints.from_dict(constraints.to_dict()) == constraints
    assert set(constraints.to_dict()) == {name for name in bounds if bounds[name] is not None}
    assert bool(constraints) is any(bound is not None for bound in bounds.values())


@given(st.integers(-(10**6), 10**6), st.sampled_from(["1", "0.1", "0.25", "0.001", "3"]))
def test_decimals_are_multiples_as_people_read_them(times: int, step: str) -> None:
    value = float(f"{times}e-3") if step == "0.001" else times * float(step)
    assume(repr(value) == repr(round(value, 3)))
    assert is_multiple(round(value, 3), float(step))


@pytest.mark.parametrize(
    ("value", "step", "expected"),
    [
        (0.3, 0.1, True),
        (0.35, 0.1, False),
        (1e308, 1e-300, True),
        (1e-300, 1, False),
        (0, 7, True),
    ],
)
def test_multiples_are_exact(value: float, step: float, expected: bool) -> None:
    assert is_multiple(value, step) is expected


@pytest.mark.parametrize(
    "pattern", ["^(a|aa)+$", "^(a+)+$", r"^(\w+\s?)*$", "((a{1,100}){1,100}){1,100}$"]
)
def test_a_pattern_cannot_hang_the_process(pattern: str) -> None:
    field = make_field("str", pattern=pattern)
    began = time.monotonic()
    with pytest.raises(ParseError, match=r"took too long|matching"):
        field.read("a" * 100_000 + "!")
    assert time.monotonic() - began < 20


def test_a_slow_pattern_is_told() -> None:
    with pytest.raises(ParseError, match=r"score: looking for the pattern .* took too long"):
        make_field("str", pattern="^(a|aa)+$").read("a" * 60 + "!")


@pytest.mark.parametrize(
    ("type_", "bounds", "words"),
    [
        ("int", {}, ""),
        ("int", {"min": 1, "max": 5}, "between 1 and 5"),
        ("float", {"min": 0.5}, "at least 0.5"),
        ("float", {"max": 2.0}, "at most 2"),
        ("int", {"min": 3, "max": 3}, "exactly 3"),
        ("int", {"max": 1234567}, "at most 1234567"),
        ("float", {"min": 0, "multiple_of": 0.25}, "at least 0, a multiple of 0.25"),
        ("str", {"max_length": 20}, "at most 20 characters"),
        ("str", {"max_length": 1}, "at most 1 character"),
        ("str", {"min_length": 1}, "at least 1 character"),
        ("list[str]", {"min_length": 2, "max_length": 4}, "between 2 and 4 items"),
        ("optional[list[str]]", {"max_length": 1}, "at most 1 item"),
        ("dict[str, int]", {"min_length": 1}, "at least 1 entry"),
        ("history", {"max_length": 6}, "at most 6 turns"),
        ("str", {"pattern": "^a$"}, "matching the regular expression `^a$`"),
    ],
)
def test_constraints_in_words(type_: str, bounds: dict[str, Any], words: str) -> None:
    assert Constraints(**bounds).describe(parse_type(type_)) == words


def test_without_a_type_a_length_counts_characters() -> None:
    assert Constraints(max_length=3).describe() == "at most 3 characters"


def test_no_constraints_are_none() -> None:
    assert not NO_CONSTRAINTS
    assert Constraints.from_dict({}) is NO_CONSTRAINTS
    assert Constraints(min=0)
