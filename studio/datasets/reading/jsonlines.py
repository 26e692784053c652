"""Objects out of JSON, and why there is none; what JSON can hold and a dataset cannot."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, TextIO

from studio.datasets.reading.problems import Problem
from studio.datasets.reading.sniffing import MAX_CELL, MAX_NAME

TOO_LONG = Problem(
    kind="huge",
    what=f"A cell is longer than {MAX_CELL:,} characters.",
    done="The row is left out.",
    drops=True,
)
Found = tuple[dict[str, Any], tuple[Problem, ...]]
"""An object's values, and what is wrong with it."""


def bounded_lines(stream: TextIO) -> Iterator[tuple[int, str, bool]]:
    """(line, text, too long); of a line that is too long only the beginning."""
    number = 0
    while text := stream.readline(MAX_CELL + 1):
        number += 1
        too_long = len(text) > MAX_CELL
        rest = text
        while too_long and not rest.endswith(("\n", "\r")):
            rest = stream.readline(MAX_CELL + 1)
            if not rest:
                break
        yield number, text, too_long


class Decoder:
    """Decodes JSON and takes note of what no JSON should hold."""

    def __init__(self) -> None:
        self._twice: list[str] = []
        self._no_numbers: list[str] = []
        fast = json.JSONDecoder(
            parse_constant=self._no_number, parse_float=self._float, object_pairs_hook=self._object
        )
        careful = json.JSONDecoder(
            parse_constant=self._no_number,
            parse_float=self._float,
            parse_int=self._int,
            object_pairs_hook=self._object,
        )
        self._decoders = (fast, careful)

    def value(self, text: str, start: int = 0) -> tuple[Any, int, tuple[Problem, ...]]:
        """(value, where it ends, what is wrong with it).

        Raises `json.JSONDecodeError` where there is none, and `RecursionError`.
        """
        fast, careful = self._decoders
        self._twice.clear()
        self._no_numbers.clear()
        try:
            value, end = fast.raw_decode(text, start)
        except json.JSONDecodeError:
            raise
        except ValueError:  # a number with more digits than Python reads
            self._no_numbers.clear()
            value, end = careful.raw_decode(text, start)
        problems: list[Problem] = []
        if self._no_numbers:
            problems.append(no_number(self._no_numbers[0]))
        if self._twice:
            problems.append(_no_object(f"The name “{self._twice[0][:80]}” stands twice in it."))
        return value, end, tuple(problems)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        read = dict(pairs)
        if len(read) < len(pairs):
            names = [name for name, _value in pairs]
            self._twice.extend(name for name in read if names.count(name) > 1)
        return read

    def _no_number(self, name: str) -> None:
        self._no_numbers.append(name)

    def _float(self, text: str) -> float | None:
        number = float(text)
        if math.isfinite(number):
            return number
        self._no_numbers.append(text)
        return None

    def _int(self, text: str) -> int | None:
        try:
            return int(text)
        except ValueError:
            self._no_numbers.append(text)
            return None


def read_object(text: str, decoder: Decoder | None = None) -> Found:
    """The object on a line, or a problem that says why there is none."""
    text = text.strip(" \t\r\n")
    try:
        values, end, problems = (decoder or Decoder()).value(text)
        if end < len(text):
            raise json.JSONDecodeError("Extra data", text, end)
    except json.JSONDecodeError as error:
        return {}, (_no_object(f"It is not JSON: {error.msg} at character {error.colno}."),)
    except RecursionError:
        return {}, (_no_object("It is nested too deeply."),)
    return as_object(values, problems, suspicious="\\u" in text or '""' in text)


def as_object(value: Any, problems: tuple[Problem, ...], *, suspicious: bool) -> Found:
    """A decoded value as a row with its problems, or with the one that says why it is none.

    `suspicious` says that its text has escapes or empty strings, where what no database holds
    may be.
    """
    if not isinstance(value, dict):
        hint = "It is a list" if isinstance(value, list) else "It is a single value"
        return {}, (_no_object(f"{hint}; each row is one object, {{…}}."),)
    if suspicious and (cleaned := clean(value)) != value:
        return cleaned, (*problems, _UNWRITABLE)
    return value, problems


_UNWRITABLE = Problem(
    kind="nul",
    what="It holds NUL characters, halves of characters, or a value without a name.",
    done="They are removed; the nameless value is called “unnamed”.",
)


def no_number(text: str, column: str = "") -> Problem:
    """A value that is called a number and is none."""
    shown = text if len(text) <= 40 else f"{text[:40]}…"
    has_digits = any(character.isdigit() for character in text)
    what = "is too large a number" if has_digits else "is not a number in JSON"
    return Problem(kind="number", column=column, what=f"{shown} {what}.", done="It stays empty.")


def _no_object(what: str) -> Problem:
    return Problem(kind="json", what=what, done="The row is left out.", drops=True)


LONG_NAME = _no_object(f"It has a name of more than {MAX_NAME} characters.")


def clean(value: Any) -> Any:
    """Without characters that neither UTF-8 nor Postgres can hold."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "ignore").decode()
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        return {clean(name) or "unnamed": clean(item) for name, item in value.items()}
    return value
