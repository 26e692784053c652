"""Whole numbers that come as text."""

from __future__ import annotations

import pytest

from studio.numerals import read_whole


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("12", 12), ("007", 7), ("999999999", 999_999_999)]
)
def test_plain_digits_are_a_number(text: str, number: int) -> None:
    assert read_whole(text) == number


@pytest.mark.parametrize(
    "text",
    [None, "", " 1", "-1", "+1", "1.0", "1e3", "1_000", "²", "٣", "1000000000", "9" * 5_000],
)
def test_any_other_text_is_none(text: str | None) -> None:
    assert read_whole(text) is None


def test_the_largest_may_be_said() -> None:
    assert (read_whole("40", 40), read_whole("41", 40), read_whole("4294967295", 2**32 - 1)) == (
        40,
        None,
        2**32 - 1,
    )
