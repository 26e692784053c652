"""Rows of CSV that are not as they should be: how far they go, and what can be told of them."""

from __future__ import annotations

import re

from studio.datasets.reading.lines import CutLine
from studio.datasets.reading.problems import Problem

_INSIDE = re.compile(r'[^"]*(?:""[^"]*)*')
"""The inside of a quoted cell."""
_LINE_END = re.compile(r"\r\n|\r|\n")


def closing_quote(delimiter: str) -> re.Pattern[str]:
    """Matches from inside of a quoted cell to its end: a quote before a delimiter or line end."""
    return re.compile(rf'{_INSIDE.pattern}"(?=[{re.escape(delimiter)}\r\n]|\Z)')


def end_of_record(lines: str, closing: re.Pattern[str]) -> int | None:
    """Where a record ends whose quoted cell goes on in these lines.

    0 when it goes on behind them, None when its quote is never properly closed.
    """
    at = 0
    while closed := closing.match(lines, at):
        line_end = _LINE_END.search(lines, closed.end())
        stop = line_end.end() if line_end else len(lines)
        if lines.count('"', closed.end(), stop) % 2 == 0:
            return stop
        at = stop
    return 0 if _INSIDE.fullmatch(lines, at) else None


def count_quotes(line: str) -> int:
    """Its quotes; of a line that was cut, only whether they are odd."""
    return int(line.odd_quotes) if isinstance(line, CutLine) else line.count('"')


def ragged(cells: list[str], columns: list[str]) -> tuple[Problem, ...]:
    """What is wrong with a row that is not as wide as the table."""
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
        return ()  # spreadsheets write such delimiters at the end of a line
    return (
        Problem(
            kind="long",
            what=f"It has {len(cells)} cells; there are {width} columns. "
            f"The first cell too many is “{extra[0][:40]}”.",
            done="The row is left out. Put quotes around cells that hold the delimiter.",
            drops=True,
        ),
    )


def split_forgiving(line: str, delimiter: str) -> list[str]:
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
