"""Sheets of Excel workbooks (.xlsx, .xlsm), read in a process of their own."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from studio.datasets.reading.apart import Child, run_apart
from studio.datasets.reading.batches import Batch, Gathering, Odd
from studio.datasets.reading.jsonlines import TOO_LONG, clean
from studio.datasets.reading.problems import Problem
from studio.datasets.reading.sniffing import (
    MAX_CELL,
    Format,
    Header,
    check_width,
    detect_header,
    name_columns,
)
from studio.errors import Invalid

_TITLE = "workbook"
_OLD = b"\xd0\xcf\x11\xe0"
_LOOKED_AT = 200
_NUL = Problem(kind="nul", what="It holds NUL characters.", done="They are removed.")

Cells = list[Any]


class Workbook:
    """A sheet of a workbook."""

    def __init__(self, child: Child, format_: Format) -> None:
        self.columns: list[str] = []
        self.problems: list[Problem] = []
        self.blank_lines = 0
        self._child = child
        line = child.output.readline()
        if not line:
            child.finish()
        self.about: dict[str, Any] = json.loads(line)
        self.sheets: list[str] = self.about["sheets"]
        """Names of all sheets that hold cells, in the order of the workbook."""
        self._width = int(self.about["width"])
        check_width(self._width)
        self._odd_cells: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for kind in ("formulas", "errors"):
            for row, column in self.about[kind]:
                self._odd_cells[row].append((column - 1 - self.about["column"], kind))
        self._rows = self._read()
        self._first: tuple[int, Cells] | None = next(self._rows, None)
        self._name_columns(format_)

    def _name_columns(self, format_: Format) -> None:
        if self._first is None:
            return
        if format_.header == "data":
            self.columns = [f"column {number}" for number in range(1, self._width + 1)]
        else:
            names = ["" if cell is None else cell for cell in self._first[1]]
            names.extend([""] * (self._width - len(names)))
            self.columns, self.problems = name_columns(names)
            self._first = None
        if self.about["unlisted"]:
            count = f"{self.about['unlisted']:,} more cells"
            what = f"{count} hold errors, or formulas without a value."
            self.problems.append(Problem(kind="formula", what=what, done="They stay empty."))

    def look(self) -> list[list[str]]:
        """The first rows as text; the workbook is not to be read on then."""
        rows = [self._first] if self._first else []
        rows.extend(islice(self._rows, _LOOKED_AT))
        return [["" if cell is None else str(cell) for cell in cells] for _line, cells in rows]

    def batches(self) -> Iterator[Batch]:
        """All rows that have a cell with something in it."""
        gathering: Gathering[Cells] = Gathering(_weigh)
        line = 0
        if self._first is not None:
            line = self._first[0]
            self._add(gathering, *self._first)
        for line, cells in self._rows:
            self._add(gathering, line, cells)
            for full in gathering.full():
                yield self._batch(line, *full)
        for full in gathering.full(rest=True):
            yield self._batch(line, *full)

    def _batch(self, line: int, start: int, rows: list[Cells], odd: Odd) -> Batch:
        cells = tuple(zip(*rows, strict=True))
        part = min(1.0, line / max(1, int(self.about["height"])))
        return Batch(start, tuple(self.columns), cells, odd, part, len(rows))

    def _add(self, gathering: Gathering[Cells], line: int, cells: Cells) -> None:
        problems: list[Problem] = []
        for column, kind in self._odd_cells.get(line, ()):
            if 0 <= column < self._width:
                problems.append(replace(_ODD[kind], column=self.columns[column]))
        for index, cell in enumerate(cells):
            if isinstance(cell, str) and len(cell) > MAX_CELL:
                problems.append(replace(TOO_LONG, column=self.columns[index]))
            elif isinstance(cell, str) and clean(cell) != cell:
                cells[index] = clean(cell)
                problems.append(replace(_NUL, column=self.columns[index]))
        if any(problem.drops for problem in problems):
            cells = []
        row = [*cells, *[None] * (self._width - len(cells))]
        placed = tuple(replace(problem, line=line) for problem in problems)
        gathering.add([row], {0: placed} if placed else {}, _weigh(row))

    def _read(self) -> Iterator[tuple[int, Cells]]:
        """(number in the sheet, cells) of rows that are not empty."""
        number = 0
        for line in self._child.output:
            for cells in json.loads(line):
                number += 1
                if cells or number in self._odd_cells:
                    yield number, cells
                elif self.columns:
                    self.blank_lines += 1
        self._child.finish()


_ODD = {
    "formulas": Problem(
        kind="formula",
        what="It holds a formula without a stored value.",
        done="It stays empty. Open the workbook in a spreadsheet and save it: that stores values.",
    ),
    "errors": Problem(kind="formula", what="It holds an error.", done="It stays empty."),
}


def _weigh(row: Cells) -> int:
    return sum(len(cell) if isinstance(cell, str) else 8 for cell in row if cell is not None)


@contextmanager
def open_workbook(path: Path, format_: Format) -> Iterator[Workbook]:
    """Open a sheet. Raises `Invalid` when there is none such, or the file is no workbook."""
    with path.open("rb") as file:
        if file.read(len(_OLD)) == _OLD:
            raise Invalid(
                "This is an old Excel file (.xls), or a workbook with a password. Save it as "
                ".xlsx without a password, or as CSV."
            )
    with run_apart("workbook.py", _TITLE, str(path), format_.sheet) as child:
        yield Workbook(child, format_)


def detect_sheet(path: Path) -> tuple[str, Header, list[Problem]]:
    """(sheet, what its first row holds, what there is to say about the workbook)."""
    with open_workbook(path, Format(kind="xlsx", header="data")) as book:
        rows = book.look()
        about = book.about
    header = detect_header(rows)
    if len(rows) == 1 and header == "names":
        raise Invalid(
            f"The sheet “{about['sheet']}” has column names and no rows under them. Upload one "
            "that has."
        )
    problems: list[Problem] = []
    if about["others"]:
        names = ", ".join(f"“{name}”" for name in about["others"][:5])
        what = f"The workbook has other sheets: {names}."
        done = f"“{about['sheet']}” is read."
        problems.append(Problem(kind="sheet", what=what, done=done))
    if about["macros"]:
        done = "They are not looked at, and never run."
        problems.append(Problem(kind="sheet", what="The workbook has macros.", done=done))
    return str(about["sheet"]), header, problems
