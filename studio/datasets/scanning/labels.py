"""How the rows are spread over the labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from studio.datasets.scanning.collecting import Collector
from studio.datasets.scanning.kinds import BALANCE
from studio.datasets.table import SPLITS
from studio.datasets.uploading.judging import shorten

FEWEST = 5
"""Rows of a label; with fewer of them nothing can be said of it."""
UNEVEN = 20
"""So many times as many rows as another label has."""
MOST_LABELS = 1_000
"""A column with more different values is no label."""


class Labels:
    """Counts the labels of each split."""

    def __init__(self, column: str) -> None:
        self.column = column
        self.counts: list[Counter[str]] = [Counter() for _ in SPLITS]
        self._too_many = False

    def add(self, label: str, split: int) -> None:
        """The label of the next row."""
        counts = self.counts[split]
        if label and (label in counts or len(counts) < MOST_LABELS):
            counts[label] += 1
        elif label:
            self._too_many = True

    @property
    def all(self) -> Counter[str]:
        """Of all splits together."""
        return sum(self.counts, Counter[str]())

    def tell(self, collector: Collector) -> None:
        """Hand over what is wrong with them."""
        counts = self.all
        if self._too_many or len(counts) < 2:
            return
        small = [(label, count) for label, count in counts.items() if count < FEWEST]
        for label, count in sorted(small, key=lambda pair: (pair[1], pair[0])):
            rows = "1 row" if count == 1 else f"{count} rows"
            _tell(
                collector,
                ("rare", label),
                f"“{shorten(label, 60)}” has only {rows}: fewer than {FEWEST} say nothing of it.",
            )
        for label in sorted(counts):
            if counts[label] < FEWEST:
                continue
            missing = self._missing(label)
            if missing:
                _tell(
                    collector,
                    ("missing", label, *missing),
                    f"“{shorten(label, 60)}” does not occur in {' and '.join(missing)}.",
                )
        (most, many), (least, few) = _ends(counts)
        if many > UNEVEN * few:
            _tell(
                collector,
                ("uneven", most, least),
                f"“{shorten(most, 60)}” has {many:,} rows and “{shorten(least, 60)}” {few:,}: "
                f"more than {UNEVEN} times as many.",
            )

    def _missing(self, label: str) -> list[str]:
        pairs = zip(SPLITS, self.counts, strict=True)
        return [split.value for split, counts in pairs if counts and not counts[label]]

    @property
    def baseline(self) -> str:
        """What always answering the most frequent label would score, in words."""
        counts = self.all
        if self._too_many or len(counts) < 2:
            return ""
        (most, many), _least = _ends(counts)
        return (
            f"Always answering “{shorten(most, 60)}” is right in {many / counts.total():.0%} of "
            f"{counts.total():,} rows: a program has to do better than that."
        )


def _ends(counts: Mapping[str, int]) -> tuple[tuple[str, int], tuple[str, int]]:
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ordered[0], ordered[-1]


def _tell(collector: Collector, named: tuple[str, ...], what: str) -> None:
    collector.add(BALANCE.name, named, (), {"what": what})
