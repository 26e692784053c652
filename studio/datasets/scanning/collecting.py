"""What a scan keeps: exact counts, and a bounded list of findings for each kind."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from studio.datasets.scanning.folding import digest

LISTED = 1_000
"""Findings of a kind that are listed; all are counted."""
LISTED_ROWS = 200
"""Rows of a finding that are listed."""
_MOST_NUMBERS = 40_000
"""Row numbers that are listed for a kind, in all."""

Rows = Sequence[tuple[int, int]]
"""Numbers of rows, and what they are for: indices in `SPLITS`."""


@dataclass
class _Kind:
    count: int = 0
    waived: int = 0
    rows: array[int] = field(default_factory=lambda: array("Q"))
    numbers: int = 0
    open: list[dict[str, Any]] = field(default_factory=list)
    closed: list[dict[str, Any]] = field(default_factory=list)


class Collector:
    """Takes findings as they come."""

    def __init__(self, waived: Collection[tuple[str, str]] = ()) -> None:
        self._waived = frozenset(waived)
        """Kinds and keys of what somebody has waived."""
        self._kinds: dict[str, _Kind] = {}

    def add(
        self,
        kind: str,
        named: Iterable[Any],
        rows: Rows,
        data: Mapping[str, Any] | None = None,
        *,
        of: int | None = None,
    ) -> None:
        """A finding. What it is `named` by stays the same in later versions, as long as it does.

        `data` is kept with it; there must be no value of a row in it. `of` is how many rows there
        are, when `rows` are not all.
        """
        found = self._kinds.setdefault(kind, _Kind())
        key = key_of(kind, named)
        is_waived = (kind, key) in self._waived
        found.count += 1
        found.waived += is_waived
        found.rows.extend(number for number, _split in rows)
        kept = found.closed if is_waived else found.open
        if len(kept) >= LISTED:
            return
        some = rows[: max(2, min(LISTED_ROWS, _MOST_NUMBERS - found.numbers))]
        found.numbers += len(some)
        total = len(rows) if of is None else of
        kept.append({"key": key, "rows": [list(row) for row in some], "of": total, **(data or {})})

    def to_dict(self) -> dict[str, Any]:
        """`{kind: {"count", "waived", "rows", "open": […], "closed": […]}}`."""
        return {
            name: {
                "count": kind.count,
                "waived": kind.waived,
                "rows": len(set(kind.rows)),
                "open": kind.open,
                "closed": kind.closed,
            }
            for name, kind in self._kinds.items()
        }


def key_of(kind: str, named: Iterable[Any]) -> str:
    """The name of a finding."""
    return digest("\n".join([kind, *map(str, named)])).hex()
