"""Text as every database takes it: models write what no text column holds."""

from __future__ import annotations

from typing import Any

_SIGN = "\N{REPLACEMENT CHARACTER}"


def storable(value: Any) -> Any:
    """JSON without the character zero and without halves of characters, each replaced by a sign.

    What has none of them is returned equal to what it was.
    """
    if isinstance(value, str):
        if "\0" in value:
            value = value.replace("\0", _SIGN)
        return _without_halves(value)
    if isinstance(value, dict):
        return {storable(name): storable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [storable(inner) for inner in value]
    return value


def _without_halves(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join(_SIGN if "\ud800" <= sign <= "\udfff" else sign for sign in text)
    return text
