"""JSON files: a list of objects, or an object that has one; read piece by piece."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, TextIO

from studio.datasets.reading.jsonlines import TOO_LONG, Decoder, as_object
from studio.datasets.reading.objects import FoundObject, Objects
from studio.datasets.reading.problems import Problem
from studio.datasets.reading.sniffing import MAX_CELL, name_columns
from studio.errors import Invalid

MAX_VALUE = 64 * MAX_CELL
"""Characters of one item of a list, or of one value beside it."""
_READ = 64 * 1024
_SPACE = re.compile(r"[ \t\r\n]*")
_NEAR = 64
"""An error so near to the end of what was read may be only that the rest has not been read."""


def open_list(stream: TextIO, part: Callable[[], float]) -> Objects:
    """An open JSON file. Raises `Invalid` where it is no JSON, or holds no list of objects."""
    source = Objects(part)
    text = _Text(stream)
    found: Iterator[FoundObject]
    if text.peek() == "[":
        found = (item.as_row() for item in _items(text))
    elif text.peek() == "{":
        found = _members(text, source)
    else:
        raise Invalid("The file holds a single value. Upload a JSON list of objects, [{…}, {…}].")
    source.begin(_whole(text, found))
    if not source.columns:
        raise Invalid(
            "The file holds no list of objects. Write one, such as "
            '[{"message": "Where is my parcel?", "category": "shipping"}].'
        )
    return source


@dataclass(frozen=True, slots=True)
class _Value:
    value: Any
    problems: tuple[Problem, ...]
    line: int
    size: int
    """Characters."""
    suspicious: bool
    """See `as_object`."""

    def as_row(self) -> FoundObject:
        if self.size > MAX_CELL:
            return {}, (TOO_LONG,), self.line, 0
        values, problems = as_object(self.value, self.problems, suspicious=self.suspicious)
        return values, problems, self.line, self.size


class _Text:
    """JSON that is decoded value by value."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._decoder = Decoder()
        self._text = ""
        self._at = 0
        self._ended = False
        self._line, self._counted = 1, 0
        """The line of the character at `_counted`."""

    def line(self) -> int:
        """The line of what comes next."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def peek(self) -> str:
        """The next character that is no blank; empty at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more(_READ):
                return ""

    def take(self, expected: str) -> str:
        """The next character, which must be one of `expected`."""
        found = self.peek()
        if not found or found not in expected:
            wanted = " or ".join(f"“{character}”" for character in expected)
            raise self._broken(f"{wanted} is missing" if found else "it breaks off")
        self._at += 1
        return found

    def value(self) -> _Value:
        """The next value, whatever it is."""
        self.peek()
        size, line = _READ, self.line()
        while True:
            try:
                value, end, problems = self._decoder.value(self._text, self._at)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated") or error.pos > len(self._text) - _NEAR
                if not cut or not self._more(size):
                    self._at = min(error.pos, len(self._text))
                    raise self._broken(error.msg[:1].lower() + error.msg[1:]) from None
            except RecursionError:
                raise self._broken("it is nested too deeply") from None
            else:
                whole = isinstance(value, (str, list, dict)) or end < len(self._text) - _NEAR
                if whole or not self._more(size):
                    break
            size *= 2
            if len(self._text) - self._at > MAX_VALUE:
                raise Invalid(
                    f"The value on line {self.line():,} has more than {MAX_VALUE:,} characters. "
                    "Write a list of objects, one for each row."
                )
        start, self._at = self._at, end
        suspicious = (
            self._text.find("\\u", start, end) >= 0 or self._text.find('""', start, end) >= 0
        )
        return _Value(value, problems, line, end - start, suspicious)

    def _more(self, size: int) -> bool:
        """Read on; False at the end of the file."""
        if self._ended or not (read := self._stream.read(size)):
            self._ended = True
            return False
        self.line()
        self._text = self._text[self._at :] + read
        self._at = self._counted = 0
        return True

    def _broken(self, why: str) -> Invalid:
        return Invalid(
            f"The file is not JSON: on line {self.line():,}, {why}. Repair it, or write JSON "
            "lines (one object a line): there, a broken line costs one row."
        )


def _whole(text: _Text, found: Iterator[FoundObject]) -> Iterator[FoundObject]:
    yield from found
    if text.peek():
        raise Invalid(
            f"On line {text.line():,} something stands behind the end of the JSON. If there is "
            "an object on each line, name the file .jsonl."
        )


def _items(text: _Text) -> Iterator[_Value]:
    """The values of a list."""
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        return
    while True:
        yield text.value()
        if text.take(",]") == "]":
            return


def _members(text: _Text, source: Objects) -> Iterator[FoundObject]:
    """The rows in an object: its one list of objects, or its `columns` and `data`."""
    columns: list[str] = []
    rows = ""
    passed_over: list[str] = []
    text.take("{")
    while text.peek() != "}":
        name = text.value().value
        if not isinstance(name, str):
            raise Invalid(f"The file is not JSON: a name is missing on line {text.line():,}.")
        text.take(":")
        if text.peek() == "[":
            found, values = _look_into(text, columns)
            if found is not None:
                if rows:
                    raise Invalid(
                        f"The file has two lists of rows, “{rows}” and “{name[:80]}”. Upload "
                        "each as a file of its own."
                    )
                rows = name[:80]
                yield from found
            elif name == "columns" and values and not rows:
                columns, source.problems = name_columns(values)
            elif name != "index":
                passed_over.append(name)
        else:
            text.value()
            passed_over.append(name)
        if text.peek() != "}":
            text.take(",")
    text.take("}")
    if not rows:
        raise Invalid(
            "The file holds one object and no list of objects in it. Write a list, [{…}, {…}], "
            "with an object for each row."
        )
    if passed_over:
        names = ", ".join(f"“{name[:40]}”" for name in passed_over[:5])
        source.problems.append(
            Problem(
                kind="sheet",
                what=f"Beside the rows in “{rows}” the file has {names}.",
                done="Only the rows are read.",
            )
        )


def _look_into(text: _Text, columns: list[str]) -> tuple[Iterator[FoundObject] | None, list[Any]]:
    """(its rows, nothing) of a list of rows; (None, its values) of any other list."""
    items = _items(text)
    first = next(items, None)
    if first is None:
        return None, []
    found = chain([first], items)
    if isinstance(first.value, dict):
        return (item.as_row() for item in found), []
    if isinstance(first.value, list) and columns:
        return (_zipped(item, columns) for item in found), []
    return None, [item.value for item in found]


def _zipped(item: _Value, columns: list[str]) -> FoundObject:
    """A row that is a list of values, in the order of the columns."""
    value = item.value
    if isinstance(value, list) and len(value) == len(columns):
        return replace(item, value=dict(zip(columns, value, strict=True))).as_row()
    count = f"{len(value)} values" if isinstance(value, list) else "no list of values"
    what = f"It has {count}; there are {len(columns)} columns."
    wrong = Problem(kind="long", what=what, done="The row is left out.", drops=True)
    return {}, (wrong,), item.line, 0
