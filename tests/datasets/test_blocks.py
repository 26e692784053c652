"""Blocks give back what was put into them, and fit into their sizes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.datasets.blocks import ROWS, SIZE, Content, content_of, cut, decode, encode, text_of

VALUES = st.recursive(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)
ROWS_OF_TEXT = st.lists(st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4), max_size=8)


@given(ROWS_OF_TEXT)
def test_rows_come_back_as_they_were(rows: list[dict[str, Any]]) -> None:
    content = decode(encode(content_of(rows))[1])
    found = [content.row(index) for index in range(content.count)]
    # Rows without any column at all leave nothing to count.
    assert found == (rows if content.columns else [])


@given(ROWS_OF_TEXT, ROWS_OF_TEXT)
def test_more_rows_stand_at_the_end(
    first: list[dict[str, Any]], more: list[dict[str, Any]]
) -> None:
    first = [{"a": "x", **row} for row in first]
    content = content_of(first).with_rows(more)
    found = [content.row(index) for index in range(content.count)]
    assert found == ([*first, *more] if content.columns else [])


def test_changed_cells_leave_the_others_alone() -> None:
    content = content_of([{"a": 1, "b": [2]}, {"a": 3}])
    changed = content.with_cells({1: {"b": "x", "c": True}, 0: {"a": None}})
    assert [changed.row(0), changed.row(1)] == [{"b": [2]}, {"a": 3, "b": "x", "c": True}]
    assert content.row(0) == {"a": 1, "b": [2]}, "the old one is as it was"


def test_equal_content_has_one_name_and_other_content_another() -> None:
    one, same, other = (content_of([{"a": value}]) for value in (1, 1, 1.0))
    assert encode(one)[0] == encode(same)[0]
    assert encode(one)[0] != encode(other)[0]


def test_what_is_stored_is_readable_json() -> None:
    _hash, data = encode(content_of([{"a": "é", "b": {"c": [1]}}]))
    assert json.loads(text_of(data)) == {"columns": ["a", "b"], "cells": [["é"], [{"c": [1]}]]}
    assert "é".encode() in text_of(data), "letters stand there as they are, to be looked for"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_what_json_does_not_have_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"not JSON compliant|surrogates"):
        encode(Content(("a",), ([value],)))


def test_pieces_fit() -> None:
    rows = [{"a": str(number)} for number in range(ROWS + 1)]
    assert [len(piece) for piece in cut(rows)] == [ROWS, 1]
    assert [len(piece) for piece in cut(rows, taken=ROWS - 2)] == [2, ROWS - 1]
    large = [{"a": "x" * (SIZE - 10)}, {"a": "y" * 9}, {"a": "z" * 2}, {"a": "w" * (3 * SIZE)}]
    assert [len(piece) for piece in cut(large)] == [2, 1, 1]
    assert [row for piece in cut(large) for row in piece] == large
    assert list(cut([])) == []
