"""JSON lines: an object a line. And how objects become batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import Any, TextIO

from studio.datasets.reading.batches import Batch, Gathering, Odd
from studio.datasets.reading.jsonlines import (
    LONG_NAME,
    TOO_LONG,
    Decoder,
    bounded_lines,
    read_object,
)
from studio.datasets.reading.problems import Problem
from studio.datasets.reading.sniffing import MAX_NAME, check_width

FoundObject = tuple[dict[str, Any], tuple[Problem, ...], int, int]
"""Values, what is wrong with them, the line where they begin, characters."""
_PEEKED = 100
"""So many objects tell the columns before the first batch is asked for."""
_AT_ONCE = 64
_Row = tuple[dict[str, Any], int]
"""Values, and their characters."""


class Objects:
    """An open file of objects."""

    def __init__(self, part: Callable[[], float]) -> None:
        self.columns: list[str] = []
        self.problems: list[Problem] = []
        self.blank_lines = 0
        self._part = part
        self._known: set[str] = set()
        self._ahead: list[FoundObject] = []
        self._rest: Iterator[FoundObject] = iter(())

    def begin(self, found: Iterable[FoundObject]) -> None:
        """Look at the first objects; `columns` has their names then."""
        self._rest = self._judged(found)
        self._ahead = list(islice(self._rest, _PEEKED))

    def batches(self) -> Iterator[Batch]:
        """All objects; `columns` grows where they bring new names."""
        gathering: Gathering[_Row] = Gathering(lambda row: row[1])
        following = chain(self._ahead, self._rest)
        self._ahead = []
        while some := list(islice(following, _AT_ONCE)):
            odd = {index: item[1] for index, item in enumerate(some) if item[1]}
            rows = [(values, size) for values, _problems, _line, size in some]
            gathering.add(rows, odd, sum(size for _values, size in rows))
            for full in gathering.full():
                yield self._batch(*full)
        for full in gathering.full(rest=True):
            yield self._batch(*full)

    def _judged(self, found: Iterable[FoundObject]) -> Iterator[FoundObject]:
        """The objects, empty where they are to be left out; learns the names of the others."""
        for item in found:
            values, problems, line, size = item
            if problems or not values.keys() <= self._known:
                if any(len(name) > MAX_NAME for name in values):
                    problems = (*problems, LONG_NAME)
                if any(problem.drops for problem in problems):
                    values, size = {}, 0
                self._learn(values)
                problems = tuple(replace(problem, line=line) for problem in problems)
                item = (values, problems, line, size)
            yield item

    def _learn(self, values: dict[str, Any]) -> None:
        new = [name for name in values if name not in self._known]
        self._known.update(new)
        self.columns.extend(new)
        check_width(len(self.columns))

    def _batch(self, start: int, rows: list[_Row], odd: Odd) -> Batch:
        cells = tuple([values.get(name) for values, _size in rows] for name in self.columns)
        return Batch(start, tuple(self.columns), cells, odd, self._part(), len(rows))


def open_lines(stream: TextIO, part: Callable[[], float]) -> Objects:
    """An open file with an object a line."""
    source = Objects(part)
    source.begin(_read_lines(stream, source))
    return source


def _read_lines(stream: TextIO, source: Objects) -> Iterator[FoundObject]:
    decoder = Decoder()
    for line, text, too_long in bounded_lines(stream):
        if too_long:
            yield {}, (TOO_LONG,), line, 0
        elif text.isspace():
            source.blank_lines += 1
        else:
            values, problems = read_object(text, decoder)
            yield values, problems, line, len(text)
