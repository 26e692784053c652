"""A table like those that people bring: messages of made-up words, some of them frequent."""

from __future__ import annotations

import csv
import itertools
import random
from collections.abc import Iterator
from pathlib import Path

COLUMNS = ("id", "message", "category", "score")
CATEGORIES = tuple(f"intent_{number}" for number in range(12))
WORDS = 30_000
BATCH = 65_536
_SYLLABLES = [*("ka", "lo", "mi", "ter", "son", "ber", "an", "re"), *("du", "vi", "po", "sha", "en")]

Row = tuple[str, str, str, float]


def words() -> list[str]:
    """The vocabulary, the most frequent word first."""
    rng = random.Random("words")
    found: dict[str, None] = {}
    while len(found) < WORDS:
        found["".join(rng.choices(_SYLLABLES, k=rng.randint(2, 5)))] = None
    return list(found)


def rows(count: int) -> Iterator[Row]:
    """So many rows, always the same ones; word frequencies follow Zipf's law."""
    rng = random.Random("rows")
    known = words()
    weights = list(itertools.accumulate(1 / rank for rank in range(1, WORDS + 1)))
    for number in range(count):
        text = " ".join(rng.choices(known, cum_weights=weights, k=rng.randint(8, 40)))
        if number % 7 == 0:
            text = text.replace(" ", ", ", 1)
        score = round(rng.random() * 100, 2)
        yield f"m{number}", text, rng.choice(CATEGORIES), score


def write_csv(path: Path, count: int) -> None:
    """The rows as CSV, with column names."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows(count))


def write_parquet(path: Path, source: Path) -> None:
    """The rows of a CSV file as Parquet; scores are numbers."""
    import arro3.core as core
    from arro3 import io

    types = [core.DataType.string()] * 3 + [core.DataType.float64()]
    schema = core.Schema(
        [core.Field(name, type_) for name, type_ in zip(COLUMNS, types, strict=True)]
    )

    def batches() -> Iterator[core.RecordBatch]:
        with source.open(newline="", encoding="utf-8") as file:
            reader = csv.reader(file)
            next(reader)
            while taken := list(itertools.islice(reader, BATCH)):
                columns = [list(column) for column in zip(*taken, strict=True)]
                numbers = [float(text) for text in columns[3]]
                arrays = [
                    core.Array(values, type_)
                    for values, type_ in zip([*columns[:3], numbers], types, strict=True)
                ]
                yield core.RecordBatch.from_arrays(arrays, schema=schema)

    io.write_parquet(core.RecordBatchReader.from_batches(schema, batches()), path)
