"""Where rows stand in the newest version, without reading where all others do."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from studio.datasets.editing.rewriting import MOST_ROWS
from studio.datasets.models import Dataset
from studio.datasets.table import Spot, Table, places_of
from studio.errors import Conflict

_FEW = 64
"""So many rows are looked up one by one."""


@dataclass(frozen=True, slots=True)
class Stand:
    """A place of the newest version, and since when it is one."""

    spot: Spot
    first: int


def stands_of(dataset: Dataset, numbers: Collection[int]) -> dict[int, Stand]:
    """Where rows stand, or stood, by their numbers."""
    places = places_of(dataset, dataset.number).order_by("-start")
    wanted = ("start", "block_id", "splits", "first")
    found: dict[int, Stand] = {}
    if len(numbers) <= _FEW:
        for number in numbers:
            if 0 < number <= MOST_ROWS:
                for row in places.filter(start__lte=number).values_list(*wanted)[:1]:
                    found[number] = _read(*row)
    else:
        first = dict(places.values_list("start", "first"))
        table = Table(dataset)
        for number in numbers:
            spot = table.spot_of(number)
            if spot:
                found[number] = Stand(spot, first[spot.start])
    return {number: one for number, one in found.items() if number < one.spot.end}


def _read(start: int, block: int, splits: Any, first: int) -> Stand:
    return Stand(Spot(start, block, bytes(splits)), first)


def code_at(stands: Mapping[int, Stand], number: int) -> int | None:
    one = stands.get(number)
    return one.spot.splits[number - one.spot.start] if one else None


def refuse_stale(dataset: Dataset, base: int, stands: Mapping[int, Stand]) -> None:
    """Raise `Conflict` when one of the rows is another than in the version `base`."""
    wanted = sorted(number for number, one in stands.items() if one.first > base)
    if not wanted:
        return  # their places are as old as that
    now = {row.number: row for row in Table(dataset).at(wanted)}
    then = {row.number: row for row in Table(dataset, base).at(wanted)}
    for number in wanted:
        if now.get(number) != then.get(number):
            raise Conflict(
                f"Somebody else has changed row {number} in the meantime. Look at it, and try "
                "again.",
                row=number,
            )
