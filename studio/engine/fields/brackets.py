"""Cutting text where brackets and quotes allow it."""

from __future__ import annotations

from studio.engine.errors import SignatureError

_BEFORE_QUOTE = ("", "[", ",", ":")
"""What may stand before a `'` that opens a quote: the one in `don't` opens none."""


def split_outside(text: str, mark: str) -> list[str]:
    """Split at `mark` where it stands outside of square brackets and quotes.

    A backslash inside double quotes keeps the next character from closing them. Raises
    `SignatureError` when a bracket or a quote is not closed.
    """
    parts, depth, quote, before, start = [], 0, "", "", 0
    escaped = False
    for index, char in enumerate(text):
        if index < start:
            continue
        if quote:
            if char == quote and not escaped:
                quote = ""
            escaped = char == "\\" and quote == '"' and not escaped
        elif char == '"' or (char == "'" and before in _BEFORE_QUOTE):
            quote = char
        elif char == "[":
            depth += 1
        elif char == "]":
            depth -= 1
            if depth < 0:
                break
        elif depth == 0 and text.startswith(mark, index):
            parts.append(text[start:index])
            start = index + len(mark)
            before = ""
            continue
        if not char.isspace():
            before = char
    if quote or depth:
        raise SignatureError(f"A bracket or a quote is not closed in “{shorten(text.strip())}”.")
    parts.append(text[start:])
    return parts


def shorten(text: str, longest: int = 80) -> str:
    """`text`, cut to `longest` characters with an ellipsis for a message."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
