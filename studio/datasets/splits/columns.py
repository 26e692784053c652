"""Whole columns of a version as arrays of numbers: which rows are equal, which value each has."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from threading import Lock
from typing import Any

import numpy

from studio.datasets.blocks import ABSENT, Content
from studio.datasets.splits.splitting import Numbers, label_text
from studio.datasets.table import Table
from studio.datasets.uploading.judging import text_of

MOST_NAMES = 1_000
"""A column with more different values has no names, only keys."""
_KEPT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Keys:
    """A number for each row: equal where these columns are equal, case and blanks aside."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """The different values of a column, and for each row which of them it has."""

    column: str


Wanted = Keys | Names


@dataclass(frozen=True, slots=True)
class Named:
    """A column by its different values, in the order in which they come."""

    names: tuple[str, ...]
    """Empty when there are more than `MOST_NAMES`."""
    ids: Numbers
    """For each row the index of its name."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The rows that are there: their numbers, and what they are for."""

    numbers: Numbers
    splits: Numbers
    """Indices in `SPLITS`."""


def standing(table: Table) -> Standing:
    """All rows of the version."""
    codes = numpy.frombuffer(b"".join(spot.splits for spot in table.spots), numpy.uint8)
    spans = [numpy.arange(spot.start, spot.end) for spot in table.spots]
    numbers = numpy.concatenate(spans) if spans else numpy.arange(0)
    there = codes != ABSENT
    return Standing(numbers[there], codes[there])


def codes_of(table: Table, splits: Numbers) -> dict[int, bytes]:
    """The bytes of `Place.splits` by start, for other splits of the rows that are there."""
    codes = numpy.frombuffer(b"".join(spot.splits for spot in table.spots), numpy.uint8).copy()
    codes[codes != ABSENT] = splits
    found, at = {}, 0
    for spot in table.spots:
        found[spot.start] = codes[at : at + len(spot.splits)].tobytes()
        at += len(spot.splits)
    return found


def read_names(table: Table, column: str) -> Named:
    """See `Names`; rows are in order."""
    wanted = Names(column)
    found: Named = read(table, [wanted])[wanted]
    return found


def read(table: Table, wanted: Iterable[Wanted]) -> dict[Wanted, Any]:
    """What is wanted of the version's rows, reading each block once.

    What was read lately is remembered: a person looks at a plan before it is carried out.
    """
    asked = list(dict.fromkeys(wanted))
    fingerprint = _fingerprint(table)
    found = {one: _memory.get((fingerprint, one)) for one in asked}
    readers = {one: _READERS[type(one)](one) for one in asked if found[one] is None}
    if readers:
        for piece in table.pieces():
            there = [code != ABSENT for code in piece.spot.splits]
            mask = None if all(there) else there
            for reader in readers.values():
                reader.take(piece.content, mask)
    for one, reader in readers.items():
        found[one] = reader.result()
        _memory.put((fingerprint, one), found[one])
    return found


class _KeyReader:
    def __init__(self, wanted: Keys) -> None:
        self._columns = wanted.columns
        self._parts: list[Numbers] = []

    def take(self, content: Content, there: Sequence[bool] | None) -> None:
        count = content.count if there is None else sum(there)
        texts = [plain(_cells(content, name, there)) for name in self._columns]
        if len(texts) == 1:
            keys = list(map(hash, texts[0]))
        else:
            keys = list(map(hash, zip(*texts, strict=True))) if texts else [0] * count
        self._parts.append(numpy.array(keys, numpy.int64))

    def result(self) -> Numbers:
        return numpy.concatenate(self._parts) if self._parts else numpy.zeros(0, numpy.int64)


class _NameReader:
    def __init__(self, wanted: Names) -> None:
        self._column = wanted.column
        self._known: dict[str, int] = {}
        self._parts: list[Numbers] = []

    def take(self, content: Content, there: Sequence[bool] | None) -> None:
        known = self._known
        if len(known) > MOST_NAMES:
            return
        texts = list(map(label_text, _cells(content, self._column, there)))
        for text in set(texts) - known.keys():
            known[text] = -1
        if -1 in known.values():
            for text in texts:  # in the order in which they come
                if known[text] < 0:
                    known[text] = max(known.values()) + 1
        self._parts.append(numpy.array([known[text] for text in texts], numpy.int32))

    def result(self) -> Named:
        if len(self._known) > MOST_NAMES:
            return Named((), numpy.zeros(0, numpy.int32))
        ids = numpy.concatenate(self._parts) if self._parts else numpy.zeros(0, numpy.int32)
        return Named(tuple(sorted(self._known, key=self._known.__getitem__)), ids)


_READERS: dict[type[Wanted], Any] = {Keys: _KeyReader, Names: _NameReader}


def _cells(content: Content, name: str, there: Sequence[bool] | None) -> Sequence[Any]:
    cells = content.column(name)
    return cells if there is None else list(compress(cells, there))


_BLANKS = ("\t", "\n", "\v", "\f", "\r", "\x1c", "\x1d", "\x1e", "\x1f", "  ", " \0", "\0 ")


def plain(values: Sequence[Any]) -> Sequence[str]:
    """The values as texts that are equal whatever their case and blanks."""
    texts = values if set(map(type, values)) == {str} else [text_of(value) for value in values]
    # All texts at once: most columns have nothing to take out, and that is seen at a glance.
    joined = "\0".join(texts).casefold()
    if not joined.isascii() or any(blank in joined for blank in _BLANKS):
        return [" ".join(text.casefold().split()) for text in texts]
    if joined[:1] == " " or joined[-1:] == " ":
        return [text.strip() for text in joined.split("\0")]
    found = joined.split("\0")
    if len(found) != len(texts):  # one of them holds the separator itself
        return [" ".join(text.casefold().split()) for text in texts]
    return found


class _Memory:
    """The last results, as long as they are small together."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[Any, tuple[int, Any]] = OrderedDict()

    def get(self, key: Any) -> Any:
        with self._lock:
            if key not in self._known:
                return None
            self._known.move_to_end(key)
            return self._known[key][1]

    def put(self, key: Any, value: Any) -> None:
        size = value.ids.nbytes if isinstance(value, Named) else value.nbytes
        with self._lock:
            self._known[key] = (size, value)
            while sum(size for size, _value in self._known.values()) > _KEPT_BYTES:
                self._known.popitem(last=False)


_memory = _Memory()


def _fingerprint(table: Table) -> str:
    """Names the content of the version: what was read of it stays true."""
    dataset = table.dataset
    if table.number == dataset.number:
        return dataset.fingerprint
    version = dataset.versions.get(number=table.number)
    return version.fingerprint
