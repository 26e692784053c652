"""Which row is for train, dev and test; and what that means for labels and repeated inputs."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence
from typing import Any

from studio.datasets.choices import MAX_LABELS
from studio.datasets.models import Split

SPLITS = tuple(Split)
LEFT_OUT = 255
_OPEN = 254
_SHOWN = 20
OTHERS = "(other)"


class Splitter:
    """Takes rows one by one, in the order of the file, and knows their splits at the end.

    It keeps a few bytes a row and one number for each different input, not the rows.
    """

    def __init__(self, *, shares: Sequence[int] = (60, 20, 20), seed: int = 0) -> None:
        self.splits = bytearray()
        """For each row the index in `SPLITS`, or `LEFT_OUT`."""
        self._shares = shares
        self._seed = seed
        self._labels: dict[str, int] = {}
        self._label_of = array("H")
        self._first_of: dict[int, int] = {}
        self._twins: dict[int, int] = {}

    def leave_out(self) -> None:
        """The next row is not kept."""
        self.splits.append(LEFT_OUT)
        self._label_of.append(0)

    def add(self, *, split: Split | None, label: str, inputs: int) -> None:
        """The next row. `split` None: it is drawn. `inputs` is a hash of the row's inputs."""
        index = len(self.splits)
        self.splits.append(_OPEN if split is None else SPLITS.index(split))
        if len(self._labels) >= MAX_LABELS and label not in self._labels:
            label = OTHERS
        self._label_of.append(self._labels.setdefault(label, len(self._labels)))
        first = self._first_of.setdefault(inputs, index)
        if first != index:
            self._twins[index] = first

    def draw(self) -> None:
        """Give every row that has no split one, label by label.

        Rows with the same inputs go to the same split: otherwise a compiler would be judged on
        what it has learned from.
        """
        by_label: dict[int, array[int]] = {}
        for index, split in enumerate(self.splits):
            if split == _OPEN and index not in self._twins:
                by_label.setdefault(self._label_of[index], array("L")).append(index)
        owed = [0.0, 0.0, 0.0]
        for label in sorted(by_label):
            indices = by_label[label]
            draws = bytearray()
            for code, count in enumerate(_quotas(len(indices), self._shares, owed)):
                draws.extend(bytes([code]) * count)
            random.Random(f"{self._seed}:{label}").shuffle(draws)
            for index, code in zip(indices, draws, strict=True):
                self.splits[index] = code
        for index, first in self._twins.items():
            if self.splits[index] == _OPEN:
                self.splits[index] = self.splits[first]

    def counts(self) -> dict[str, int]:
        """Rows for each split."""
        return {split.value: self.splits.count(code) for code, split in enumerate(SPLITS)}

    def labels(self) -> dict[str, dict[str, int]]:
        """For each label the rows for each split, the most frequent label first."""
        table = [[0, 0, 0] for _label in self._labels]
        for label, split in zip(self._label_of, self.splits, strict=True):
            if split != LEFT_OUT:
                table[label][split] += 1
        rows = zip(self._labels, table, strict=True)
        return {
            label: {split.value: count for split, count in zip(SPLITS, counts, strict=True)}
            for label, counts in sorted(rows, key=lambda row: -sum(row[1]))
        }

    def duplicates(self) -> dict[str, Any]:
        """Rows that repeat the inputs of an earlier one, and those that do so across splits."""
        across = [
            (first, index)
            for index, first in self._twins.items()
            if self.splits[index] != self.splits[first]
        ]
        return {
            "rows": len(self._twins),
            "across": len(across),
            "shown": [
                {
                    "row": index + 1,
                    "split": SPLITS[self.splits[index]].value,
                    "first": first + 1,
                    "first_split": SPLITS[self.splits[first]].value,
                }
                for first, index in across[:_SHOWN]
            ],
        }


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
