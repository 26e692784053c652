"""The rows of a version in the order of one column: made once, and mended after small changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import zstandard

from studio.datasets import chores
from studio.datasets.blocks import ABSENT, text_of
from studio.datasets.browsing.facts import as_number, is_empty
from studio.datasets.chores import Beat
from studio.datasets.models import Chore, Dataset, Order
from studio.datasets.table import Spot, Table, read_blocks
from studio.datasets.uploading.judging import text_of as cell_text

AT_ONCE_ROWS = 20_000
"""Datasets of so many rows are sorted while one waits."""
MENDED_AT_ONCE = 3
"""So many rows are put into an old order while one waits."""
MENDED = 500
"""So many rows are put into an old order; with more of them a new one is faster."""
KEPT = 2
"""Orders of a column that are kept, of the newest versions."""
PREFIX = 64
"""Bytes of a text that are compared."""

Numbers = np.ndarray[Any, np.dtype[np.uint32]]
Key = tuple[int, float, bytes]


@dataclass(frozen=True, slots=True)
class Sorted:
    """All rows by a column's values, rows that have none last."""

    numbers: Numbers
    filled: int
    """So many of them have a value."""

    def down(self) -> Numbers:
        """The other way round; rows without a value are last again."""
        return np.concatenate([self.numbers[: self.filled][::-1], self.numbers[self.filled :]])


def sort(table: Table, column: str) -> Sorted | Chore:
    """The order by a column, or the chore that a worker is making it with."""
    dataset = table.dataset
    if (found := _stored(dataset, table.number, column)) is not None:
        return found
    base = _newest_before(table, column)
    if base is not None:
        mended = _mend(base, table, column, most=MENDED_AT_ONCE)
        if mended is not None:
            return _store(table, column, mended)
    if dataset.row_count <= AT_ONCE_ROWS:
        return _store(table, column, _make(table, column, lambda _part: None))
    chore = chores.ask(dataset, Chore.Kind.ORDER, column, table.number)
    return _stored(dataset, table.number, column) or chore


def make_order(chore: Chore, beat: Beat) -> dict[str, Any]:
    """Do the chore: mend the order of a version before, or make it new."""
    table = Table(chore.dataset, chore.number)
    base = _newest_before(table, chore.about)
    order = _mend(base, table, chore.about, most=MENDED) if base is not None else None
    if order is None:
        order = _make(table, chore.about, beat)
    _store(table, chore.about, order)
    return {"rows": len(order.numbers)}


def key_of(value: Any) -> Key | None:
    """What a value is sorted by: numbers come first, texts in small letters; None: it is empty."""
    if is_empty(value):
        return None
    number = as_number(value)
    if number is not None:
        return 0, number, b""
    return 1, 0.0, cell_text(value).strip().casefold().encode()[:PREFIX].rstrip(b"\0")


