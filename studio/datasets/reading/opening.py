"""Opens a file of any kind; finds out first how it is to be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from studio.datasets.reading.batches import Source
from studio.datasets.reading.delimited import Delimited
from studio.datasets.reading.encodings import detect_encoding
from studio.datasets.reading.jsonlines import read_object
from studio.datasets.reading.lists import open_list
from studio.datasets.reading.objects import open_lines
from studio.datasets.reading.packed import open_text, unpacked_file
from studio.datasets.reading.parquet import open_parquet
from studio.datasets.reading.problems import Problem
from studio.datasets.reading.sniffing import (
    Compression,
    Format,
    Kind,
    detect_delimiter,
    detect_header,
    parse_head,
    whole_lines,
)
from studio.datasets.reading.workbooks import detect_sheet, open_workbook
from studio.errors import Invalid

KINDS: dict[str, Kind] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
}
COMPRESSIONS: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd"}
_HEAD = 256 * 1024
_NO_OBJECTS = (
    "No line of the file holds a JSON object. Write one a line, such as "
    '{"message": "Where is my parcel?", "category": "shipping"}.'
)


def kind_of(filename: str) -> tuple[Kind, Compression]:
    """(kind, compression) by the file's suffixes; raises `Invalid` for others."""
    suffixes = [suffix.lower() for suffix in Path(filename).suffixes[-2:]]
    compression: Compression = ""
    if suffixes and suffixes[-1] in COMPRESSIONS:
        compression = COMPRESSIONS[suffixes.pop()]
    if not suffixes or suffixes[-1] not in KINDS:
        raise Invalid(
            f"“{filename[-80:]}” is not a file that can be read here. Upload CSV (.csv, .tsv), "
            "JSON (.json, .jsonl), Parquet (.parquet) or Excel (.xlsx); each may be compressed "
            "(.gz, .zst)."
        )
    return KINDS[suffixes[-1]], compression


def detect(path: Path, filename: str) -> tuple[Format, list[Problem]]:
    """How a file is to be read, and what there is to say about that.

    Raises `Invalid` for files that no dataset can be made of.
    """
    kind, compression = kind_of(filename)
    if not path.stat().st_size:
        raise Invalid("The file is empty. Upload one with a row of column names and some rows.")
    if kind == "parquet":
        return Format(kind=kind, compression=compression), []
    if kind == "xlsx":
        with unpacked_file(path, compression) as unpacked:
            sheet, header, problems = detect_sheet(unpacked)
        return Format(kind, header=header, compression=compression, sheet=sheet), problems
    encoding, problems = detect_encoding(path, compression)
    format_ = Format(kind=kind, encoding=encoding, compression=compression)
    with open_text(path, format_) as (text, _bytes):
        head = whole_lines(text.read(_HEAD), whole=_HEAD)
    if kind != "csv":
        return _detect_json(format_, head), problems
    delimiter = detect_delimiter(head)
    rows = parse_head(head, delimiter)
    header = detect_header(rows)
    if len(rows) == 1 and header == "names":
        raise Invalid("The file has column names and no rows under them. Upload one that has.")
    return Format("csv", encoding, delimiter, header, compression), problems


def _detect_json(format_: Format, head: str) -> Format:
    """JSON or JSON lines, by what stands in the file and not by its name alone."""
    lines = [line for line in head.split("\n") if line.strip()]
    first = lines[0].strip() if lines else ""
    kind = format_.kind
    if first.startswith("[") or (kind == "jsonl" and first == "{"):
        kind = "json"
    elif kind == "json" and len(lines) > 1 and lines[1].lstrip().startswith("{"):
        kind = "json" if not read_object(first)[0] else "jsonl"
    if kind == "jsonl" and not any(read_object(line)[0] for line in lines[:1000]):
        raise Invalid(_NO_OBJECTS)
    return replace(format_, kind=kind)


@contextmanager
def open_source(path: Path, format_: Format) -> Iterator[Source]:
    """Open a file for one pass over its rows; memory does not grow with the file.

    Opening and reading raise `Invalid` when the file, or the rest of it, cannot be read.
    """
    if format_.kind in ("parquet", "xlsx"):
        with unpacked_file(path, format_.compression) as unpacked:
            open_apart = open_parquet if format_.kind == "parquet" else open_workbook
            with open_apart(unpacked, format_) as source:
                yield source
        return
    with open_text(path, format_) as (text, file):
        try:
            if format_.kind == "csv":
                yield Delimited(text, format_, file.part)
            else:
                yield (open_lines if format_.kind == "jsonl" else open_list)(text, file.part)
        except UnicodeDecodeError:
            raise Invalid(
                f"The file is not {format_.encoding.upper()} all through. Upload it again."
            ) from None
