"""All rows that fit, for sorting them: looked for a moment at a time, and kept in between."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import zstandard

from studio.datasets.blocks import text_of
from studio.datasets.browsing.filtering import Query
from studio.datasets.browsing.searching import Deadline, rows_before, walk
from studio.datasets.models import Order
from studio.datasets.table import Table
from studio.engine.codec import content_hash

NAME = "rows that fit "
"""With the hash of the query behind it, it stands where the name of a column stands in `Order`."""
KEPT = 8
"""Such lists that a dataset keeps."""
_END = 2**32 - 1

Numbers = np.ndarray[Any, np.dtype[np.uint32]]


@dataclass(frozen=True, slots=True)
class FoundAll:
    """Numbers of rows that fit."""

    numbers: Numbers
    looked: int
    """Rows that were looked through until now."""
    ended: bool
    """There are no others. Otherwise the time was over: ask again."""


def find_all(table: Table, query: Query, deadline: Deadline) -> FoundAll:
    """The rows that fit; it goes on where it had to stop when it was asked before."""
    name = NAME + content_hash({**asdict(query), "codes": query.codes.hex()})
    start, numbers = _read(table, name)
    if start == _END:
        return FoundAll(numbers, table.count(), ended=True)
    first = start
    found: list[int] = []
    spots = [spot for spot in table.spots if spot.start >= start]
    start = _END
    for at, rows in walk(table, query, spots, deadline):
        found += [row.number for row in rows]
        if deadline.over() and at + 1 < len(spots):
            start = spots[at + 1].start
            break
    numbers = np.concatenate([numbers, np.array(found, "<u4")])
    if start != _END or first:
        _write(table, name, start, numbers)
    looked = table.count() if start == _END else rows_before(table, start)
    return FoundAll(numbers, looked, ended=start == _END)


def _read(table: Table, name: str) -> tuple[int, Numbers]:
    kept = Order.objects.filter(dataset=table.dataset, number=table.number, column=name)
    data = kept.values_list("data", flat=True).first()
    if data is None:
        return 0, np.empty(0, np.uint32)
    read = np.frombuffer(text_of(data), "<u4")
    return int(read[0]), read[1:]


def _write(table: Table, name: str, start: int, numbers: Numbers) -> None:
    data = np.concatenate([np.array([start], "<u4"), numbers]).astype("<u4").tobytes()
    _order, made = Order.objects.update_or_create(
        dataset=table.dataset,
        number=table.number,
        column=name,
        defaults={"data": zstandard.compress(data, 1)},
    )
    if made:
        kept = Order.objects.filter(dataset=table.dataset, column__startswith=NAME)
        old = kept.order_by("-created_at").values_list("pk", flat=True)[KEPT:]
        Order.objects.filter(pk__in=list(old)).delete()
