"""The table of rows as the page shows it: columns, cells, and what leads to other rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse

from studio.datasets.browsing.filtering import OPERATORS, Condition
from studio.datasets.browsing.pages import PAGE_ROWS, Page, browse
from studio.datasets.browsing.searching import next_row, open_splits, visible_table
from studio.datasets.browsing.wishes import Address
from studio.datasets.models import Dataset
from studio.datasets.table import Row, Table
from studio.datasets.uploading.judging import shorten, text_of
from studio.errors import NotFound
from studio.numerals import read_whole

SHOWN_COLUMNS = 40
SHOWN_CELL = 400


@dataclass(frozen=True, slots=True)
class Heading:
    """A column's head."""

    name: str
    url: str
    """Sorts by it, the other way round, or not any more."""
    order: str
    """`ascending`, `descending` or empty."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table."""

    row: Row
    cells: tuple[tuple[str, str], ...]
    """Column and text."""
    url: str
    """Of the row's own page."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition, in words."""

    condition: Condition
    words: str
    url: str
    """The same without it."""


@dataclass(frozen=True, slots=True)
class RowTable:
    """Everything that the table shows."""

    address: Address
    page: Page
    headings: tuple[Heading, ...]
    more_columns: int
    lines: tuple[Line, ...]
    filters: tuple[Filter, ...]
    have: int
    """Rows that the page had already, when it was asked to look further."""

    @property
    def count(self) -> int:
        """Rows on the page."""
        return self.have + len(self.lines)

    @property
    def further(self) -> str:
        """The address that goes on with this page; empty: it is whole."""
        if self.page.ended:
            return ""
        return self._beside().url(have=self.count)

    @property
    def look_further(self) -> str:
        """The same as a page of its own, for browsers without JavaScript."""
        return "" if self.page.ended else self._beside().url()

    def _beside(self) -> Address:
        address, page = self.address, self.page
        if address.is_counted:
            return address
        if address.before is not None:
            return _moved(address, before=page.before)
        return _moved(address, after=page.after)

    @property
    def previous(self) -> str:
        """The address of the page before."""
        address, page = self.address, self.page
        if not page.ended or page.before is None:
            return ""
        if page.start is not None:
            return _moved(address, page=max(1, _page_of(page) - 1)).url()
        return _moved(address, before=page.before).url()

    @property
    def next(self) -> str:
        """The address of the next page."""
        address, page = self.address, self.page
        if not page.ended or page.after is None:
            return ""
        if page.start is not None:
            return _moved(address, page=_page_of(page) + 1).url()
        return _moved(address, after=page.after).url()

    @property
    def unsorted(self) -> str:
        """The address of the same in the order of the row numbers."""
        return replace(self.address.at_start(), sort="").url()

    @property
    def first(self) -> int:
        """The first row's place, from 1, where rows are counted."""
        return (self.page.start or 0) + 1

    @property
    def last(self) -> int:
        """The last row's place."""
        return (self.page.start or 0) + len(self.lines)


def make_table(
    dataset: Dataset, address: Address, *, have: int = 0, hidden: Sequence[str] = ()
) -> RowTable:
    """The table at an address. Raises `NotFound` for a version that is not there."""
    table = visible_table(dataset, address.version)
    page = browse(table, address.wish(dataset, limit=PAGE_ROWS - have))
    wanted = [
        name
        for name in table.columns
        if (name in address.columns if address.columns else name not in hidden)
    ]
    columns = wanted[:SHOWN_COLUMNS]
    return RowTable(
        address=address,
        page=page,
        headings=tuple(_heading(address, name) for name in columns),
        more_columns=len(wanted) - len(columns),
        lines=tuple(_line(dataset, address, row, columns) for row in page.rows),
        filters=tuple(
            Filter(one, _words(one), address.without(one).url()) for one in address.conditions
        ),
        have=have,
    )


def find_row(
    dataset: Dataset, number: int, version: int | None = None
) -> tuple[Row, int | None, int | None]:
    """A row, and the numbers of the rows before and after it. Raises `NotFound`."""
    table = visible_table(dataset, version)
    splits = open_splits(dataset)
    one = table.get(number)
    if one is None or one.split not in splits:
        which = f" in version {version}" if version else ""
        raise NotFound(
            f"There is no row {number} in “{dataset.name}”{which}"
            + (", or it is part of the sealed test split." if dataset.sealed else ".")
        )
    return one, next_row(table, splits, number, -1), next_row(table, splits, number, 1)


def hidden_columns(dataset: Dataset) -> list[str]:
    """The column that the splits came from: the table has one for them already."""
    chosen = dataset.report.get("choices", {})
    return [str(chosen["split_column"])] if chosen.get("split_by") == "column" else []


def columns_at(dataset: Dataset, version: str) -> list[str]:
    """The columns of the version that an address names; raises `NotFound` when there is none."""
    number = read_whole(version)
    return list(dataset.columns) if number is None else Table(dataset, number).columns


def _moved(address: Address, **where: int | None) -> Address:
    return replace(
        address,
        page=where.get("page") or 1,
        after=where.get("after"),
        before=where.get("before"),
    )


def _page_of(page: Page) -> int:
    return (page.start or 0) // PAGE_ROWS + 1


def _heading(address: Address, name: str) -> Heading:
    orders = {name: "ascending", f"-{name}": "descending"}
    return Heading(name, address.sorted_by(name).url(), orders.get(address.sort, ""))


def _line(dataset: Dataset, address: Address, row: Row, columns: Sequence[str]) -> Line:
    url = reverse("datasets:row", args=[dataset.project.slug, dataset.slug, row.number])
    if address.version is not None:
        url += f"?version={address.version}"
    cells = tuple((name, cell_text(row.values.get(name))) for name in columns)
    return Line(row, cells, url)


def cell_text(value: Any) -> str:
    """A value as it stands in a cell."""
    return shorten(text_of(value), SHOWN_CELL)


def _words(condition: Condition) -> str:
    operator = OPERATORS[condition.operator]
    value = f" “{shorten(condition.value, 40)}”" if operator.needs_value else ""
    return f"{shorten(condition.column, 40)} {operator.label}{value}"
