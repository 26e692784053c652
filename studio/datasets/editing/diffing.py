"""What is different between two versions: only the places that differ are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from studio.datasets.blocks import ABSENT, Content
from studio.datasets.editing.changes import get_version
from studio.datasets.editing.values import changed_rows, differ
from studio.datasets.models import Dataset, Place
from studio.datasets.table import SPLITS, Row, Spot, read_blocks

KINDS = ("added", "changed", "removed", "moved")
AT_ONCE = 16
"""So many pairs of blocks are read with one query."""

Pair = tuple[Spot | None, Spot | None]
"""What stood somewhere in one version, and what stands there in the other."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that is not the same in both versions; None where it is not there."""

    number: int
    was: Row | None
    now: Row | None

    @property
    def kinds(self) -> tuple[str, ...]:
        """`added` or `removed`; or `changed`, `moved` or both."""
        if self.was is None:
            return ("added",)
        if self.now is None:
            return ("removed",)
        moved = ("moved",) if self.was.split != self.now.split else ()
        return (("changed",) if self.columns else ()) + moved

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns whose values differ."""
        was = self.was.values if self.was else {}
        now = self.now.values if self.now else {}
        names = dict.fromkeys((*was, *now))
        return tuple(name for name in names if differ(was.get(name), now.get(name)))


def differing(dataset: Dataset, first: int, second: int, *, after: int = 0) -> list[Pair]:
    """The places that differ, in order, from the one on that holds numbers above `after`.

    Raises `NotFound` for versions that are not there.
    """
    get_version(dataset, first)
    get_version(dataset, second)
    if first > second:
        return [(old, new) for new, old in differing(dataset, second, first, after=after)]
    places = Place.objects.filter(dataset=dataset)
    was = _spots(places.filter(first__lte=first, last__gte=first, last__lt=second))
    now = _spots(
        places.filter(Q(last=None) | Q(last__gte=second), first__gt=first, first__lte=second)
    )
    pairs = ((was.get(start), now.get(start)) for start in sorted({*was, *now}))
    return [(a, b) for a, b in pairs if a != b and max(_end(a), _end(b)) > after + 1]


def between(dataset: Dataset, first: int, second: int, *, after: int = 0) -> Iterator[Difference]:
    """The rows with numbers above `after` that differ, in order, block by block."""
    pairs = differing(dataset, first, second, after=after)
    for at in range(0, len(pairs), AT_ONCE):
        some = pairs[at : at + AT_ONCE]
        contents = read_blocks(spot.block for pair in some for spot in pair if spot)
        for was, now in some:
            for row in _in_pair(was, now, contents):
                if row.number > after:
                    yield row


def _in_pair(
    was: Spot | None, now: Spot | None, contents: dict[int, Content]
) -> Iterator[Difference]:
    start = was.start if was else now.start if now else 0
    before = was.splits if was else b""
    after = now.splits if now else b""
    changed: set[int] = set()
    if was and now and was.block != now.block:
        both = min(len(before), len(after))
        changed = changed_rows(contents[was.block], contents[now.block], both)
    for index in range(max(len(before), len(after))):
        old = before[index] if index < len(before) else ABSENT
        new = after[index] if index < len(after) else ABSENT
        if old != new or (index in changed and old != ABSENT):
            number = start + index
            yield Difference(
                number,
                _row(was, contents, index, number, old),
                _row(now, contents, index, number, new),
            )


def _row(
    spot: Spot | None, contents: dict[int, Content], index: int, number: int, code: int
) -> Row | None:
    if spot is None or code == ABSENT:
        return None
    return Row(number, contents[spot.block].row(index), SPLITS[code].value)


def _spots(places: Any) -> dict[int, Spot]:
    found = places.values_list("start", "block_id", "splits")
    return {start: Spot(start, block, bytes(splits)) for start, block, splits in found}


def _end(spot: Spot | None) -> int:
    return spot.end if spot else 0
