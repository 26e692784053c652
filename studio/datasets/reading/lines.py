"""The physical lines of a text: many at once, or one by one with the way back."""

from __future__ import annotations

import io
from collections import deque
from typing import TextIO

from studio.datasets.reading.sniffing import MAX_CELL

PIECE = 64 * 1024
"""Characters that are read at once."""
MAX_LINE = 8 * MAX_CELL
"""Characters of a line that are looked at; of a longer one only its beginning is kept."""


class CutLine(str):
    """The beginning of a line that is too long to be kept."""

    odd_quotes: bool
    """The whole line has an odd number of quotes."""


class LineTooLong(Exception):
    """The line that was asked for is too long; `Lines.pending` ends with its beginning."""


class Lines:
    """Lines for `csv.reader`; those of the record at hand can be given back."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._back: deque[str] = deque()
        self._begun = ""
        """The beginning of a line whose rest is still in the stream."""
        self.number = 0
        """Lines that have been handed out."""
        self.pending: list[str] = []
        """Lines of the record at hand."""
        self.first = 1
        """The number of its first line."""
        self.had_nul = False

    @property
    def has_some_back(self) -> bool:
        """Lines that were given back have not come again yet."""
        return bool(self._back)

    def piece(self) -> str:
        """Whole lines that follow, joined; empty at the end, and where a line is very long.

        They count as handed out when `passed` says so.
        """
        lines, size = [], 0
        while self._back and size < PIECE and not isinstance(self._back[0], CutLine):
            lines.append(self._back.popleft())
            size += len(lines[-1])
        if size < PIECE and not self._back:
            lines.append(self._read_piece(PIECE - size))
        return "".join(lines)

    def _read_piece(self, size: int) -> str:
        text = self._begun + self._stream.read(size)
        self._begun = ""
        if not text or text.endswith("\n"):
            return text
        rest = self._stream.readline(MAX_CELL)
        text += rest
        if len(rest) == MAX_CELL and not rest.endswith(("\n", "\r")):
            whole = split_lines(text)
            self._begun = whole.pop()
            text = "".join(whole)
        return text

    def passed(self, count: int) -> None:
        """Lines of the last piece have been read."""
        self.number += count

    def give_back(self, lines: list[str]) -> None:
        """Lines of the last piece that were not passed will come again."""
        self._back.extendleft(reversed(lines))

    def begin(self) -> None:
        """The next line begins a record."""
        self.pending.clear()
        self.first = self.number + 1
        self.had_nul = False

    def take_back(self) -> None:
        """All lines of the record but the first will come again."""
        again: list[str] = []
        for text in self.pending[1:]:
            again.extend([text] if isinstance(text, CutLine) else split_lines(text))
        self.give_back(again)
        self.number = self.first
        del self.pending[1:]

    def hold(self, lines: str) -> None:
        """Lines of the last piece belong to the record at hand."""
        self.pending.append(lines)
        self.number += len(split_lines(lines))

    def again(self) -> str:
        """The next line as a piece of its own."""
        line = next(self)
        self.pending.pop()
        self.number -= 1
        return line

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else self._read()
        if not line:
            raise StopIteration
        self.number += 1
        if isinstance(line, CutLine):
            self.pending.append(line)
            raise LineTooLong
        if "\0" in line:
            self.had_nul = True
            line = line.replace("\0", "")
        self.pending.append(line)
        return line

    def _read(self) -> str:
        line = self._begun + self._stream.readline(MAX_LINE)
        self._begun = ""
        if len(line) < MAX_LINE or line.endswith(("\n", "\r")):
            return line
        kept = CutLine(line[: MAX_CELL + 1])
        quotes = line.count('"')
        while line and not line.endswith(("\n", "\r")):
            line = self._stream.readline(MAX_CELL)
            quotes += line.count('"')
        kept.odd_quotes = quotes % 2 == 1
        return kept


def split_lines(text: str) -> list[str]:
    """Lines with their ends: `\\n`, `\\r\\n` or `\\r`, and not the others that Unicode has."""
    return io.StringIO(text, newline="").readlines()
