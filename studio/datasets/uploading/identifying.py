"""Whether the column that names rows does: no row without a name, no name twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from studio.datasets.reading import Batch
from studio.datasets.splits.splitting import LEFT_OUT
from studio.datasets.uploading.judging import text_of


class Ids:
    """Eight bytes for each row: a hash of its id."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._hashes: list[np.ndarray[Any, np.dtype[np.int64]]] = []
        self._missing = 0

    def add(self, batch: Batch, codes: Sequence[int]) -> None:
        """Rows of a batch with their codes; those that are left out do not count."""
        if not self._column:
            return
        if self._column not in batch.columns:
            self._missing += batch.count
            return
        values = batch.cells[batch.columns.index(self._column)]
        if set(map(type, values)) != {str}:
            values = [text_of(value) for value in values]
        if LEFT_OUT in codes:
            values = [one for one, code in zip(values, codes, strict=True) if code != LEFT_OUT]
        empty = values.count("")
        if empty:
            self._missing += empty
            values = [value for value in values if value]
        self._hashes.append(np.fromiter(map(hash, values), np.int64, len(values)))

    def to_dict(self) -> dict[str, Any]:
        """`{"column", "repeated", "missing"}`, for a report; empty without a column."""
        if not self._column:
            return {}
        hashes = np.concatenate(self._hashes) if self._hashes else np.empty(0, np.int64)
        hashes.sort()
        repeated = np.count_nonzero(hashes[1:] == hashes[:-1])
        return {"column": self._column, "repeated": int(repeated), "missing": self._missing}
