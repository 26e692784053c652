"""Rows that somebody looks for: read block by block, for a moment at a time."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from studio.datasets.blocks import ABSENT, decode, text_of
from studio.datasets.browsing.filtering import Query
from studio.datasets.browsing.indexing import Index
from studio.datasets.models import Block, Dataset
from studio.datasets.splits.sealing import TEST, visible_splits
from studio.datasets.table import SPLITS, Row, Spot, Table

MOMENT = 0.08
"""Seconds that a search computes in one request; the next one goes on from there."""
PATIENCE = 1.5
"""So many times as long it may take where others want the processor or the database is slow."""
FIRST_BLOCKS = 2
MOST_BLOCKS = 16
"""Blocks that are read with one query: few at first, as most searches end there."""


@dataclass(frozen=True, slots=True)
class Found:
    """Rows that fit, and how far was looked."""

    rows: tuple[Row, ...]
    """In the order of the table, also when it was gone through backwards."""
    looked: int
    """Rows that were looked through until now, from the beginning of the table."""
    cursor: int | None
    """Where to go on; None: there is nothing left."""
    ended: bool
    """Enough rows were found, or nothing is left. Otherwise the time was over."""


class Deadline:
    """When a request has to answer."""

    def __init__(self, seconds: float = MOMENT) -> None:
        self._computed = time.thread_time() + seconds
        self._end = time.monotonic() + PATIENCE * seconds

    def over(self) -> bool:
        """Whether that time has come."""
        return time.thread_time() >= self._computed or time.monotonic() >= self._end


def visible_table(dataset: Dataset, number: int | None = None) -> Table:
    """A version for people: what is sealed test data now is so in older versions too."""
    table = Table(dataset, number)
    if dataset.sealed and table.number != dataset.number:
        now = Table(dataset)
        table.spots = tuple(_as_sealed(spot, now) for spot in table.spots)
    return table


def open_splits(dataset: Dataset, split: str = "") -> tuple[str, ...]:
    """The splits to look at: the one that was asked for, or all; never what is sealed."""
    return tuple(one for one in visible_splits(dataset) if split in ("", one))


def search(
    table: Table, query: Query, *, limit: int, start: int = 0, deadline: Deadline | None = None
) -> Found:
    """Rows that fit, from the row number `start` on; at least one block is looked at."""
    deadline = deadline or Deadline()
    spots = [spot for spot in table.spots if spot.end > start]
    rows: list[Row] = []
    for at, found in walk(table, query, spots, deadline):
        rows += [row for row in found if row.number >= start]
        if len(rows) > limit:
            here = rows[limit].number
            return Found(tuple(rows[:limit]), rows_before(table, here), here, ended=True)
        if deadline.over() and at + 1 < len(spots):
            cursor = spots[at + 1].start
            return Found(tuple(rows), rows_before(table, cursor), cursor, ended=False)
    return Found(tuple(rows), table.count(), None, ended=True)


def search_back(
    table: Table, query: Query, *, limit: int, end: int, deadline: Deadline | None = None
) -> Found:
    """Rows that fit before the row number `end`: the last ones of them."""
    deadline = deadline or Deadline()
    spots = [spot for spot in reversed(table.spots) if spot.start < end]
    rows: list[Row] = []
    for at, found in walk(table, query, spots, deadline):
        rows = [row for row in found if row.number < end] + rows
        if len(rows) > limit:
            rows = rows[len(rows) - limit :]
            cursor = rows[0].number if rows else end
            return Found(tuple(rows), rows_before(table, end), cursor, ended=True)
        if deadline.over() and at + 1 < len(spots):
            return Found(tuple(rows), rows_before(table, end), spots[at].start, ended=False)
    return Found(tuple(rows), rows_before(table, end), None, ended=True)


def find_rows(
    dataset: Dataset,
    *,
    splits: Collection[str] = (),
    text: str = "",
    number: int | None = None,
    skip: int = 0,
    limit: int = 50,
) -> tuple[list[Row], bool]:
    """Rows with a text in one of their cells, after the first `skip`; and whether there are more.

    It looks for a second at the most, and never at a sealed test split.
    """
    table = visible_table(dataset, number)
    wanted = tuple(one for one in visible_splits(dataset) if not splits or one in splits)
    query = Query(text=text, splits=wanted)
    if not query.reads_values:
        taken = list(islice(numbers_of(table, query.codes, skip=skip), limit + 1))
        return table.at(taken[:limit]), len(taken) > limit
    found = search(table, query, limit=skip + limit, deadline=Deadline(1.0))
    return list(found.rows[skip:]), found.cursor is not None


def numbers_of(table: Table, codes: bytes, *, skip: int = 0) -> Iterator[int]:
    """The numbers of rows of these splits, without the first `skip` of them."""
    for spot in table.spots:
        there = count_of(spot, codes)
        if skip >= there:
            skip -= there
            continue
        for index, code in enumerate(spot.splits):
            if code in codes:
                if skip:
                    skip -= 1
                else:
                    yield spot.start + index


def next_row(table: Table, splits: Collection[str], number: int, step: int) -> int | None:
    """The number of the row that comes after one (`step` 1) or before it (-1)."""
    codes = Query(splits=tuple(splits)).codes
    spots = table.spots if step > 0 else table.spots[::-1]
    for spot in spots:
        if spot.end <= number if step > 0 else spot.start > number:
            continue
        numbers = range(spot.start, spot.end)[::step]
        for one in numbers:
            if (one - number) * step > 0 and spot.splits[one - spot.start] in codes:
                return one
    return None


def count_of(spot: Spot, codes: bytes) -> int:
    """Rows of a place that are of these splits."""
    return sum(map(spot.splits.count, codes))


def count_rows(table: Table, query: Query) -> int:
    """Rows of the query's splits."""
    return sum(count_of(spot, query.codes) for spot in table.spots)


