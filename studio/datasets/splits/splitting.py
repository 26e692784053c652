"""Which row is for train, dev and test; and what that means for labels and repeated inputs."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

import numpy
import numpy.typing

from studio.datasets.blocks import ABSENT
from studio.datasets.table import SPLITS
from studio.datasets.uploading.choices import MAX_LABELS
from studio.engine.codec import canonical_json

Numbers = numpy.typing.NDArray[Any]

LEFT_OUT = ABSENT
OPEN = 254
"""The split is drawn."""
_SHOWN = 20
_FEW = 20_000
"""So many draws are shuffled by Python."""
OTHERS = "(other)"


def label_text(value: Any) -> str:
    """A value as the label that is counted."""
    if isinstance(value, str):
        return value[:80]
    return "" if value is None else canonical_json(value)[:80]


class Splitter:
    """Takes rows in the order of the file, and knows their splits at the end.

    It keeps ten bytes a row, not the rows.
    """

    def __init__(self, *, shares: Sequence[int] = (60, 20, 20), seed: int = 0) -> None:
        self.splits = bytearray()
        """For each row the index in `SPLITS`, or `LEFT_OUT`."""
        self._shares = shares
        self._seed = seed
        self._labels: dict[str, int] = {}
        self._label_of = bytearray()
        self._keys = array("q")
        self._known: tuple[int, Numbers] | None = None

    def extend(
        self, codes: Sequence[int], labels: Sequence[str] | None, inputs: Iterable[int]
    ) -> None:
        """The next rows: the split of each (`OPEN`: it is drawn), its label, a hash of its inputs.

        Rows with the code `LEFT_OUT` are not kept.
        """
        self.splits.extend(codes)
        self._keys.extend(array("q", inputs))
        label_of = self._label_of
        if labels is None:
            label_of.extend(bytes([self._label("")]) * len(codes))
        elif LEFT_OUT in codes:
            pairs = zip(codes, labels, strict=True)
            label_of.extend(0 if code == LEFT_OUT else self._label(one) for code, one in pairs)
        else:
            known = self._labels
            all_known = all(map(known.__contains__, labels))
            label_of.extend(map(known.__getitem__ if all_known else self._label, labels))

    def _label(self, label: str) -> int:
        known = self._labels.get(label)
        if known is None:
            if len(self._labels) >= MAX_LABELS:
                label = OTHERS
            known = self._labels.setdefault(label, len(self._labels))
        return known

    def draw(self) -> None:
        """Give every row that has no split one, label by label.

        Rows with the same inputs go to the same split: otherwise a compiler would be judged on
        what it has learned from.
        """
        first = self._first
        splits = numpy.frombuffer(self.splits, numpy.uint8).copy()
        drawn = numpy.flatnonzero((splits == OPEN) & (first == numpy.arange(len(splits))))
        labels = numpy.frombuffer(self._label_of, numpy.uint8)[drawn]
        owed = [0.0, 0.0, 0.0]
        for label in map(int, numpy.unique(labels)):
            rows = drawn[labels == label]
            draws = bytearray()
            for code, count in enumerate(_quotas(len(rows), self._shares, owed)):
                draws.extend(bytes([code]) * count)
            splits[rows] = _shuffled(draws, f"{self._seed}:{label}")
        late = numpy.flatnonzero(splits == OPEN)
        splits[late] = splits[first[late]]
        self.splits[:] = splits.tobytes()

    def counts(self) -> dict[str, int]:
        """Rows for each split."""
        return {split.value: self.splits.count(code) for code, split in enumerate(SPLITS)}

    def labels(self) -> dict[str, dict[str, int]]:
        """For each label the rows for each split, the most frequent label first."""
        splits = numpy.frombuffer(self.splits, numpy.uint8)
        kept = splits != LEFT_OUT
        return count_labels(
            list(self._labels), numpy.frombuffer(self._label_of, numpy.uint8)[kept], splits[kept]
        )

    def duplicates(self) -> dict[str, Any]:
        """Rows that repeat the inputs of an earlier one, and those that do so across splits."""
        splits = numpy.frombuffer(self.splits, numpy.uint8)
        rows = numpy.arange(1, len(splits) + 1)
        return count_duplicates(self._first, splits, rows)

    @property
    def _first(self) -> Numbers:
        """For each row the first that has the same inputs; itself for rows that are left out."""
        if self._known is None or self._known[0] != len(self.splits):
            first = numpy.arange(len(self.splits))
            kept = numpy.flatnonzero(numpy.frombuffer(self.splits, numpy.uint8) != LEFT_OUT)
            keys = numpy.frombuffer(self._keys, numpy.int64)[kept]
            first[kept] = kept[first_of(keys)]
            self._known = len(self.splits), first
        return self._known[1]


def first_of(keys: Numbers) -> Numbers:
    """For each key the place at which it stands first."""
    _keys, first, found = numpy.unique(keys, return_index=True, return_inverse=True)
    return first[found]


def count_labels(
    names: Sequence[str], labels: Numbers, splits: Numbers
) -> dict[str, dict[str, int]]:
    """For each label the rows for each split, the most frequent label first.

    `labels` has for each row the index of its name, `splits` its index in `SPLITS`.
    """
    table = numpy.bincount(
        labels.astype(numpy.int64) * len(SPLITS) + splits, minlength=len(names) * len(SPLITS)
    ).reshape(len(names), len(SPLITS))
    order = numpy.argsort(-table.sum(axis=1), kind="stable")
    return {
        names[label]: {split.value: int(table[label, code]) for code, split in enumerate(SPLITS)}
        for label in order
        if table[label].any()
    }


def count_duplicates(first: Numbers, splits: Numbers, numbers: Numbers) -> dict[str, Any]:
    """Rows whose inputs stand at an earlier place, `first`, and those of another split there."""
    repeated = numpy.flatnonzero(first != numpy.arange(len(first)))
    across = repeated[splits[repeated] != splits[first[repeated]]]
    return {
        "rows": len(repeated),
        "across": len(across),
        "shown": [
            {
                "row": int(numbers[index]),
                "split": SPLITS[splits[index]].value,
                "first": int(numbers[first[index]]),
                "first_split": SPLITS[splits[first[index]]].value,
            }
            for index in across[:_SHOWN]
        ],
    }


def _shuffled(draws: bytearray, seed: str) -> Numbers:
    """The same draws in an order that only the seed decides.

    Python's own shuffle takes half a second for a million rows, so many of them are shuffled by
    numpy's legacy generator, which gives the same numbers in all its versions.
    """
    if len(draws) <= _FEW:
        random.Random(seed).shuffle(draws)
        return numpy.frombuffer(draws, numpy.uint8)
    start = int.from_bytes(sha256(seed.encode()).digest()[:4], "big")
    return numpy.random.RandomState(start).permutation(numpy.frombuffer(draws, numpy.uint8))


def _quotas(size: int, shares: Sequence[int], owed: list[float]) -> list[int]:
    """Whole numbers that add up to `size`; what rounding takes is owed to the next label."""
    total = sum(shares)
    for code, share in enumerate(shares):
        owed[code] += size * share / total
    counts = [max(0, int(value + 1e-9)) for value in owed]
    while sum(counts) > size:
        counts[max(range(3), key=lambda code: counts[code] - owed[code])] -= 1
    while sum(counts) < size:
        counts[max(range(3), key=lambda code: owed[code] - counts[code])] += 1
    for code, count in enumerate(counts):
        owed[code] -= count
    return counts
