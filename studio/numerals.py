"""Whole numbers that come as text: out of addresses, forms and headers."""

from __future__ import annotations

MOST = 999_999_999


def read_whole(text: str | None, most: int = MOST) -> int | None:
    """The number from 0 to `most` that the text says in plain digits; None for any other text."""
    if not (text and text.isascii() and text.isdigit() and len(text) <= len(str(most))):
        return None
    number = int(text)
    return number if number <= most else None
