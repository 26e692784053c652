"""JSON that somebody else wrote, read with suspicion; and JSON that we write, as text."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from studio.engine.codec import canonical_json
from studio.engine.errors import StateError

MOST_BYTES = 20_000_000
MOST_NESTED = 200
"""Objects and lists inside each other."""

_HALF = re.compile("[\ud800-\udfff]")


def to_text(data: Any) -> str:
    """Canonical JSON that any file can hold: one text for one value.

    Raises `StateError` for what is no JSON. Halves of surrogate pairs, which have no UTF-8, are
    written as `\\ud83d`; `read_object` reads them back.
    """
    check_json(data)
    return _HALF.sub(lambda half: f"\\u{ord(half.group()):04x}", canonical_json(data))


def read_object(data: str | bytes | Mapping[str, Any], *, what: str) -> dict[str, Any]:
    """A JSON object: its text, or what a JSON reader made of it. `what` names it in sentences.

    Raises `StateError` when it is larger than 20 MB, nested deeper than 200, no JSON object, or
    when a key stands twice, or a number is not finite. Reading runs nothing of it.
    """
    if isinstance(data, (str, bytes)):
        value = _parse(data, what)
    elif isinstance(data, Mapping):
        value = dict(data)
    else:
        raise StateError(
            f"{what}: expected JSON text or an object, got a value of type {type(data).__name__}."
        )
    if not isinstance(value, dict):
        raise StateError(f"{what}: expected a JSON object, got {shown(value)}.")
    check_json(value, what=what)
    return value


def check_json(data: Any, *, what: str = "The data") -> None:
    """Raise `StateError` when `data` is no JSON, nested too deeply, or too large."""
    waiting: list[tuple[Any, int]] = [(data, 0)]
    size = 0
    while waiting:
        value, depth = waiting.pop()
        if depth > MOST_NESTED:
            raise StateError(f"{what}: it is nested deeper than {MOST_NESTED} levels.")
        size += 8
        if isinstance(value, str):
            size += len(value)
        elif isinstance(value, float):
            if not math.isfinite(value):
                raise StateError(f"{what}: {value} is not a number that JSON has.")
        elif isinstance(value, Mapping):
            for key in value:
                if not isinstance(key, str):
                    raise StateError(f"{what}: the key {shown(key)} is no text.")
                size += len(key)
            waiting.extend((item, depth + 1) for item in value.values())
        elif isinstance(value, (list, tuple)):
            waiting.extend((item, depth + 1) for item in value)
        elif value is not None and not isinstance(value, int):
            raise StateError(f"{what}: a value of type {type(value).__name__} is no JSON.")
        if size > MOST_BYTES:
            raise StateError(f"{what}: it is larger than {MOST_BYTES // 1_000_000} MB.")


def _parse(data: str | bytes, what: str) -> Any:
    if len(data) > MOST_BYTES:
        raise StateError(f"{what}: it is larger than {MOST_BYTES // 1_000_000} MB.")
    if isinstance(data, bytes):
        if data[:1] == b"\x80" or data[:2] == b"PK":
            raise StateError(
                f"{what}: it is a pickle or an archive, which could run code when it is opened, "
                "so it is not opened. Save it as JSON: in DSPy program.save(“state.json”)."
            )
        try:
            data = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise StateError(f"{what}: it is no UTF-8 text (byte {error.start}).") from None

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        read = dict(pairs)
        if len(read) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise StateError(f"{what}: the key “{twice[:80]}” stands twice.")
        return read

    def no_constant(name: str) -> Any:
        raise StateError(f"{what}: {name} is not a number that JSON has.")

    try:
        return json.loads(data, object_pairs_hook=once, parse_constant=no_constant)
    except RecursionError:
        raise StateError(f"{what}: it is nested deeper than {MOST_NESTED} levels.") from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise StateError(f"{what}: it is no JSON ({error.msg} at {place}).") from None
    except ValueError as error:
        raise StateError(f"{what}: it is no JSON ({error}).") from None


def shown(value: Any) -> str:
    """A value as it stands in a sentence: quoted, not too long."""
    text = repr(value)
    return f"“{text}”" if len(text) <= 60 else f"“{text[:59]}…”"
