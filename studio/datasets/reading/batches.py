"""What every reader gives: rows in batches, column by column, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

from studio.datasets import blocks
from studio.datasets.reading.problems import Problem

BATCH_ROWS = blocks.ROWS
BATCH_SIZE = blocks.SIZE
"""Characters of a batch, unless a single row has more."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows that stand one behind the other in a file."""

    start: int
    """Number of its first row, from 1; column names and empty lines do not count."""
    columns: tuple[str, ...]
    """Names known so far, in order; JSON lines may bring new ones later."""
    cells: tuple[Sequence[Any], ...]
    """For each column the values of all rows; None where a row has none."""
    odd: Mapping[int, tuple[Problem, ...]] = field(default_factory=dict)
    """What is wrong with a row, by its index in the batch."""
    part: float = 0.0
    """How much of the file has been read, 0 to 1."""
    count: int = 0
    """Rows, also those that are to be left out; there may be some before there is a column."""


class Source(Protocol):
    """An open file, for one pass over its rows."""

    columns: list[str]
    problems: list[Problem]
    """What is wrong with the file as a whole; complete when the rows are through."""
    blank_lines: int

    def batches(self) -> Iterator[Batch]:
        """Its rows. Raises `Invalid` when the rest of it cannot be read."""
        ...


T = TypeVar("T")
Odd = dict[int, tuple[Problem, ...]]


class Gathering(Generic[T]):
    """Collects rows until they fill a batch."""

    def __init__(self, weigh: Callable[[T], int]) -> None:
        self._weigh = weigh
        """Characters of a row."""
        self._rows: list[T] = []
        self._odd: Odd = {}
        self._size = 0
        """Characters, at the most."""
        self._last = (0, 0)
        """Rows and characters that were added last."""
        self._start = 1

    def add(self, rows: Sequence[T], odd: Odd, size: int) -> None:
        """More rows, what is wrong with them by index, and their characters at the most."""
        if odd:
            self._odd.update((len(self._rows) + index, found) for index, found in odd.items())
        self._rows.extend(rows)
        self._size += size
        self._last = (len(rows), size)

    def full(self, *, rest: bool = False) -> Iterator[tuple[int, list[T], Odd]]:
        """(number of the first row, rows, what is wrong by index) of each batch that is full.

        With `rest` also the last one.
        """
        while count := self._fit() or (len(self._rows) if rest else 0):
            rows, start = self._rows[:count], self._start
            del self._rows[:count]
            self._start += count
            if len(self._rows) <= self._last[0]:
                self._size = min(self._size, self._last[1])
            odd, self._odd = self._odd, {}
            if odd:
                self._odd = {index - count: odd[index] for index in odd if index >= count}
                odd = {
                    index: tuple(replace(problem, row=start + index) for problem in found)
                    for index, found in odd.items()
                    if index < count
                }
            yield start, rows, odd

    def _fit(self) -> int:
        """How many of the rows are a whole batch; 0 when there may be more in it."""
        rows = self._rows
        if self._size > BATCH_SIZE:
            total = 0
            for index, row in enumerate(rows[:BATCH_ROWS]):
                weight = self._weigh(row)
                if total + weight > BATCH_SIZE and index:
                    return index
                total += weight
            if len(rows) < BATCH_ROWS:
                self._size = total
        return BATCH_ROWS if len(rows) >= BATCH_ROWS else 0