def matches_of(
    block: bytes | memoryview, spot: Spot, query: Query, only: Collection[int] | None = None
) -> Iterator[Row]:
    """The rows of a stored block that fit, of all or only of those at some indices."""
    if query.cannot_be_in(text_of(block)):
        return
    content = decode(block)
    for index in query.matches(content, spot.splits, only):
        split = SPLITS[spot.splits[index]].value
        yield Row(spot.start + index, content.row(index), split)


def walk(
    table: Table, query: Query, spots: Sequence[Spot], deadline: Deadline
) -> Iterator[tuple[int, list[Row]]]:
    """For places in turn their index among `spots` and the rows of them that fit.

    Places that hold nothing are passed over, but for those at which the time is over.
    """
    index = Index(table.dataset, query)
    waiting: list[int] = []
    size = FIRST_BLOCKS
    for at, spot in enumerate(spots):
        if count_of(spot, query.codes) and index.may_hold(spot.block):
            waiting.append(at)
        last = at + 1 == len(spots)
        if len(waiting) == size or (waiting and last) or deadline.over():
            yield from _read([(one, spots[one]) for one in waiting], query)
            if deadline.over():
                yield at, []
            waiting, size = [], min(MOST_BLOCKS, size * 2)


def _read(places: Sequence[tuple[int, Spot]], query: Query) -> Iterator[tuple[int, list[Row]]]:
    blocks = dict(
        Block.objects.filter(pk__in={spot.block for _at, spot in places}).values_list("pk", "data")
    )
    for at, spot in places:
        yield at, list(matches_of(blocks[spot.block], spot, query))


def rows_before(table: Table, number: int) -> int:
    """Rows that are there before that number."""
    found = 0
    for spot in table.spots:
        if spot.start >= number:
            break
        codes = spot.splits[: number - spot.start]
        found += len(codes) - codes.count(ABSENT)
    return found


def _as_sealed(spot: Spot, now: Table) -> Spot:
    """With the byte of test for all rows that are for test in `now`."""
    there = now.spot_of(spot.start)
    if there is None or there == spot or TEST not in there.splits:
        return spot
    codes = bytearray(spot.splits)
    for index, code in enumerate(there.splits[: len(codes)]):
        if code == TEST and codes[index] != ABSENT:
            codes[index] = TEST
    return Spot(spot.start, spot.block, bytes(codes))
