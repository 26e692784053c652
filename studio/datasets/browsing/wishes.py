"""What the address of a page of rows says, and addresses of other pages like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import QueryDict

from studio.datasets.browsing.filtering import LONGEST_SEARCH, Condition, Query, read_conditions
from studio.datasets.browsing.pages import PAGE_ROWS, Wish
from studio.datasets.browsing.searching import open_splits
from studio.datasets.models import Dataset, Split
from studio.errors import Invalid
from studio.numerals import read_whole

LARGEST = 2**32 - 1
"""Of the numbers that an address may name."""


@dataclass(frozen=True, slots=True)
class Address:
    """What is in the address behind the `?`."""

    text: str = ""
    split: str = ""
    conditions: tuple[Condition, ...] = ()
    sort: str = ""
    """A column's name; with a minus before it the largest come first."""
    version: int | None = None
    """An older version; None: the newest."""
    columns: tuple[str, ...] = ()
    """Only these are shown; empty: all of them."""
    page: int = 1
    after: int | None = None
    """In a search that is not sorted: the row number that the page begins with."""
    before: int | None = None
    """In such a search: the row number before which the page ends."""

    @property
    def column(self) -> str:
        """The column that is sorted by."""
        return self.sort.removeprefix("-") if self.is_down else self.sort

    @property
    def is_down(self) -> bool:
        """Whether the largest come first."""
        return self.sort.startswith("-")

    @property
    def is_search(self) -> bool:
        """Whether cells are looked at."""
        return bool(self.text or self.conditions)

    @property
    def is_counted(self) -> bool:
        """Whether its pages have numbers."""
        return not self.is_search or bool(self.sort)

    def wish(self, dataset: Dataset, *, start: int | None = None, limit: int = PAGE_ROWS) -> Wish:
        """The page of rows that is meant, or so many rows from another start."""
        splits = open_splits(dataset, self.split)
        query = Query(text=self.text, splits=splits, conditions=self.conditions)
        if start is None:
            start = (self.page - 1) * PAGE_ROWS if self.is_counted else self.after or 0
        return Wish(
            query=query,
            column=self.column,
            down=self.is_down,
            start=start,
            end=None if self.is_counted else self.before,
            limit=limit,
        )

    def pairs(self) -> list[tuple[str, str]]:
        """Names and values, as a form would send them."""
        found = [("q", self.text), ("split", self.split), ("sort", self.sort)]
        for condition in self.conditions:
            found += [
                ("where", condition.column),
                ("how", condition.operator),
                ("what", condition.value),
            ]
        found += [("show", column) for column in self.columns]
        numbers = {"version": self.version, "after": self.after, "before": self.before}
        found += [(name, str(n)) for name, n in numbers.items() if n is not None]
        if self.page > 1:
            found.append(("page", str(self.page)))
        return [(name, value) for name, value in found if value or name == "what"]

    def url(self, **extra: object) -> str:
        """The address, from the `?` on."""
        more = [(name, str(value)) for name, value in extra.items()]
        return "?" + urlencode([*self.pairs(), *more])

    def at_start(self) -> Address:
        """The first page of the same."""
        return replace(self, page=1, after=None, before=None)

    def sorted_by(self, column: str) -> Address:
        """Sorted by a column: up, then down, then not any more."""
        turns = {column: f"-{column}", f"-{column}": ""}
        return replace(self.at_start(), sort=turns.get(self.sort, column))

    def without(self, condition: Condition) -> Address:
        """Without one of the filters."""
        left = tuple(one for one in self.conditions if one != condition)
        return replace(self.at_start(), conditions=left)


def read_address(params: QueryDict, columns: Sequence[str]) -> Address:
    """What the address says; raises `Invalid` for filters and columns that are none."""
    sort = params.get("sort", "")
    if sort and sort not in columns and sort.removeprefix("-") not in columns:
        raise Invalid(f"There is no column “{sort[:60]}” to sort by.")
    split = params.get("split", "")
    shown = set(params.getlist("show"))
    return Address(
        text=params.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH],
        split=split if split in Split.values else "",
        conditions=read_conditions(
            columns, params.getlist("where"), params.getlist("how"), params.getlist("what")
        ),
        sort=sort,
        version=_number(params, "version"),
        columns=tuple(column for column in columns if column in shown),
        page=max(1, _number(params, "page") or 1),
        after=_number(params, "after"),
        before=_number(params, "before"),
    )


def _number(params: QueryDict, name: str) -> int | None:
    return read_whole(params.get(name), LARGEST)
