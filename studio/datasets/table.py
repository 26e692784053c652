"""The rows of a dataset as they are in one of its versions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from django.db.models import Q

from studio.datasets.blocks import ABSENT, Content, decode
from studio.datasets.models import Block, Dataset, Place, Split, Version
from studio.errors import NotFound

SPLITS = tuple(Split)
"""A row's byte in `Place.splits` is an index of this."""
AT_ONCE = 16
"""So many blocks are read with one query."""


@dataclass(frozen=True, slots=True)
class Row:
    """One example as it stands in a version: values by column name."""

    number: int
    """From 1; its name for good, whatever happens to other rows."""
    values: Mapping[str, Any]
    split: str


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a block stands; see `models.Place`."""

    start: int
    block: int
    splits: bytes

    @property
    def end(self) -> int:
        """The number after its last row's."""
        return self.start + len(self.splits)


@dataclass(frozen=True, slots=True)
class Piece:
    """A block with its rows, for those who go through whole columns."""

    spot: Spot
    content: Content

    def rows(self, split: str = "") -> Iterator[Row]:
        """The rows that are there, of one split or of all."""
        wanted = _code(split)
        content, start = self.content, self.spot.start
        for index, code in enumerate(self.spot.splits):
            if code != ABSENT and wanted in (None, code):
                yield Row(start + index, content.row(index), SPLITS[code].value)


class Table:
    """One version of a dataset. Holds a byte a row; values are read when they are asked for."""

    def __init__(self, dataset: Dataset, number: int | None = None) -> None:
        """The newest version, or the one of that number; raises `NotFound` for others."""
        self.dataset = dataset
        self.number = number or dataset.number
        self.columns: list[str] = list(dataset.columns)
        self.mapping: dict[str, str] = dict(dataset.mapping)
        if self.number != dataset.number:
            version = Version.objects.filter(dataset=dataset, number=self.number).first()
            if version is None:
                raise NotFound(f"“{dataset.name}” has no version {self.number}.")
            self.columns, self.mapping = list(version.columns), dict(version.mapping)

    @cached_property
    def spots(self) -> tuple[Spot, ...]:
        """Where its blocks stand, in order."""
        # Another version may be the newest one by now: nothing but the number says which it is.
        found = _places_in(self.dataset, self.number).order_by("start")
        return tuple(
            Spot(start, block, bytes(splits))
            for start, block, splits in found.values_list("start", "block_id", "splits")
        )

    def counts(self) -> dict[str, int]:
        """Rows for each split."""
        return count_splits(spot.splits for spot in self.spots)

    def count(self, split: str = "") -> int:
        """Rows of a split, or of all."""
        counts = self.counts()
        return counts[split] if split else sum(counts.values())

    def pieces(self, spots: Sequence[Spot] | None = None) -> Iterator[Piece]:
        """Every block with its values, some of them read at once; or only those."""
        waiting = iter(self.spots if spots is None else spots)
        while taken := list(islice(waiting, AT_ONCE)):
            contents = read_blocks(spot.block for spot in taken)
            for spot in taken:
                yield Piece(spot, contents[spot.block])

    def rows(self, split: str = "") -> Iterator[Row]:
        """All rows in the order of their numbers, of one split or of all."""
        code = _code(split)
        wanted = [spot for spot in self.spots if code is None or bytes([code]) in spot.splits]
        for piece in self.pieces(wanted):
            yield from piece.rows(split)

    def get(self, number: int) -> Row | None:
        """The row of that number, or None."""
        return next(iter(self.at([number])), None)

    def at(self, numbers: Iterable[int]) -> list[Row]:
        """The rows of these numbers in this order, without those that are not there."""
        wanted = list(numbers)
        spots = {number: spot for number in wanted if (spot := self.spot_of(number))}
        contents = read_blocks({spot.block for spot in spots.values()})
        found = []
        for number in wanted:
            if spot := spots.get(number):
                index = number - spot.start
                code = spot.splits[index]
                if code != ABSENT:
                    values = contents[spot.block].row(index)
                    found.append(Row(number, values, SPLITS[code].value))
        return found

    def spot_of(self, number: int) -> Spot | None:
        """Where the row of that number stands, or stood."""
        index = bisect_right(self._starts, number) - 1
        if index < 0 or number >= self.spots[index].end:
            return None
        return self.spots[index]

    def page(self, offset: int, limit: int, split: str = "") -> list[Row]:
        """Rows by their place among those that are there; reads only the blocks they are in."""
        return self.at(islice(self.numbers(split, skip=offset), limit))

    def numbers(self, split: str = "", *, skip: int = 0) -> Iterator[int]:
        """The numbers of the rows that are there, without the first `skip` of them."""
        code = _code(split)
        for spot in self.spots:
            splits = spot.splits
            there = len(splits) - splits.count(ABSENT) if code is None else splits.count(code)
            if skip >= there:
                skip -= there
                continue
            for index, one in enumerate(splits):
                if one != ABSENT and code in (None, one):
                    if skip:
                        skip -= 1
                    else:
                        yield spot.start + index

    @cached_property
    def _starts(self) -> list[int]:
        return [spot.start for spot in self.spots]


def places_of(dataset: Dataset, number: int) -> Any:
    """The query for the places of a version; that of the newest one is for who has the lock."""
    if number == dataset.number:
        return Place.objects.filter(dataset=dataset, last=None)
    return _places_in(dataset, number)


def _places_in(dataset: Dataset, number: int) -> Any:
    places = Place.objects.filter(dataset=dataset, first__lte=number)
    return places.filter(Q(last=None) | Q(last__gte=number))


def read_blocks(pks: Iterable[int]) -> dict[int, Content]:
    """The contents of blocks by their keys."""
    found = Block.objects.filter(pk__in=set(pks)).values_list("pk", "data")
    return {pk: decode(data) for pk, data in found}


def count_splits(splits: Iterable[bytes]) -> dict[str, int]:
    """Rows for each split."""
    counts = [0, 0, 0]
    for codes in splits:
        for code in range(3):
            counts[code] += codes.count(code)
    return {split.value: count for split, count in zip(SPLITS, counts, strict=True)}


def _code(split: str) -> int | None:
    return SPLITS.index(Split(split)) if split else None
