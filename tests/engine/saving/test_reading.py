"""JSON of others is read with suspicion, and ours has one text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.errors import StateError
from studio.engine.saving.reading import MOST_BYTES, MOST_NESTED, read_object, to_text

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=30)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(ANY_TEXT, JSON, max_size=4))
def test_what_is_written_is_read_back_and_is_utf8(data: dict[str, Any]) -> None:
    text = to_text(data)
    read = read_object(text.encode(), what="It")
    assert read == data
    assert to_text(read) == text


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("", "no JSON"),
        ("[]", "expected a JSON object"),
        ("null", "expected a JSON object"),
        ('{"a": 1', "no JSON"),
        ('{"a": 1, "a": 2}', "“a” stands twice"),
        ('{"a": {"b": 1, "b": 2}}', "“b” stands twice"),
        ('{"a": NaN}', "NaN"),
        ('{"a": -Infinity}', "-Infinity"),
        ('{"a": 1e999}', "inf is not a number"),
        ('{"a": ' + "1" * 5_000 + "}", "no JSON"),
        ('{"a": ' + "[" * 300 + "]" * 300 + "}", "deeper than 200"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "deeper than 200"),
        (b"\xff\xfe", "no UTF-8"),
        (b"\x80\x04\x95", "pickle"),
        (b"PK\x03\x04", "archive"),
        (b'{"a": "' + b"x" * MOST_BYTES + b'"}', "larger than 20 MB"),
        ({"a": float("nan")}, "nan is not a number"),
        ({"a": {1: 2}}, "is no text"),
        ({"a": object()}, "no JSON"),
        ({"a": ["x" * 1_000_000] * 21}, "larger than 20 MB"),
        (["a"], "got a value of type list"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_bad_data_is_refused_with_a_sentence(data: Any, told: str) -> None:
    with pytest.raises(StateError, match=told) as refused:
        read_object(data, what="This file")
    assert str(refused.value).startswith("This file")
    assert len(str(refused.value)) < 400


def test_a_byte_order_mark_is_no_problem() -> None:
    assert read_object(b'\xef\xbb\xbf{"a": 1}', what="It") == {"a": 1}


def test_nesting_up_to_the_bound_is_read() -> None:
    deep: Any = 1
    for _ in range(MOST_NESTED - 1):
        deep = [deep]
    assert read_object(json.dumps({"a": deep}), what="It") == {"a": deep}