def codes_of(table: Table) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The byte of `Place.splits` by row number, ABSENT where no row is."""
    end = max((spot.end for spot in table.spots), default=1)
    codes = np.full(end, ABSENT, np.uint8)
    for spot in table.spots:
        codes[spot.start : spot.end] = np.frombuffer(spot.splits, np.uint8)
    return codes


def _make(table: Table, column: str, beat: Beat) -> Sorted:
    numbers, texts, empty = _Bag(np.dtype("<f8")), _Bag(np.dtype(f"S{PREFIX}")), _Bag(None)
    for done, piece in enumerate(table.pieces()):
        start, codes = piece.spot.start, piece.spot.splits
        for index, value in enumerate(piece.content.column(column)):
            if codes[index] == ABSENT:
                continue
            key = key_of(value)
            if key is None:
                empty.add(start + index, None)
            elif key[0] == 0:
                numbers.add(start + index, key[1])
            else:
                texts.add(start + index, key[2])
        for bag in (numbers, texts, empty):
            bag.pack()
        if done % 32 == 31:
            beat(0.9 * done / len(table.spots))
    parts = [numbers.sorted(), texts.sorted(), empty.sorted()]
    return Sorted(np.concatenate(parts), len(parts[0]) + len(parts[1]))


class _Bag:
    """Row numbers and what they are sorted by, in arrays."""

    def __init__(self, kind: np.dtype[Any] | None) -> None:
        self._kind = kind
        self._rows: list[int] = []
        self._keys: list[Any] = []
        self._packed: list[tuple[Numbers, Any]] = []

    def add(self, row: int, key: Any) -> None:
        self._rows.append(row)
        self._keys.append(key)

    def pack(self) -> None:
        if self._rows:
            keys = np.array(self._keys, self._kind) if self._kind else None
            self._packed.append((np.array(self._rows, np.uint32), keys))
            self._rows, self._keys = [], []

    def sorted(self) -> Numbers:
        if not self._packed:
            return np.empty(0, np.uint32)
        rows = np.concatenate([rows for rows, _keys in self._packed])
        if self._kind is None:
            return rows
        keys = np.concatenate([keys for _rows, keys in self._packed])
        return rows[np.argsort(keys, kind="stable")]


def _stored(dataset: Dataset, number: int, column: str) -> Sorted | None:
    found = Order.objects.filter(dataset=dataset, number=number, column=column)
    data = found.values_list("data", flat=True).first()
    return None if data is None else _decode(data)


def _newest_before(table: Table, column: str) -> Order | None:
    found = Order.objects.filter(dataset=table.dataset, column=column, number__lt=table.number)
    return found.order_by("-number").first()


def _decode(data: bytes | memoryview) -> Sorted:
    read = np.frombuffer(text_of(data), "<u4")
    return Sorted(read[1:], int(read[0]))


def _store(table: Table, column: str, order: Sorted) -> Sorted:
    data = np.concatenate([np.array([order.filled], "<u4"), order.numbers]).astype("<u4").tobytes()
    Order.objects.update_or_create(
        dataset=table.dataset,
        number=table.number,
        column=column,
        defaults={"data": zstandard.compress(data, 1)},
    )
    kept = Order.objects.filter(dataset=table.dataset, column=column).order_by("-number")
    old = kept.values_list("pk", flat=True)[KEPT:]
    Order.objects.filter(pk__in=list(old)).delete()
    return order


def _mend(base: Order, table: Table, column: str, *, most: int) -> Sorted | None:
    """The order of another version with the rows that differ put where they belong.

    None when so many places differ that making it anew is faster.
    """
    then = Table(table.dataset, base.number)
    pairs = _differing(then, table)
    if len(pairs) > most:
        return None
    gone: set[int] = set()
    come: dict[int, Key | None] = {}
    for old, new in pairs:
        before, after = _keys(old, column), _keys(new, column)
        gone |= {n for n, key in before.items() if n not in after or after[n] != key}
        come |= {n: key for n, key in after.items() if n not in before or before[n] != key}
    if len(come) > most:
        return None
    order = _decode(base.data)
    numbers, filled = order.numbers, order.filled
    if gone:
        keep = np.isin(numbers, np.fromiter(gone, np.uint32), invert=True)
        filled = int(keep[:filled].sum())
        numbers = numbers[keep]
    read = _Reader(then, column)
    for number, key in sorted(come.items()):
        low, high = (0, filled) if key is not None else (filled, len(numbers))
        while low < high:
            middle = (low + high) // 2
            other = int(numbers[middle])
            if key is None:
                before_it = other < number
            else:
                there = come[other] if other in come else read(other)
                assert there is not None
                before_it = (there, other) < (key, number)
            low, high = (middle + 1, high) if before_it else (low, middle)
        numbers = np.insert(numbers, low, np.uint32(number))
        filled += key is not None
    return Sorted(numbers, filled)


class _Reader:
    """Keys of rows of a version, each block read once."""

    def __init__(self, table: Table, column: str) -> None:
        self._table = table
        self._column = column
        self._known: dict[int, Key | None] = {}

    def __call__(self, number: int) -> Key | None:
        if number not in self._known:
            row = self._table.get(number)
            self._known[number] = key_of(row.values.get(self._column)) if row else None
        return self._known[number]


def _differing(then: Table, now: Table) -> Sequence[tuple[Spot | None, Spot | None]]:
    before = {spot.start: spot for spot in then.spots}
    found: list[tuple[Spot | None, Spot | None]] = []
    for spot in now.spots:
        old = before.pop(spot.start, None)
        if old != spot and (old is None or old.block != spot.block or _there(old) != _there(spot)):
            found.append((old, spot))
    found.extend((spot, None) for spot in before.values())
    return found


def _there(spot: Spot) -> Iterable[int]:
    codes = np.frombuffer(spot.splits, np.uint8)
    return tuple(np.flatnonzero(codes == ABSENT).tolist())


def _keys(spot: Spot | None, column: str) -> dict[int, Key | None]:
    """The keys of the rows that stand at a place, by number."""
    if spot is None:
        return {}
    cells = read_blocks([spot.block])[spot.block].column(column)
    pairs = zip(spot.splits, cells, strict=True)
    return {
        spot.start + index: key_of(cell)
        for index, (code, cell) in enumerate(pairs)
        if code != ABSENT
    }
