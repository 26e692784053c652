"""Rows as CSV and JSON lines, line by line, for files that people take away.

A spreadsheet runs a cell that begins with `=`, `+`, `-`, `@`, a tab or a line end as a formula.
In CSV such a cell gets an apostrophe in front of it, unless it is a plain number; so does one
that begins with an apostrophe and such a character, so that taking the first apostrophe off gives
the cell back. JSON lines hold everything as it is.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?\Z", re.ASCII)
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class _Line:
    """What `csv.writer` writes to: keeps the line at hand."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def csv_lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A line with the column names, and one for each row; formulas are neutralised.

    Lists and objects are written as JSON, and a value that a row does not have as nothing.
    """
    line = _Line()
    write = csv.writer(line, lineterminator="\r\n").writerow
    write([inert(name) for name in columns])
    yield line.text
    for row in rows:
        write([inert(as_text(row.get(name))) for name in columns])
        yield line.text


def jsonl_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """An object a line."""
    for row in rows:
        yield _to_json(row) + "\n"


def as_text(value: Any) -> str:
    """A value as a cell of CSV."""
    if isinstance(value, str):
        return value
    return "" if value is None else _to_json(value)


def inert(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.match(text) else text


def live(text: str) -> str:
    """What `inert` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
