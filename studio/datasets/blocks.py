"""A few hundred rows as one piece of data: JSON by columns, compressed, named by its hash."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from math import isfinite
from typing import Any

import orjson
import zstandard

ROWS = 512
"""Rows of a block at the most: an edit writes one block anew, and a page reads one or two."""
SIZE = 256_000
"""Characters of a block, unless a single row has more."""
ABSENT = 255
"""In `Place.splits`: the row is not there, because it was left out or deleted."""
_LEVEL = 1
_LARGEST = 512 * 1024 * 1024
_PLAIN = {str, bool, int, float, type(None)}
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Content:
    """The values of a block's rows."""

    columns: tuple[str, ...]
    cells: tuple[Sequence[Any], ...]
    """For each column the values of all rows; None where a row has none."""

    @property
    def count(self) -> int:
        """Rows, also absent ones."""
        return len(self.cells[0]) if self.cells else 0

    def row(self, index: int) -> dict[str, Any]:
        """The values of one row by column, without those it does not have."""
        found = zip(self.columns, (column[index] for column in self.cells), strict=True)
        return {name: value for name, value in found if value is not None}

    def column(self, name: str) -> Sequence[Any]:
        """The values of one column; Nones when the block does not have it."""
        if name in self.columns:
            return self.cells[self.columns.index(name)]
        return [None] * self.count

    def with_cells(self, changed: Mapping[int, Mapping[str, Any]]) -> Content:
        """With other values, by index and column; new columns stand at the end."""
        known = dict.fromkeys(self.columns)
        names = [*known, *(n for n in _names(changed.values()) if n not in known)]
        cells = {name: list(self.column(name)) for name in names}
        for index, values in changed.items():
            for name, value in values.items():
                cells[name][index] = value
        return Content(tuple(names), tuple(cells[name] for name in names))

    def with_rows(self, rows: Sequence[Mapping[str, Any]]) -> Content:
        """With more rows at its end."""
        names = [*self.columns, *(n for n in _names(rows) if n not in self.columns)]
        added = ([row.get(name) for row in rows] for name in names)
        old = (self.column(name) for name in names)
        return Content(tuple(names), tuple([*a, *b] for a, b in zip(old, added, strict=True)))


NOTHING = Content((), ())


def _names(rows: Any) -> Iterator[str]:
    return iter(dict.fromkeys(name for row in rows for name in row))


def encode(content: Content) -> tuple[str, bytes]:
    """Its hash, and what is stored of it.

    Raises `ValueError` for numbers that JSON does not have and for halves of characters.
    """
    columns = _to_json(list(content.columns)).encode()
    cells = b",".join(map(_column, content.cells))
    text = b'{"columns":%b,"cells":[%b]}' % (columns, cells)
    return sha256(text).hexdigest(), zstandard.compress(text, _LEVEL)


def _column(values: Sequence[Any]) -> bytes:
    """The JSON of one column, on the fast road where that says the same.

    orjson writes null for numbers that JSON does not have, and refuses whole numbers of more than
    64 bits.
    """
    kinds = set(map(type, values))
    if kinds <= _PLAIN and (float not in kinds or all(map(isfinite, filter(_is_float, values)))):
        with suppress(TypeError):
            return orjson.dumps(values)
    return _to_json(values).encode()


def _is_float(value: Any) -> bool:
    return type(value) is float


def decode(data: bytes | memoryview) -> Content:
    """What `encode` was given."""
    read = json.loads(text_of(data))
    return Content(tuple(read["columns"]), tuple(read["cells"]))


def text_of(data: bytes | memoryview) -> bytes:
    """The JSON of a stored block: to look for something in it without reading it whole."""
    return bytes(zstandard.decompress(bytes(data), max_output_size=_LARGEST))


def content_of(rows: Sequence[Mapping[str, Any]]) -> Content:
    """Rows as a block's content."""
    return NOTHING.with_rows(rows)


def cut(rows: Sequence[Mapping[str, Any]], *, taken: int = 0) -> Iterator[list[Mapping[str, Any]]]:
    """Rows in pieces that fit into blocks; the first has room for `ROWS - taken` of them."""
    sizes = (sum(len(str(value)) for value in row.values()) for row in rows)
    number, filled, size = 0, taken, 0

    def place(length: int) -> int:
        nonlocal number, filled, size
        if filled and (filled >= ROWS or size + length > SIZE):
            number, filled, size = number + 1, 0, 0
        filled, size = filled + 1, size + length
        return number

    placed = [(place(length), row) for length, row in zip(sizes, rows, strict=True)]
    for _number, group in groupby(placed, key=lambda pair: pair[0]):
        yield [row for _place, row in group]
