"""Rows of CSV and JSON-lines files, one at a time, each with what is wrong with it."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from studio.datasets.jsonlines import TOO_LONG, bounded_lines, read_object
from studio.datasets.problems import Problem
from studio.datasets.sniffing import MAX_CELL, Format, check_width, name_columns
from studio.errors import Invalid

MAX_LINE = 8 * MAX_CELL
MAX_REPAIRS = 1_000
"""So many broken quotes are repaired; with more of them the file is read wrongly anyway."""


@dataclass(frozen=True, slots=True)
class ReadRow:
    """One row as it stands in the file."""

    number: int
    """From 1; the column names and empty lines do not count."""
    line: int
    values: dict[str, Any]
    """By column name. Missing cells are missing here."""
    problems: tuple[Problem, ...] = ()
    size: int = 0
    """Characters, roughly."""

    @property
    def dropped(self) -> bool:
        """Something is wrong with it that nobody can repair."""
        return any(problem.drops for problem in self.problems)


class Table:
    """An open file: `columns`, and its rows when iterated (once)."""

    def __init__(self, stream: TextIO, format_: Format) -> None:
        self.format = format_
        self.columns: list[str] = []
        self.problems: list[Problem] = []
        """What is wrong with the file as a whole; complete when the rows are through."""
        self.blank_lines = 0
        self._rows = self._read_jsonl(stream) if format_.kind == "jsonl" else self._csv(stream)

    def __iter__(self) -> Iterator[ReadRow]:
        return self._rows

    def _csv(self, stream: TextIO) -> Iterator[ReadRow]:
        """Read the column names now, and the rows when asked."""
        records = _records(stream, self.format.delimiter, self)
        first = next(records, None)
        if first is None:
            return iter(())
        if self.format.header == "data":
            check_width(len(first.cells))
            self.columns = [f"column {number}" for number in range(1, len(first.cells) + 1)]
            return self._read_csv(_chain(first, records))
        self.columns, self.problems = name_columns(first.cells)
        self.problems.extend(_placed(problem, 0, first.line) for problem in first.problems)
        return self._read_csv(records)

    def _read_csv(self, records: Iterator[_Record]) -> Iterator[ReadRow]:
        columns, width = self.columns, len(self.columns)
        for number, record in enumerate(records, start=1):
            cells, problems = record.cells, record.problems
            if len(cells) != width and not any(problem.drops for problem in problems):
                problems = (*problems, *_ragged(cells, columns))
            yield ReadRow(
                number=number,
                line=record.line,
                # Cells beyond the columns have no name, and a row that lacks some keeps the rest.
                values=dict(zip(columns, cells, strict=False)),
                problems=tuple(_placed(problem, number, record.line) for problem in problems),
                size=record.size,
            )

    def _read_jsonl(self, stream: TextIO) -> Iterator[ReadRow]:
        known: dict[str, None] = {}
        number = 0
        for line, text, too_long in bounded_lines(stream):
            if not text.strip():
                self.blank_lines += 1
                continue
            number += 1
            values, problems = ({}, (TOO_LONG,)) if too_long else read_object(text)
            for name in values:
                if name not in known:
                    known[name] = None
                    self.columns.append(name)
                    check_width(len(known))
            yield ReadRow(
                number=number,
                line=line,
                values=values,
                problems=tuple(_placed(problem, number, line) for problem in problems),
                size=len(text),
            )


@contextmanager
def open_table(path: Path, format_: Format) -> Iterator[Table]:
    """Open a file for one pass over its rows; memory does not grow with the file."""
    with path.open(encoding=format_.encoding, errors=format_.errors, newline="") as stream:
        yield Table(stream, format_)


_NUL = Problem(kind="nul", what="It holds NUL characters.", done="They are removed.")


def _placed(problem: Problem, row: int, line: int) -> Problem:
    return Problem(
        kind=problem.kind,
        what=problem.what,
        done=problem.done,
        drops=problem.drops,
        row=row,
        line=line,
        column=problem.column,
    )


def _ragged(cells: list[str], columns: list[str]) -> tuple[Problem, ...]:
    width, extra = len(columns), cells[len(columns) :]
    if len(cells) < width:
        return (
            Problem(
                kind="short",
                column=columns[len(cells)],
                what=f"It has {len(cells)} cells; there are {width} columns.",
                done="The missing cells stay empty.",
            ),
        )
    if not any(cell.strip() for cell in extra):
        return ()  # spreadsheets write such commas at the end of a line
    return (
        Problem(
            kind="long",
            what=f"It has {len(cells)} cells; there are {width} columns. "
            f"The first cell too many is “{extra[0][:40]}”.",
            done="The row is left out. Put quotes around cells that hold the delimiter.",
            drops=True,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Record:
    cells: list[str]
    line: int
    size: int
    problems: tuple[Problem, ...] = ()


def _chain(first: _Record, others: Iterator[_Record]) -> Iterator[_Record]:
    yield first
    yield from others


class _Lines:
    """Physical lines for `csv.reader`; the lines of the record at hand can be taken back."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._back: deque[str] = deque()
        self.number = 0
        self.pending: list[str] = []
        self.had_nul = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else self._stream.readline(MAX_LINE + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) > MAX_LINE:
            raise Invalid(
                f"Line {self.number:,} is longer than {MAX_LINE:,} characters. Is this a table "
                "with one row a line? Export it again as CSV."
            )
        if "\0" in line:
            self.had_nul = True
            line = line.replace("\0", "")
        self.pending.append(line)
        return line

    def begin(self) -> None:
        self.pending.clear()
        self.had_nul = False

    def take_back(self) -> None:
        """All lines of the record but the first will come again."""
        again = self.pending[1:]
        self._back.extendleft(reversed(again))
        self.number -= len(again)
        del self.pending[1:]


