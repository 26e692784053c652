"""What became of one row over the versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studio.datasets.blocks import ABSENT, decode
from studio.datasets.editing.values import differ
from studio.datasets.models import Dataset, Place, Version
from studio.datasets.splits.sealing import may_see
from studio.datasets.table import SPLITS, Table

MOST = 50
"""So many of the newest changes of a block are looked at."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a version did to a row."""

    version: Version
    kind: str
    """`new`, `changed` or `deleted`."""
    cells: Sequence[tuple[str, Any, Any]]
    """Column, value before, value after."""
    splits: tuple[str, str]
    """Before and after."""


def history_of(dataset: Dataset, number: int) -> list[Change]:
    """Versions that made, changed or deleted a row, the newest first.

    A row that is sealed now has none that could be shown.
    """
    now = Table(dataset)
    spot = now.spot_of(number)
    found = Place.objects.filter(dataset=dataset, start__lte=number).order_by("-start", "-first")
    start = spot.start if spot else found.values_list("start", flat=True).first()
    states = _states(dataset, start, number) if start is not None else []
    if any(not may_see(dataset, split) for _first, _values, split in states):
        return []
    versions = {
        one.number: one
        for one in Version.objects.filter(
            dataset=dataset, number__in=[first for first, _values, _split in states]
        ).select_related("created_by")
    }
    changes = []
    before: Mapping[str, Any] = {}
    split_before = ""
    for first, values, split in states:
        cells = [
            (name, before.get(name), values.get(name))
            for name in dict.fromkeys([*before, *values])
            if differ(before.get(name), values.get(name))
        ]
        if split != split_before or (split and cells):
            kind = "changed" if split and split_before else "new" if split else "deleted"
            if first in versions:
                shown = cells if kind == "changed" else []
                changes.append(Change(versions[first], kind, shown, (split_before, split)))
        before, split_before = values, split
    return changes[::-1]


def _states(dataset: Dataset, start: int, number: int) -> list[tuple[int, Mapping[str, Any], str]]:
    """First version, values and split of the row, wherever its block was another; oldest first.

    An empty split: the row was not there.
    """
    places = Place.objects.filter(dataset=dataset, start=start).order_by("-first")
    taken = list(places.values_list("first", "splits", "block__data")[:MOST])
    index = number - start
    found: list[tuple[int, Mapping[str, Any], str]] = []
    for first, splits, data in reversed(taken):
        codes = bytes(splits)
        if index >= len(codes) or codes[index] == ABSENT:
            found.append((first, {}, ""))
        else:
            found.append((first, decode(data).row(index), SPLITS[codes[index]].value))
    return found
