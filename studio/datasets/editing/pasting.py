"""Rows out of text that somebody pastes: CSV or JSON lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studio.datasets.editing.rows import MOST_ADDED, MOST_BYTES
from studio.datasets.models import Split
from studio.datasets.reading.jsonlines import clean, read_object
from studio.datasets.uploading.choices import normal, read_split
from studio.errors import Invalid

SPLIT = "split"
"""The name of a cell that says what a row is for."""


@dataclass(frozen=True)
class Pasted:
    """What a text holds."""

    rows: list[tuple[dict[str, Any], str]]
    """Values and split."""
    problems: list[str]
    """Lines that are no rows, and why."""
    new_columns: list[str]


def read_paste(text: str, columns: Sequence[str], *, split: str = Split.TRAIN) -> Pasted:
    """Rows for a dataset with these columns; `split` is for rows that name none.

    Raises `Invalid` for texts that are too long, or hold nothing.
    """
    if len(text) > MOST_BYTES:
        raise Invalid(
            f"This is {len(text):,} characters long; {MOST_BYTES:,} can be pasted. Upload a file."
        )
    lines = text.replace("\0", "").strip("\r\n")
    if not lines.strip():
        raise Invalid("Paste rows first: CSV or a copied table, or one JSON object a line.")
    found = _objects(lines) if lines.lstrip()[0] in "{[" else _table(lines, columns)
    by_name = {normal(column): column for column in reversed(columns)}
    rows: list[tuple[dict[str, Any], str]] = []
    problems, fresh = list(found.problems), dict[str, None]()
    for line, cells in found.rows:
        values: dict[str, Any] = {}
        wanted = split
        for name, value in cells.items():
            column = name if name in columns else by_name.get(normal(name), name)
            if normal(name) == SPLIT:
                said = read_split(value)
                if said is None and value not in (None, ""):
                    problems.append(
                        f"Line {line}: “{str(value)[:40]}” is not train, dev, validation or test; "
                        f"the row goes to {split}."
                    )
                wanted = said or split
                if column in columns and value not in (None, ""):
                    values[column] = value
            elif value not in (None, ""):
                values[column] = value
                if column not in columns:
                    fresh[column] = None
        if values:
            rows.append((values, str(wanted)))
        else:
            problems.append(f"Line {line}: it has no value, and is left out.")
    if len(rows) > MOST_ADDED:
        raise Invalid(
            f"These are {len(rows):,} rows; {MOST_ADDED:,} can be pasted at once. Upload a file."
        )
    return Pasted(rows, problems, list(fresh))


@dataclass(frozen=True)
class _Found:
    rows: list[tuple[int, Mapping[str, Any]]]
    problems: list[str]


def _objects(text: str) -> _Found:
    rows: list[tuple[int, Mapping[str, Any]]] = []
    problems: list[str] = []
    for line, part in enumerate(text.splitlines(), 1):
        if part.strip():
            values, wrong = read_object(part)
            if values:
                rows.append((line, values))
            if not values or wrong:
                why = " ".join(one.what for one in wrong) or "The object is empty."
                problems.append(f"Line {line}: {why}" + ("" if values else " It is left out."))
    return _Found(rows, problems)


def _table(text: str, columns: Sequence[str]) -> _Found:
    head = text.splitlines()[0]
    delimiter = max("\t,;|", key=head.count)
    if not head.count(delimiter):
        delimiter = "\t" if "\t" in text else ","
    try:
        lines = [
            (number, line)
            for number, line in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter), 1)
            if any(cell.strip() for cell in line)
        ]
    except csv.Error as error:
        raise Invalid(f"This cannot be read as CSV: {error}.") from None
    known = {normal(column) for column in columns} | {SPLIT}
    first = [cell.strip() for cell in lines[0][1]]
    has_names = any(normal(cell) in known for cell in first if cell)
    names = first if has_names else list(columns)
    if not names:
        raise Invalid("Begin with a line of column names: the dataset has no column yet.")
    rows: list[tuple[int, Mapping[str, Any]]] = []
    problems: list[str] = []
    for number, line in lines[1:] if has_names else lines:
        if len(line) > len(names):
            problems.append(
                f"Line {number}: it has {len(line)} cells, and there are {len(names)} columns. It "
                "is left out."
            )
            continue
        pairs = zip(names, line, strict=False)
        rows.append((number, {name: clean(cell) for name, cell in pairs if name}))
    return _Found(rows, problems)
