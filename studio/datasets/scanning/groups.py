"""Rows that belong together and stand in several splits."""

from __future__ import annotations

from array import array
from typing import Any

from studio.datasets.browsing.facts import is_empty
from studio.datasets.scanning.collecting import LISTED_ROWS, Collector
from studio.datasets.scanning.folding import digest
from studio.datasets.scanning.kinds import GROUP
from studio.datasets.table import SPLITS
from studio.datasets.uploading.judging import text_of

MOST_GROUPS = 300_000
"""So many different values of a column are followed."""


class Groups:
    """The rows of each value of a column."""

    def __init__(self, column: str) -> None:
        self.column = column
        self.is_whole = True
        """Every value was followed."""
        self._rows: dict[bytes, array[int]] = {}
        """By the hash of the value: how many, their splits as bits, then the first of them."""

    def add(self, number: int, split: int, value: Any) -> None:
        """The value of the next row."""
        if is_empty(value):
            return
        key = digest(text_of(value).strip().casefold(), size=8)
        found = self._rows.get(key)
        if found is None:
            if len(self._rows) >= MOST_GROUPS:
                self.is_whole = False
                return
            found = self._rows[key] = array("Q", [0, 0])
        found[0] += 1
        found[1] |= 1 << split
        if len(found) < 2 + 2 * LISTED_ROWS:
            found.extend((number, split))

    def tell(self, collector: Collector) -> None:
        """Hand over the groups of several splits."""
        for key, found in self._rows.items():
            splits = [at for at in range(len(SPLITS)) if found[1] >> at & 1]
            if len(splits) > 1:
                rows = list(zip(found[2::2], found[3::2], strict=True))
                names = " and ".join(SPLITS[at].value for at in splits)
                collector.add(
                    GROUP.name,
                    (self.column, key.hex(), *splits),
                    rows,
                    {
                        "column": self.column,
                        "what": f"{found[0]:,} rows of one “{self.column}” stand in {names}.",
                    },
                    of=found[0],
                )
