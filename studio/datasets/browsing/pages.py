"""One page of rows: of all, of those that fit, or of either in the order of a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np

from studio.datasets.browsing.filtering import Query
from studio.datasets.browsing.finding import find_all
from studio.datasets.browsing.ordering import Numbers, codes_of, sort
from studio.datasets.browsing.searching import (
    MOMENT,
    Deadline,
    count_rows,
    numbers_of,
    search,
    search_back,
)
from studio.datasets.models import Chore
from studio.datasets.table import Row, Table

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to see."""

    query: Query = field(default_factory=Query)
    column: str = ""
    """Sorted by it; empty: in the order of the row numbers."""
    down: bool = False
    start: int = 0
    """Where the page begins: rows before it, or a row number in a search that is not sorted."""
    end: int | None = None
    """The row number where the page ends, for going back in such a search."""
    limit: int = PAGE_ROWS
    seconds: float = MOMENT

    @property
    def is_search(self) -> bool:
        """Whether cells are looked at."""
        return self.query.reads_values


@dataclass(frozen=True, slots=True)
class Page:
    """What there is to see."""

    rows: Sequence[Row]
    before: int | None
    """Where the page before ends; None: this is the first one."""
    after: int | None
    """Where the next page begins, or where to look further; None: there is nothing more."""
    looked: int
    """Rows that were looked through."""
    of: int
    """Rows that there are to look through."""
    ended: bool = True
    """Nothing more is to be put on this page. Otherwise the time was over: look further."""
    start: int | None = None
    """Rows before the first one; None: nobody has counted them."""
    chore: Chore | None = None
    """The sorting that has to be waited for."""


def browse(table: Table, wish: Wish) -> Page:
    """The page; it takes about as long as the wish allows, however many rows there are."""
    if not wish.column:
        return _search(table, wish) if wish.is_search else _plain(table, wish)
    found = find_all(table, wish.query, Deadline(wish.seconds)) if wish.is_search else None
    if found and not found.ended:
        there = sum(table.counts().values())
        return Page((), None, wish.start, found.looked, there, ended=False)
    order = sort(table, wish.column)
    if isinstance(order, Chore):
        return replace(_plain(table, replace(wish, query=Query(splits=()))), chore=order)
    codes = codes_of(table)
    numbers = order.down() if wish.down else order.numbers
    wanted = np.isin(codes, np.frombuffer(wish.query.codes, np.uint8))
    numbers = numbers[wanted[numbers]]
    if found:
        numbers = numbers[np.isin(numbers, found.numbers)]
    return _cut(table, wish, numbers)


def _plain(table: Table, wish: Wish) -> Page:
    codes = wish.query.codes
    there = count_rows(table, wish.query)
    start = _start(wish, there)
    rows = table.at(islice(numbers_of(table, codes, skip=start), wish.limit))
    return _counted(rows, start, there)


def _cut(table: Table, wish: Wish, numbers: Numbers) -> Page:
    start = _start(wish, len(numbers))
    rows = table.at(map(int, numbers[start : start + wish.limit]))
    return _counted(rows, start, len(numbers))


def _start(wish: Wish, there: int) -> int:
    """Where the page begins; the last one, when there are not so many."""
    size = max(1, wish.limit)
    return min(wish.start, max(0, there - 1) // size * size)


def _counted(rows: Sequence[Row], start: int, there: int) -> Page:
    after = start + len(rows)
    return Page(rows, start or None, after if after < there else None, after, there, start=start)


def _search(table: Table, wish: Wish) -> Page:
    deadline = Deadline(wish.seconds)
    there = sum(table.counts().values())
    if wish.end is not None:
        found = search_back(table, wish.query, limit=wish.limit, end=wish.end, deadline=deadline)
        after = wish.end
        return Page(found.rows, found.cursor, after, found.looked, there, found.ended)
    found = search(table, wish.query, limit=wish.limit, start=wish.start, deadline=deadline)
    before = wish.start or None
    return Page(found.rows, before, found.cursor, found.looked, there, found.ended)
