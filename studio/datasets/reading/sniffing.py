"""What a table looks like: format, delimiter, column names."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from studio.datasets.reading.problems import Problem
from studio.errors import Invalid

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
MAX_COLUMNS = 1_000
"""A page, a choice and a block hold all of them; wider tables are matrices, not examples."""
MAX_CELL = 1_000_000
"""Characters."""
MAX_NAME = 200
"""Characters of a column's name."""
_DATUM = re.compile(r"[+-]?[\d.,]*\d[\d.,]*%?\Z|\d{4}-\d\d-\d\d|\S+@\S+\.\S+\Z|https?://")

Header = Literal["names", "data", ""]
Kind = Literal["csv", "json", "jsonl", "parquet", "xlsx"]
Compression = Literal["", "gzip", "zstd"]


@dataclass(frozen=True, slots=True)
class Format:
    """How to read a file."""

    kind: Kind
    encoding: str = "utf-8"
    delimiter: str = ","
    header: Header = "names"
    """What the first row of a table holds; empty when only a person can tell."""
    compression: Compression = ""
    sheet: str = ""
    """Which sheet of a workbook."""

    def to_dict(self) -> dict[str, Any]:
        """JSON; `Format.from_dict` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Format:
        """Read what `to_dict` wrote; other names beside its own are passed over."""
        return cls(**{item.name: data[item.name] for item in fields(cls) if item.name in data})

    @property
    def errors(self) -> str:
        """Windows-1252 has five holes; everything else was checked byte by byte."""
        return "replace" if self.encoding == "cp1252" else "strict"


def whole_lines(text: str, *, whole: int) -> str:
    """The beginning of a file, without the line that it cuts in two."""
    if len(text) == whole:
        cut = max(text.rfind("\n"), text.rfind("\r"))
        text = text[: cut + 1] or text
    return text.replace("\0", "")


def parse_head(text: str, delimiter: str, limit: int = 200) -> list[list[str]]:
    """The first rows of `text`, leniently: for looking, not for keeping."""
    csv.field_size_limit(MAX_CELL)
    rows: list[list[str]] = []
    reader = csv.reader(re.split(r"(?<=\n)|(?<=\r)(?!\n)", text), delimiter=delimiter)
    try:
        for cells in reader:
            if cells:
                rows.append(cells)
            if len(rows) >= limit:
                break
    except csv.Error:
        pass  # a cell over the limit: what came before it is enough to look at
    return rows


def detect_delimiter(text: str) -> str:
    """The delimiter under which most rows are as wide as the first one.

    `csv.Sniffer` guesses from letters that repeat, and takes an `e` for a delimiter; here a
    delimiter has to be in the first row, quotes count, and a comma in prose loses.
    """
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        rows = parse_head(text, delimiter)
        width = len(rows[0]) if rows else 1
        if width < 2:
            continue
        alike = sum(len(row) == width for row in rows) / len(rows)
        if (alike, width) > best_score:
            best, best_score = delimiter, (alike, width)
    return best


def detect_header(rows: Sequence[Sequence[str]]) -> Header:
    """`names`, or nothing when the first row looks like data: then a person has to say."""
    if not rows:
        return "names"
    first, others = rows[0], rows[1:51]
    for index, cell in enumerate(first):
        text = cell.strip()
        if len(text) > 80 or _DATUM.match(text):
            return ""
        if text and any(text == row[index].strip() for row in others if index < len(row)):
            return ""
    return "names"


def name_columns(cells: Sequence[Any]) -> tuple[list[str], list[Problem]]:
    """Unique, non-empty column names out of a header row, and what had to be changed.

    Raises `Invalid` when there are more than `MAX_COLUMNS`.
    """
    check_width(len(cells))
    names: list[str] = []
    problems: list[Problem] = []
    taken = {str(cell).strip() for cell in cells}
    for index, cell in enumerate(cells, start=1):
        wanted = re.sub(r"\s+", " ", str(cell)).strip()[:MAX_NAME]
        base = wanted or f"column {index}"
        name, number = base, 2
        while name in names or (name != wanted and name in taken):
            name, number = f"{base} {number}", number + 1
        if len(str(cell)) > MAX_NAME:
            what = f"The name of column {index} is longer than {MAX_NAME} characters."
            problems.append(
                Problem(kind="columns", column=name, what=what, done="Its beginning is kept.")
            )
        if name != wanted:
            what = (
                f"The column name “{wanted}” stands twice." if wanted
                else f"Column {index} has no name."
            )  # fmt: skip
            problems.append(
                Problem(kind="columns", column=name, what=what, done=f"It is called “{name}”.")
            )
        names.append(name)
    return names, problems


def check_width(width: int) -> None:
    """Raise `Invalid` when a file has too many columns."""
    if width > MAX_COLUMNS:
        raise Invalid(
            f"The file has {width:,} columns; {MAX_COLUMNS:,} is the most. "
            "Keep the columns that your fields need, and upload it again."
        )
