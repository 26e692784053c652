"""What kind of text a file is: encoding, delimiter, column names."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from studio.datasets.problems import Problem
from studio.errors import Invalid

SUFFIXES = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
MAX_COLUMNS = 500
MAX_CELL = 1_000_000
"""Characters."""
_HEAD = 256 * 1024
_BLOCK = 1024 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BINARY = (
    (b"PK\x03\x04", "a ZIP archive (Excel workbooks are ZIP archives, too)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"
_CP1252_HOLES = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")
_DATUM = re.compile(r"[+-]?[\d.,]*\d[\d.,]*%?\Z|\d{4}-\d\d-\d\d|\S+@\S+\.\S+\Z|https?://")

Header = Literal["names", "data", ""]


@dataclass(frozen=True, slots=True)
class Format:
    """How to read a file."""

    kind: Literal["csv", "jsonl"]
    encoding: str = "utf-8"
    delimiter: str = ","
    header: Header = "names"
    """What the first row of a CSV file holds; empty when only a person can tell."""

    @property
    def errors(self) -> str:
        """Windows-1252 has five holes; everything else was checked byte by byte."""
        return "replace" if self.encoding == "cp1252" else "strict"


def kind_of(filename: str) -> Literal["csv", "jsonl"]:
    """`csv` or `jsonl` by the file's suffix; raises `Invalid` for others."""
    suffix = Path(filename).suffix.lower()
    if suffix not in SUFFIXES:
        raise Invalid(
            f"“{filename}” is not a file that can be read here. Upload CSV (.csv), "
            "tab-separated values (.tsv) or JSON lines (.jsonl, .ndjson)."
        )
    return "csv" if SUFFIXES[suffix] == "csv" else "jsonl"


def detect_encoding(path: Path) -> tuple[str, list[Problem]]:
    """The encoding of the whole file, read once in blocks, and what there is to say about it.

    Raises `Invalid` for files that are empty or no text.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head.strip(b"\x00\xef\xbb\xbf\xff\xfe \t\r\n"):
        raise Invalid("The file is empty. Upload one with a row of column names and some rows.")
    encoding = next((name for bom, name in _BOMS if head.startswith(bom)), "")
    if encoding in ("", "utf-8-sig"):
        _refuse_binary(head)
    bad = _first_bad_byte(path, encoding or "utf-8")
    if bad is None:
        return encoding or "utf-8", []
    if encoding in ("utf-16", "utf-32"):
        raise Invalid(
            f"The file begins as {encoding.upper()}, but from byte {bad[0]:,} on it is not. "
            "Save it again as UTF-8."
        )
    offset, line = bad
    holes = _count_holes(path)
    problems = [
        Problem(
            kind="encoding",
            line=line,
            what=f"Byte {offset:,} (line {line:,}) is not UTF-8.",
            done="The file is read as Windows-1252: look whether letters with accents are right. "
            "If they are not, save it again as UTF-8.",
        )
    ]
    if holes:
        problems.append(
            Problem(
                kind="encoding",
                what=f"{holes:,} bytes mean nothing in Windows-1252 either.",
                done="A � stands in their place.",
            )
        )
    return "cp1252", problems


def _refuse_binary(head: bytes) -> None:
    for magic, title in _BINARY:
        if head.startswith(magic):
            raise Invalid(
                f"This is {title}, not text. Export it as CSV in UTF-8, and upload that."
            )
    if head[:4096].count(0) > len(head[:4096]) // 4:
        raise Invalid("This looks like UTF-16 without its mark. Save it again as UTF-8.")
    control = len(head) - len(head.translate(None, _CONTROL))
    if control > max(4, len(head) // 100):
        raise Invalid("This is not a text file. Export the table as CSV in UTF-8.")


def _first_bad_byte(path: Path, encoding: str) -> tuple[int, int] | None:
    """(offset, line) of the first byte that does not decode, both from 1; None when all do."""
    decoder = codecs.getincrementaldecoder(encoding)()
    offset, line = 0, 1
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                # `error.object` begins with what the decoder had kept from the block before.
                kept = len(error.object) - len(block)
                before = error.object[: error.start]
                return offset - kept + error.start + 1, line + before.count(b"\n")
            if not block:
                return None
            offset += len(block)
            line += block.count(b"\n")


def _count_holes(path: Path) -> int:
    count = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            count += sum(block.count(hole) for hole in _CP1252_HOLES)
    return count


def read_head(path: Path, encoding: str) -> str:
    """The first characters of the file, up to the last whole line of them."""
    errors = Format(kind="csv", encoding=encoding).errors
    with path.open(encoding=encoding, errors=errors, newline="") as file:
        text = file.read(_HEAD)
    if len(text) == _HEAD:
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
        wanted = re.sub(r"\s+", " ", str(cell)).strip()[:200]
        base = wanted or f"column {index}"
        name, number = base, 2
        while name in names or (name != wanted and name in taken):
            name, number = f"{base} {number}", number + 1
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
            f"The file has {width:,} columns; {MAX_COLUMNS} is the most. "
            "Keep the columns that your fields need, and upload it again."
        )
