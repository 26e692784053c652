"""CSV: fast where a file is in order, and line by line where it is not."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TextIO

from studio.datasets.reading.batches import Batch, Gathering, Odd
from studio.datasets.reading.jsonlines import TOO_LONG
from studio.datasets.reading.lines import Lines, LineTooLong, split_lines
from studio.datasets.reading.problems import Problem
from studio.datasets.reading.repairs import (
    closing_quote,
    count_quotes,
    end_of_record,
    ragged,
    split_forgiving,
)
from studio.datasets.reading.sniffing import MAX_CELL, Format, check_width, name_columns
from studio.errors import Invalid

MAX_REPAIRS = 1_000
"""So many broken quotes are repaired; with more of them the file is read wrongly anyway."""
MAX_OPEN = 64 * MAX_CELL
"""Characters that are looked through for the ends of quotes that seem to be forgotten."""
_NUL = Problem(kind="nul", what="It holds NUL characters.", done="They are removed.")

Cells = Sequence[str | None]
_Read = tuple[list[list[str]], Sequence[int], int]
"""Rows, the line of each, and how many lines they take with the empty ones among them."""


@dataclass(frozen=True, slots=True)
class _Record:
    cells: list[str]
    line: int
    size: int
    problems: tuple[Problem, ...] = ()

    @property
    def dropped(self) -> bool:
        return any(problem.drops for problem in self.problems)


class Delimited:
    """An open CSV file."""

    def __init__(self, stream: TextIO, format_: Format, part: Callable[[], float]) -> None:
        self.columns: list[str] = []
        self.problems: list[Problem] = []
        self.blank_lines = 0
        self._part = part
        self._lines = Lines(stream)
        self._delimiter = format_.delimiter
        self._closing = closing_quote(format_.delimiter)
        self._repairs = 0
        self._searched = 0
        """Characters that were looked through in vain."""
        self._one_line_records = True
        """No quoted cell with a line end in it has been seen."""
        # The limit belongs to the process; every reader here sets the same one.
        csv.field_size_limit(MAX_CELL)
        self._careful = csv.reader(self._lines, delimiter=self._delimiter, strict=True)
        self._first = self._record()
        self._name_columns(format_)

    def _name_columns(self, format_: Format) -> None:
        first = self._first
        if first is None:
            return
        if first.dropped:
            raise Invalid(
                f"The first row cannot be read: {first.problems[0].what} Is this a table with "
                "one row a line? Export it again as CSV."
            )
        if format_.header == "data":
            check_width(len(first.cells))
            self.columns = [f"column {number}" for number in range(1, len(first.cells) + 1)]
            return
        self.columns, self.problems = name_columns(first.cells)
        self.problems.extend(replace(problem, line=first.line) for problem in first.problems)
        self._first = None

    def batches(self) -> Iterator[Batch]:
        """All rows, each as wide as there are columns."""
        gathering: Gathering[Cells] = Gathering(_weigh)
        for _ in self._gather(gathering):
            for full in gathering.full():
                yield self._batch(*full)
        for full in gathering.full(rest=True):
            yield self._batch(*full)

    def _batch(self, start: int, rows: list[Cells], odd: Odd) -> Batch:
        cells = tuple(zip(*rows, strict=True))
        return Batch(start, tuple(self.columns), cells, odd, self._part(), len(rows))

    def _gather(self, gathering: Gathering[Cells]) -> Iterator[None]:
        """Adds all rows, and yields after each some."""
        if not self.columns:
            return
        if self._first is not None:
            gathering.add(*self._even([self._first.cells], [self._first.line]), self._first.size)
        while True:
            if piece := self._lines.piece():
                self._read_fast(piece, gathering)
                yield
                if not self._lines.has_some_back:
                    continue
            # Something is odd: record by record, as far as the piece went.
            while (record := self._record()) is not None:
                gathering.add(
                    *self._even([record.cells], [record.line], record.problems), record.size
                )
                yield
                if not self._lines.has_some_back:
                    break
            else:
                return

    def _read_fast(self, piece: str, gathering: Gathering[Cells]) -> None:
        """Adds the rows of a piece up to the first broken one; the lines after it go back."""
        lines = self._lines
        if "\0" in piece or len(piece) > MAX_CELL:
            lines.give_back(split_lines(piece))
            return
        read = self._split(piece) if self._one_line_records else None
        if read is None:
            read = self._parse(piece)
        rows, numbers, count = read
        gathering.add(*self._even(rows, numbers), len(piece))
        lines.passed(count)

    def _split(self, piece: str) -> _Read | None:
        """The cells of lines that are a record each; None when there may be others.

        Most lines have no quotes, and `str.split` is several times as fast as `csv`.
        """
        end = "\n"
        if returns := piece.count("\r"):
            end = "\r\n"
            if not returns == piece.count("\n") == piece.count(end):
                return None
        lines = piece.split(end)
        if not lines[-1]:
            lines.pop()
        count, first = len(lines), self._lines.number + 1
        numbers: Sequence[int] = range(first, first + count)
        if "" in lines:
            numbers = [number for number, line in zip(numbers, lines, strict=True) if line]
            lines = [line for line in lines if line]
        delimiter = self._delimiter
        quoted = [line for line in lines if '"' in line] if '"' in piece else []
        try:
            read = list(csv.reader(quoted, delimiter=delimiter, strict=True))
        except csv.Error:
            return None
        if len(read) != len(quoted):
            return None
        self.blank_lines += count - len(lines)
        following = iter(read)
        rows = [next(following) if '"' in line else line.split(delimiter) for line in lines]
        return rows, numbers, count

    def _parse(self, piece: str) -> _Read:
        """The rows before the first broken one; the lines after them are given back."""
        reader = csv.reader(io.StringIO(piece, newline=""), delimiter=self._delimiter, strict=True)
        rows, numbers, first, good = [], [], self._lines.number + 1, 0
        try:
            for row in reader:
                if row:
                    rows.append(row)
                    numbers.append(first + good)
                else:
                    self.blank_lines += 1
                if reader.line_num > good + 1:
                    self._one_line_records = False
                good = reader.line_num
        except csv.Error:  # a broken record, or one that the piece cuts in two
            self._lines.give_back(split_lines(piece)[good:])
        return rows, numbers, good

    def _even(
        self, rows: list[list[str]], lines: Sequence[int], found: tuple[Problem, ...] = ()
    ) -> tuple[Sequence[Cells], Odd]:
        """Rows as wide as there are columns, and what is wrong with them."""
        width = len(self.columns)
        if not found and set(map(len, rows)) <= {width}:
            return rows, {}
        even: list[Cells] = []
        odd: Odd = {}
        for index, cells in enumerate(rows):
            problems = found
            if len(cells) != width and not any(problem.drops for problem in found):
                problems = (*found, *ragged(cells, self.columns))
            if problems:
                odd[index] = tuple(replace(problem, line=lines[index]) for problem in problems)
            if any(problem.drops for problem in problems):
                even.append([None] * width)
            else:
                even.append([*cells[:width], *[None] * (width - len(cells))])
        return even, odd

    def _record(self) -> _Record | None:
        """The next record, repaired where it can be; None at the end."""
        lines = self._lines
        while True:
            lines.begin()
            problems: tuple[Problem, ...] = ()
            try:
                cells = next(self._careful)
            except StopIteration:
                return None
            except LineTooLong:
                cells, problems = self._huge()
            except csv.Error as error:
                if "field limit" in str(error):
                    cells, problems = self._huge()
                else:
                    cells, problems = self._repair(
                        unclosed=len(lines.pending) > 1 or "end of data" in str(error)
                    )
            if not cells and not problems:
                self.blank_lines += 1
                continue
            if lines.had_nul:
                problems = (*problems, _NUL)
            return _Record(
                cells=cells,
                line=lines.first,
                size=sum(map(len, cells)),
                problems=problems,
            )

    def _huge(self) -> tuple[list[str], tuple[Problem, ...]]:
        """A cell is too long; with quotes around it, it may go on for many lines."""
        lines = self._lines
        if self._ends(sum(map(count_quotes, lines.pending)) % 2 == 1):
            return [], (TOO_LONG,)
        if len(lines.pending[0]) > MAX_CELL:
            lines.take_back()
            return [], (TOO_LONG,)
        return self._repair(unclosed=True)

    def _ends(self, quoted: bool) -> bool:
        """Go on to the end of the record; False when its quote is never properly closed."""
        if not quoted:
            return True
        if self._searched <= MAX_OPEN and self._find_end():
            return True
        self._searched += sum(map(len, self._lines.pending))
        return False

    def _find_end(self) -> bool:
        lines, size = self._lines, 0
        while size <= MAX_OPEN:
            piece = lines.piece()
            if not piece:
                try:
                    piece = lines.again()
                except LineTooLong:
                    if count_quotes(lines.pending[-1]) % 2:
                        return True
                    continue
                except StopIteration:
                    return False
            end = end_of_record(piece, self._closing)
            if end is None:
                lines.give_back(split_lines(piece))
                return False
            lines.hold(piece[: end or len(piece)])
            if end:
                lines.give_back(split_lines(piece[end:]))
                return True
            size += len(piece)
        return False

    def _repair(self, *, unclosed: bool) -> tuple[list[str], tuple[Problem, ...]]:
        """The cells of a record that `csv` refused, as far as they can be told.

        A quote that is never closed swallows the lines after it: they are given back, so that
        one broken row costs one row.
        """
        lines = self._lines
        self._repairs += 1
        if self._repairs > MAX_REPAIRS:
            raise Invalid(
                f"More than {MAX_REPAIRS:,} rows have broken quotes (line {lines.number:,} is "
                "one). Is the delimiter right? Otherwise export the file again, with quotes "
                "inside of cells doubled."
            )
        first = lines.pending[0]
        lines.take_back()
        what = (
            "A quote is opened and not closed." if unclosed
            else "A quote in a cell is not doubled."
        )  # fmt: skip
        done = "The line is read as it stands: look at it, or repair the file and upload it again."
        cells = split_forgiving(first.rstrip("\r\n"), self._delimiter)
        return cells, (Problem(kind="quote", what=what, done=done),)


def _weigh(row: Cells) -> int:
    return sum(len(cell) for cell in row if cell)
