"""New rows come behind all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studio.datasets.blocks import NOTHING, ROWS, SIZE, Content
from studio.datasets.editing.rewriting import MOST_ROWS, Rewrite, end_of
from studio.datasets.table import Spot, places_of
from studio.errors import Invalid


class Appending:
    """Puts rows into the last block while it has room, then into new ones."""

    def __init__(self, rewrite: Rewrite) -> None:
        self._rewrite = rewrite
        self._start = end_of(rewrite.dataset)
        self._open: tuple[Spot, Content] | None = self._last()
        self.taken = len(self._open[0].splits) if self._open else 0
        """Rows of the block that the first piece goes into; see `blocks.cut`."""

    def add(self, rows: Sequence[Mapping[str, Any]], codes: bytes) -> None:
        """A piece as `blocks.cut` gives it, and what its rows are for."""
        rewrite, start = self._rewrite, self._start
        if start + len(rows) > MOST_ROWS:
            raise Invalid(f"A dataset holds at most {MOST_ROWS:,} rows.")
        rewrite.name_columns(dict.fromkeys(name for row in rows for name in row))
        rewrite.counts["added"] += len(rows)
        self._start += len(rows)
        spot, was = self._open or (None, NOTHING)
        self._open = None
        now = was.with_rows(rows)
        [block] = rewrite.store([now])
        if spot is None:
            rewrite.swap(None, Spot(start, block, codes), None, now)
        else:
            rewrite.extend(spot, Spot(spot.start, block, spot.splits + codes), was, now)

    def _last(self) -> tuple[Spot, Content] | None:
        """The last block, unless it is full, or another version had rows behind it."""
        rewrite = self._rewrite
        dataset = rewrite.dataset
        last = places_of(dataset, dataset.number).order_by("-start").first()
        if last is None:
            return None
        spot = rewrite.standing(Spot(last.start, last.block_id, bytes(last.splits)))
        if spot is None or spot.end != self._start or len(spot.splits) >= ROWS:
            return None
        content = rewrite.read([spot])[spot.block]
        size = sum(len(str(value)) for column in content.cells for value in column)
        return (spot, content) if size < SIZE else None
