"""JSON out of what an LM wrote: bare, in a Markdown fence, with prose around, or a little broken.

Nothing is guessed: where several values could be meant, or where repairing would lose or add
something, there is no value.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, TypeVar

T = TypeVar("T", list[Any], dict[str, Any])

DEEPEST_VALUE = 100
"""Lists and objects inside each other."""
LONGEST_REPAIR = 200_000
"""Characters; what is longer is not repaired."""
_MOST_STARTS = 50
"""How many opening brackets are tried in prose."""
_MOST_BLOCKS = 50
"""How many fences are looked at."""
_LONGEST_INT = 10_000
"""Bits."""
_OPENING_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})([^`\n]*)\Z")
_LITERALS = re.compile(r"\bNone\b")
_ESCAPES = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)", re.DOTALL)
_STRUCTURE = re.compile(r"""[\s"'“”‘’,:;\[\]{}\\]+""")
_LEFTOVERS = tuple("\"'“”‘’,:;")


def find_json(text: str, wanted: type[T]) -> T | None:
    """The one list or object that `text` holds, or None when there is none or more than one."""
    found = load_json(text)
    if isinstance(found, wanted):
        return found
    blocks = [load_json(body) for _, body, _ in fenced_blocks(text)]
    values = [value for value in blocks if isinstance(value, wanted)]
    values = values or _embedded(text, wanted)
    if values:
        return values[0] if len(values) == 1 else None
    return _repaired(text, wanted)


def load_json(text: str) -> Any:
    """The value of a text that is JSON and nothing else; None for any other."""
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None


def fenced_blocks(text: str) -> list[tuple[str, str, bool]]:
    """The first closed Markdown fences of `text`: what stands after the opening one, the body,
    and whether nothing but spaces stands around.
    """
    lines = text.split("\n")
    blocks: list[tuple[str, str, bool]] = []
    index = outside = 0
    while index < len(lines) and len(blocks) < _MOST_BLOCKS:
        opening = _OPENING_FENCE.match(lines[index].rstrip())
        if not opening:
            outside += bool(lines[index].strip())
            index += 1
            continue
        fence = opening.group(1)
        closing = next(
            (at for at in range(index + 1, len(lines)) if _closes(lines[at].strip(), fence)), None
        )
        if closing is None:
            # Nothing closes it: neither is anything closed after it that is not longer.
            outside += 1
            break
        body = "\n".join(lines[index + 1 : closing])
        if lines[index].endswith("\r"):
            body = body.removesuffix("\r")
        blocks.append((opening.group(2).strip().lower(), body, False))
        index = closing + 1
    if len(blocks) == 1 and not outside:
        return [(*blocks[0][:2], True)]
    return blocks


def is_json(value: Any, depth: int = DEEPEST_VALUE) -> bool:
    """Whether `value` can be written as JSON and read back the same, and is not too deep."""
    if value is None or isinstance(value, (str, bool)):
        return True
    if isinstance(value, int):
        return value.bit_length() <= _LONGEST_INT
    if isinstance(value, float):
        return math.isfinite(value)
    if depth <= 0:
        return False
    if isinstance(value, list):
        return all(is_json(item, depth - 1) for item in value)
    return isinstance(value, dict) and all(
        isinstance(key, str) and is_json(item, depth - 1) for key, item in value.items()
    )


def _closes(line: str, fence: str) -> bool:
    return len(line) >= len(fence) and line == fence[0] * len(line)


def _embedded(text: str, wanted: type[T]) -> list[T]:
    """The values that prose holds: objects anywhere, lists that have their lines to themselves."""
    opening = "[" if wanted is list else "{"
    found: list[T] = []
    start = text.find(opening)
    for _ in range(_MOST_STARTS):
        if start < 0:
            return found
        end = start + 1
        if wanted is dict or not text[text.rfind("\n", 0, start) + 1 : start].strip():
            try:
                value, stop = _DECODER.raw_decode(text, start)
            except (ValueError, RecursionError):
                value, stop = None, end
            after = text[stop : text.find("\n", stop) if "\n" in text[stop:] else len(text)]
            if isinstance(value, wanted) and (wanted is dict or not after.strip()):
                found.append(value)
                end = stop
        start = text.find(opening, end)
    return []


def _repaired(text: str, wanted: type[T]) -> T | None:
    """What is nearly JSON: single quotes, a comma too many, Python's words.

    Only what begins and ends as such a value is repaired, so that a cut-off answer is not taken
    for a whole one, and only when everything but brackets, quotes and commas is still there, in
    order, and no text has kept a quote or a comma at its end.
    """
    opening, closing = "[]" if wanted is list else "{}"
    blocks = fenced_blocks(text)
    text = (blocks[0][1] if len(blocks) == 1 else text).strip()
    if wanted is dict:
        text = text[text.find("{") : text.rfind("}") + 1]
    if not (text.startswith(opening) and text.endswith(closing)) or len(text) > LONGEST_REPAIR:
        return None
    import json_repair

    try:
        value = json_repair.loads(text, skip_json_loads=True)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, wanted) or not is_json(value):
        return None
    same = _content(text) == _content(json.dumps(value, ensure_ascii=False))
    return value if same and _is_clean(value) else None


def _content(text: str) -> str:
    return _STRUCTURE.sub("", _ESCAPES.sub("", _LITERALS.sub("null", text))).lower()


def _is_clean(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip().startswith(_LEFTOVERS) and not value.strip().endswith(_LEFTOVERS)
    if isinstance(value, dict):
        return all(_is_clean(key) and _is_clean(item) for key, item in value.items())
    return not isinstance(value, list) or all(map(_is_clean, value))


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _no_constant(text: str) -> float:
    raise ValueError(text)


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_no_constant)
