"""What crosses the border of the sandbox: JSON of a bounded size, and nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from studio.engine.errors import SandboxError, SandboxLimit
from studio.engine.sandbox.base import LARGEST_INPUT

DEEPEST = 100
"""Lists and dicts inside one another."""
_MOST_BITS = 14_000
"""Of a whole number: Python writes no longer ones as text."""


def check_input(name: str, value: Any) -> int:
    """How many characters `value` has as JSON; raises `SandboxError` when it is none.

    `name` says in the error's sentence what it is.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except UnicodeEncodeError:
        raise SandboxError(f"{name} has half of a character (a lone surrogate).") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise SandboxError(f"{name} is no JSON: {error}.") from None
    if len(text) > LARGEST_INPUT:
        raise SandboxLimit(
            f"{name} has {len(text):,} characters as JSON; {LARGEST_INPUT:,} are the most."
        )
    return len(text)


def read_out(value: Any, *, most_chars: int, what: str = "The code's value") -> tuple[Any, int]:
    """`value`, which came out of the sandbox, as JSON, and about how many characters it has.

    Tuples become lists, dates ISO texts. The walk ends when more than `most_chars` have been
    seen, so that a small value that refers to itself a million times over costs nothing. Raises
    `SandboxLimit` then, and `SandboxError` for what is no JSON.
    """
    reader = _Reader(most_chars, what)
    return reader.read(value, 0), reader.seen


class _Reader:
    def __init__(self, most_chars: int, what: str) -> None:
        self.most_chars, self.what, self.seen = most_chars, what, 0

    def read(self, value: Any, depth: int) -> Any:
        if depth > DEEPEST:
            raise SandboxLimit(f"{self.what} has more than {DEEPEST} lists inside one another.")
        match value:
            case None | bool():
                self._count(5)
                return value
            case str():
                self._count(len(value) + 2)
                return value
            case int():
                if value.bit_length() > _MOST_BITS:
                    raise SandboxLimit(f"{self.what} is a whole number of more than 4,000 digits.")
                self._count(len(str(value)))
                return value
            case float():
                if not math.isfinite(value):
                    raise SandboxError(f"{self.what} is {value}, which JSON has no number for.")
                self._count(len(repr(value)))
                return value
            case list() | tuple():
                self._count(2)
                return [self._item(item, depth) for item in value]
            case dict():
                self._count(2)
                return self._dict(value, depth)
            case date() | datetime() | time():
                return self.read(value.isoformat(), depth)
        raise SandboxError(
            f"{self.what} is a {_type_name(value)}, which is no JSON: "
            "return a text, a number, true or false, a list or a dict."
        )

    def _item(self, item: Any, depth: int) -> Any:
        self._count(1)
        return self.read(item, depth + 1)

    def _dict(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, item in value.items():
            if type(key) is int:
                key = self.read(key, depth) if key.bit_length() > _MOST_BITS else str(key)
            if not isinstance(key, str):
                raise SandboxError(
                    f"{self.what} has a {_type_name(key)} as a key; keys are texts."
                )
            self._count(len(key) + 3)
            found[key] = self._item(item, depth)
        return found

    def _count(self, chars: int) -> None:
        self.seen += chars
        if self.seen > self.most_chars:
            raise SandboxLimit(
                f"{self.what} has more than the {self.most_chars:,} characters allowed."
            )


def _type_name(value: Any) -> str:
    """The name of the type as the code knows it."""
    name = getattr(value, "name", "") if type(value).__name__.startswith("Monty") else ""
    return str(name or type(value).__name__)[:80]
