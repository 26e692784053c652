"""Regular expressions that people write, so that none of them can hang the process."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from studio.engine.errors import ParseError, SignatureError
from studio.engine.fields.brackets import shorten

LONGEST_PATTERN = 1_000
"""Characters."""
PATIENCE_S = 0.1
"""How long one search may take."""


@lru_cache(maxsize=1_000)
def compile_pattern(pattern: str) -> Any:
    """A `regex` pattern; raises `SignatureError` when it does not compile or is too long."""
    import regex

    if len(pattern) > LONGEST_PATTERN:
        raise SignatureError("A pattern has at most 1,000 characters.")
    try:
        return regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError) as error:
        raise SignatureError(
            f"The pattern “{shorten(pattern)}” cannot be read: {error}."
        ) from None


def found_in(pattern: str, text: str, *, field: str) -> bool:
    """Whether `pattern` is found in `text`.

    Raises `ParseError` when the search takes longer than `PATIENCE_S`.
    """
    try:
        return compile_pattern(pattern).search(text, timeout=PATIENCE_S) is not None
    except TimeoutError:
        raise ParseError(
            f"{field}: looking for the pattern “{shorten(pattern)}” took too long "
            f"(more than {PATIENCE_S} s). Write a simpler pattern.",
            field=field,
            text=text,
        ) from None
