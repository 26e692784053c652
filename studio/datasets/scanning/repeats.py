"""Rows that ask the same, or nearly: leaks between splits, repetitions, conflicting labels."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from studio.datasets.models import Split
from studio.datasets.scanning.alike import Clusters, Inputs
from studio.datasets.scanning.collecting import Collector
from studio.datasets.scanning.kinds import CONFLICT, DUPLICATE, LEAK, NEAR, OVERLAP
from studio.datasets.table import SPLITS

TRAIN, DEV, TEST = (SPLITS.index(split) for split in (Split.TRAIN, Split.DEV, Split.TEST))
MOST_LABELS = 100_000
"""Of more different labels none is told apart."""
_NO_LABEL = 0

Side = tuple[Collection[int], Collection[int]]
_ACROSS: tuple[tuple[str, Side], ...] = (
    (LEAK.name, ((TEST,), (TRAIN, DEV))),
    (OVERLAP.name, ((DEV,), (TRAIN,))),
)
"""What is asked of a cluster first; the first that holds is told."""


class Repeats:
    """The rows of a version with their items, splits and labels."""

    def __init__(self) -> None:
        self.inputs = Inputs()
        self.numbers = array("Q")
        self.splits = bytearray()
        self.labels = array("i")
        self._codes: dict[str, int] = {"": _NO_LABEL}

    def add(
        self, number: int, split: int, texts: Sequence[str], others: str = "", label: str = ""
    ) -> bool:
        """The next row; False when it has no inputs."""
        if self.inputs.add(texts, others) is None:
            return False
        code = self._codes.get(label)
        if code is None:
            code = len(self._codes) if len(self._codes) < MOST_LABELS else _NO_LABEL
            self._codes.setdefault(label, code)
        self.numbers.append(number)
        self.splits.append(split)
        self.labels.append(code)
        return True

    def tell(self, clusters: Clusters, collector: Collector) -> None:
        """Hand over what rows repeat."""
        for cluster in self._clusters(clusters):
            across = next(
                (kind for kind, sides in _ACROSS if cluster.tell_across(kind, sides, collector)),
                "",
            )
            conflicts = cluster.tell_conflict(collector)
            cluster.tell_equal(collector)
            if not across and not conflicts:
                cluster.tell_near(collector)

    def _clusters(self, clusters: Clusters) -> Iterator[_Cluster]:
        """Those with more than one row, in the order of their first rows."""
        items = np.array(self.inputs.item_of, dtype=np.int64)
        if not len(items):
            return
        roots = np.fromiter(
            map(clusters.root, range(len(self.inputs.keys))), np.int64, len(self.inputs.keys)
        )
        of_row = roots[items]
        order = np.argsort(of_row, kind="stable")
        edges = np.flatnonzero(np.diff(of_row[order])) + 1
        pairs: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        for pair in sorted(clusters.pairs):
            pairs[int(roots[pair[0]])].append(pair)
        for places in np.split(order, edges):
            if len(places) > 1:
                root = int(of_row[places[0]])
                yield _Cluster(self, clusters, places.tolist(), pairs.get(root, []))

    def label(self, code: int) -> str:
        """The label behind a code."""
        return self._names[code]

    @cached_property
    def _names(self) -> list[str]:
        return list(self._codes)


@dataclass(frozen=True)
class _Cluster:
    """Rows that are equal or nearly so, directly or through others."""

    rows: Repeats
    clusters: Clusters
    places: list[int]
    pairs: list[tuple[int, int]]
    """Items that are nearly equal."""

    @cached_property
    def places_of(self) -> dict[int, list[int]]:
        """The rows of each item."""
        found: defaultdict[int, list[int]] = defaultdict(list)
        for place in self.places:
            found[self.rows.inputs.item_of[place]].append(place)
        return found

    @property
    def is_crowded(self) -> bool:
        """Whether not all of its pairs are known."""
        return self.clusters.is_crowded(self.rows.inputs.item_of[self.places[0]])

    def tell_across(self, kind: str, sides: Side, collector: Collector) -> bool:
        """Tell of rows of one side that give away rows of the other; False: there are none."""
        found: dict[int, None] = {}
        first: tuple[int, int] | None = None
        for one, other, is_equal in self._neighbours():
            mine, its = self._of(one, sides[0]), self._of(other, sides[1])
            if mine and its and (is_equal or self._agree(mine, its)):
                found |= dict.fromkeys((*mine, *its))
                first = first or (mine[0], its[0])
        if first is None and self.is_crowded:
            first = self._look_for(sides)
            found = dict.fromkeys([*first, *self.places] if first else ())
        if first is None:
            return False
        self._tell(kind, found, collector, pair=first)
        return True

    def tell_conflict(self, collector: Collector) -> bool:
        """Tell of rows with different labels; False: there are none."""
        found: dict[int, None] = {}
        first: tuple[int, int] | None = None
        labels = self.rows.labels
        for one, other, _is_equal in self._neighbours():
            mine, its = (
                [place for place in self.places_of[item] if labels[place] != _NO_LABEL]
                for item in (one, other)
            )
            pair = next(
                ((a, b) for a in mine[:50] for b in its[:50] if labels[a] != labels[b]), None
            )
            if pair is not None:
                found |= dict.fromkeys((*mine, *its))
                first = first or pair
        if first is None:
            return False
        told = sorted({self.rows.label(labels[place]) for place in found})
        self._tell(CONFLICT.name, found, collector, pair=first, more=told, labels=len(told))
        return True

    def tell_equal(self, collector: Collector) -> None:
        """Tell of equal rows of one split that have the same label."""
        for places in self.places_of.values():
            for split in range(len(SPLITS)):
                some = self._in(places, (split,))
                if len(some) > 1 and len({self.rows.labels[place] for place in some}) == 1:
                    self._tell(DUPLICATE.name, some, collector, pair=(some[0], some[1]))

    def tell_near(self, collector: Collector) -> None:
        """Tell of nearly equal rows of one split."""
        for split in range(len(SPLITS)):
            found: dict[int, None] = {}
            first: tuple[int, int] | None = None
            for one, other in self.pairs:
                mine, its = self._of(one, (split,)), self._of(other, (split,))
                if mine and its:
                    found |= dict.fromkeys((*mine, *its))
                    first = first or (mine[0], its[0])
            if first is not None:
                if self.is_crowded:
                    found |= dict.fromkeys(self._in(self.places, (split,)))
                self._tell(NEAR.name, found, collector, pair=first)

    def _neighbours(self) -> Iterator[tuple[int, int, bool]]:
        """Items, in either order, that are equal or nearly equal."""
        for item in self.places_of:
            yield item, item, True
        for one, other in self.pairs:
            yield one, other, False
            yield other, one, False

    def _look_for(self, sides: Side) -> tuple[int, int] | None:
        some, others = (
            [item for item in self.places_of if self._of(item, side)] for side in sides
        )
        pair = self.clusters.near_pair(some, others)
        if pair is None:
            return None
        mine, its = self._of(pair[0], sides[0]), self._of(pair[1], sides[1])
        return (mine[0], its[0]) if self._agree(mine, its) else None

    def _of(self, item: int, splits: Collection[int]) -> list[int]:
        return self._in(self.places_of[item], splits)

    def _in(self, places: Iterable[int], splits: Collection[int]) -> list[int]:
        return [place for place in places if self.rows.splits[place] in splits]

    def _agree(self, some: Sequence[int], others: Sequence[int]) -> bool:
        """Whether they have a label in common, or one of them has none."""
        mine, its = ({self.rows.labels[place] for place in side} for side in (some, others))
        return bool(mine & its) or _NO_LABEL in mine | its

    def _tell(
        self,
        kind: str,
        places: Iterable[int],
        collector: Collector,
        *,
        pair: tuple[int, int],
        more: Iterable[str] = (),
        **data: object,
    ) -> None:
        rows = self.rows
        item_of, keys = rows.inputs.item_of, rows.inputs.keys
        # The pair comes first: it is what people are shown.
        ordered = [*pair, *sorted(set(places) - set(pair))]
        named = sorted({f"{keys[item_of[one]].hex()} {rows.splits[one]}" for one in ordered})
        collector.add(
            kind,
            [*named, *more],
            [(rows.numbers[place], rows.splits[place]) for place in ordered],
            {
                "exact": len({item_of[place] for place in ordered}) == 1,
                "pair": [rows.numbers[place] for place in pair],
                **data,
            },
        )
