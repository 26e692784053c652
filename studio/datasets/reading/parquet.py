"""Parquet: read in a process of its own, which sends it as an Arrow stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from arro3.core import RecordBatch, RecordBatchReader
from arro3.io import read_ipc_stream

from studio.datasets.reading.apart import Child, run_apart
from studio.datasets.reading.batches import BATCH_ROWS, BATCH_SIZE, Batch, Odd
from studio.datasets.reading.columns import Column
from studio.datasets.reading.footer import row_count
from studio.datasets.reading.jsonlines import TOO_LONG
from studio.datasets.reading.problems import Problem
from studio.datasets.reading.sniffing import MAX_CELL, MAX_COLUMNS, Format, name_columns
from studio.datasets.reading.values import column_of

_SMALL = 16
"""Characters that a number or a date takes, about."""


class Parquet:
    """An open Parquet file."""

    blank_lines = 0

    def __init__(self, reader: RecordBatchReader, child: Child, rows: int) -> None:
        self._reader, self._child, self._rows = reader, child, rows
        fields = [reader.schema.field(index) for index in range(len(reader.schema))]
        self.columns, self.problems = name_columns([field.name for field in fields])
        self._columns = [
            column_of(name, field) for name, field in zip(self.columns, fields, strict=True)
        ]
        for column in self._columns:
            self.problems.extend(column.about)

    def batches(self) -> Iterator[Batch]:
        """All rows. Raises `Invalid` when the rest of the file cannot be read."""
        start = 1
        while (found := self._next()) is not None:
            for batch in self._cut(start, found):
                yield batch
                start += batch.count
        self._child.finish()

    def _next(self) -> RecordBatch | None:
        try:
            return self._reader.read_next_batch()
        except StopIteration:
            return None
        except Exception:
            self._child.finish()  # when that ended badly, it says why
            raise

    def _cut(self, start: int, found: RecordBatch) -> Iterator[Batch]:
        odd: Odd = {}
        cells: list[list[Any]] = []
        weights: list[Sequence[int] | int] = []
        for index, column in enumerate(self._columns):
            values = _read(column, found, index, odd)
            cells.append(values)
            weights.append(_weigh(column, values, odd))
        for index, problems in odd.items():
            if any(problem.drops for problem in problems):
                for values in cells:
                    values[index] = None
        count = found.num_rows
        for first, last in _spans(count, weights):
            yield Batch(
                start=start + first,
                columns=tuple(self.columns),
                cells=tuple(values[first:last] for values in cells),
                odd={
                    index - first: tuple(replace(p, row=start + index) for p in odd[index])
                    for index in odd
                    if first <= index < last
                },
                part=min(1.0, (start + last - 1) / self._rows) if self._rows else 0.0,
                count=last - first,
            )


def _read(column: Column, found: RecordBatch, position: int, odd: Odd) -> list[Any]:
    def wrong(index: int, problem: Problem) -> None:
        odd[index] = (*odd.get(index, ()), replace(problem, column=column.name))

    return column.read(found.column(position), wrong)


def _weigh(column: Column, values: list[Any], odd: Odd) -> Sequence[int] | int:
    """Characters of all values together while those are few, else of each."""
    if not column.is_text and not any(isinstance(value, (str, list, dict)) for value in values):
        return _SMALL * len(values)
    if column.is_text:
        total = len("".join(filter(None, values)))
        if total <= BATCH_SIZE:
            return total
        lengths = [len(value or "") for value in values]
    else:
        lengths = [len(str(value)) for value in values]
    for index, length in enumerate(lengths):
        if length > MAX_CELL:
            odd[index] = (*odd.get(index, ()), replace(TOO_LONG, column=column.name))
            lengths[index] = 0
    return lengths


def _spans(count: int, weights: list[Sequence[int] | int]) -> Iterator[tuple[int, int]]:
    """Where to cut the rows, so that no batch is too large."""
    few = sum(weight for weight in weights if isinstance(weight, int))
    each = [weight for weight in weights if not isinstance(weight, int)]
    if few + sum(map(sum, each)) <= BATCH_SIZE:
        yield 0, count
        return
    first, size, share = 0, 0, few // max(1, count)
    for index in range(count):
        weight = share + sum(lengths[index] for lengths in each)
        if size + weight > BATCH_SIZE and index > first:
            yield first, index
            first, size = index, 0
        size += weight
    yield first, count


@contextmanager
def open_parquet(path: Path, format_: Format) -> Iterator[Parquet]:
    """Open a Parquet file. Raises `Invalid` when it is none, or too wide."""
    with run_apart(
        "parquet.py", "Parquet file", str(path), str(BATCH_ROWS), str(MAX_COLUMNS)
    ) as child:
        try:
            reader = read_ipc_stream(child.output)
        except Exception:
            child.finish()
            raise
        yield Parquet(reader, child, row_count(path))
