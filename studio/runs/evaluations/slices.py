"""The score of parts of the rows, cut by one of the dataset's columns."""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studio.datasets.table import Table
from studio.engine.statistics import Interval, between
from studio.errors import NotFound
from studio.runs.evaluations.results import Results, RowResult, interval_of
from studio.runs.models import Run

FEWEST = 5
"""Scored rows below which nothing is said of a slice."""
BINS = 4
MOST_SLICES = 12
_FEW_NUMBERS = 6
"""So many different numbers are shown one by one."""
_FEW_TEXTS = 24
"""So many different texts are categories, if they come back."""
EMPTY = "(empty)"
OTHERS = "(others)"

Slicer = Callable[[Any], str]
"""From a cell to the name of its slice."""


@dataclass(frozen=True)
class Slice:
    """Rows that have something in common."""

    name: str
    rows: tuple[RowResult, ...]
    mean: Interval | None
    verdict: str
    """How it stands to all other rows, in words."""

    @property
    def scored(self) -> int:
        """Its rows with a score."""
        return sum(row.mean is not None for row in self.rows)

    @property
    def tone(self) -> str:
        """`better`, `worse` or nothing."""
        return self.verdict.split()[0] if self.verdict.startswith(("better", "worse")) else ""


@dataclass(frozen=True)
class Slices:
    """All rows, cut by one column."""

    column: str
    how: str
    """How it was cut, in words."""
    slices: tuple[Slice, ...]

    def named(self, name: str) -> Slice | None:
        """The slice of that name."""
        return next((one for one in self.slices if one.name == name), None)


def columns_of_run(run: Run) -> list[str]:
    """The columns of the version of the dataset that the run read; none when it is gone."""
    table = _table(run)
    return list(table.columns) if table else []


def read_slices(run: Run, results: Results, column: str) -> Slices | None:
    """The rows cut by a column; None when there is no such column."""
    cells = read_cells(run, results, column)
    if cells is None:
        return None
    how, slicer, names = cut(list(cells.values()))
    return _slices(column, how, results, {one: slicer(cell) for one, cell in cells.items()}, names)


def read_cells(run: Run, results: Results, column: str) -> dict[str, Any] | None:
    """The cell of each row by its example; None when there is no such column."""
    table = _table(run)
    if table is None or column not in table.columns:
        return None
    examples = {row.number: row.example for row in results.rows if row.number is not None}
    return {examples[row.number]: row.values.get(column) for row in table.at(examples)}


def cut(cells: Sequence[Any]) -> tuple[str, Slicer, list[str]]:
    """How to cut cells like these: in words, the slicer, and the slices' names in order."""
    told = [cell for cell in cells if cell is not None and cell != ""]
    numbers = [_number(cell) for cell in told]
    if told and all(number is not None for number in numbers):
        found = [number for number in numbers if number is not None]
        if len(set(found)) > _FEW_NUMBERS:
            return _by_size(found, _number, "", "numbers, in parts of equal size")
    texts = Counter(_text(cell) for cell in told)
    if len(texts) <= min(_FEW_TEXTS, max(2, len(told) // 2)):
        return _by_text(texts)
    lengths = [float(len(_text(cell))) for cell in told]
    return _by_size(lengths, _length, " letters", "length of the text, in parts of equal size")


def _by_text(texts: Counter[str]) -> tuple[str, Slicer, list[str]]:
    kept = [text for text, _count in texts.most_common()]
    if len(kept) > MOST_SLICES:
        kept = kept[: MOST_SLICES - 1]
    names = {text: _short(text) for text in kept}

    def name(cell: Any) -> str:
        if cell is None or cell == "":
            return EMPTY
        return names.get(_text(cell), OTHERS)

    order = list(dict.fromkeys(names.values()))
    return "its values", name, [*order, OTHERS, EMPTY]


def _by_size(
    sizes: Sequence[float], size_of: Callable[[Any], float | None], unit: str, how: str
) -> tuple[str, Slicer, list[str]]:
    ordered = sorted(sizes)
    cuts = sorted({ordered[len(ordered) * part // BINS] for part in range(1, BINS)})
    cuts = [edge for edge in cuts if edge > ordered[0]]
    bins: list[list[float]] = [[] for _ in range(len(cuts) + 1)]
    for size in ordered:
        bins[bisect_right(cuts, size)].append(size)
    names = [_range(one[0], one[-1]) + unit if one else "" for one in bins]

    def name(cell: Any) -> str:
        size = None if cell is None or cell == "" else size_of(cell)
        return EMPTY if size is None else names[bisect_right(cuts, size)]

    return how, name, [*names, EMPTY]


def _slices(
    column: str, how: str, results: Results, names: Mapping[str, str], order: Sequence[str]
) -> Slices:
    parts: dict[str, list[RowResult]] = {name: [] for name in order}
    for row in results.rows:
        parts.setdefault(names.get(row.example, EMPTY), []).append(row)
    there = {name: rows for name, rows in parts.items() if rows}
    # Each slice is looked at, so each interval is as wide as all of them together need.
    level = 1 - 0.05 / max(1, len(there))
    return Slices(
        column,
        how,
        tuple(
            Slice(name, tuple(rows), interval_of(rows), _verdict(results, rows, level))
            for name, rows in there.items()
        ),
    )


def _verdict(results: Results, rows: Sequence[RowResult], level: float) -> str:
    mine = {row.example for row in rows}
    others = [row for row in results.rows if row.example not in mine]
    if sum(row.mean is not None for row in rows) < FEWEST:
        return "too few rows to tell"
    inside, outside = interval_of(rows, level=level), interval_of(others, level=level)
    if inside is None or outside is None:
        return "nothing to compare it with"
    found = between(outside, inside)
    if found.low > 0:
        return "better than the rest"
    return "worse than the rest" if found.high < 0 else "not distinguishable from the rest"


def _table(run: Run) -> Table | None:
    if run.dataset is None:
        return None
    try:
        return Table(run.dataset, run.dataset_number)
    except NotFound:
        return None


def _number(cell: Any) -> float | None:
    if isinstance(cell, bool):
        return None
    try:
        number = float(cell)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _length(cell: Any) -> float:
    return float(len(_text(cell)))


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"


def _range(low: float, high: float) -> str:
    return f"{low:,.6g}" if low == high else f"{low:,.6g} to {high:,.6g}"