def _records(stream: TextIO, delimiter: str, table: Table) -> Iterator[_Record]:
    # The limit belongs to the process; every reader here sets the same one.
    csv.field_size_limit(MAX_CELL)
    lines, repairs = _Lines(stream), 0
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin()
        problems: tuple[Problem, ...] = ()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            repairs += 1
            if repairs > MAX_REPAIRS:
                raise Invalid(
                    f"More than {MAX_REPAIRS:,} rows have broken quotes (line {lines.number:,} "
                    "is one). Is the delimiter right? Otherwise export the file again, with "
                    "quotes inside of cells doubled."
                ) from None
            cells, problem = _repair(lines, delimiter, str(error))
            problems = (problem,)
        if not cells and not problems:
            table.blank_lines += 1
            continue
        if lines.had_nul:
            problems = (*problems, _NUL)
        yield _Record(
            cells=cells,
            line=lines.number - len(lines.pending) + 1,
            size=sum(map(len, lines.pending)),
            problems=problems,
        )


def _repair(lines: _Lines, delimiter: str, error: str) -> tuple[list[str], Problem]:
    """The cells of a record that `csv` refused, as far as they can be told.

    A quote that is never closed swallows the lines after it: they are given back, so that one
    broken row costs one row.
    """
    first = lines.pending[0] if lines.pending else ""
    if len(lines.pending) == 1 and "field limit" in error:
        return [], TOO_LONG
    unclosed = len(lines.pending) > 1 or "end of data" in error
    lines.take_back()
    what = "A quote is opened and not closed." if unclosed else "A quote in a cell is not doubled."
    done = "The line is read as it stands: look at it, or repair the file and upload it again."
    return _split_forgiving(first.rstrip("\r\n"), delimiter), Problem(
        kind="quote", what=what, done=done
    )


def _split_forgiving(line: str, delimiter: str) -> list[str]:
    """Cells of one line; a quote closes a cell only where the cell ends."""
    cells: list[str] = []
    start = 0
    while True:
        end = -1
        if line.startswith('"', start):
            end = line.find('"' + delimiter, start + 1)
            if end < 0 and line.endswith('"') and len(line) - 1 > start:
                end = len(line) - 1
        if end >= 0:
            cells.append(line[start + 1 : end].replace('""', '"'))
            end += 1
        else:
            end = line.find(delimiter, start)
            end = len(line) if end < 0 else end
            cells.append(line[start:end])
        if end >= len(line):
            return cells
        start = end + len(delimiter)
