"""The versions of a dataset: what each was, who used it, and how one is taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import Count

from studio.accounts.models import Role
from studio.accounts.services import require
from studio.datasets.editing.changes import Changes, change, get_version, restore
from studio.datasets.editing.diffing import Difference, between, differing
from studio.datasets.models import Dataset, Version
from studio.errors import Conflict, Invalid

MOST_UNDONE = 2_000
"""Rows of a version that is taken back although there are newer ones."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A version in the list."""

    version: Version
    runs: int
    """Runs that read it."""


def with_runs(dataset: Dataset, versions: Iterable[Version]) -> list[Listed]:
    """Versions with the number of runs that read them."""
    found = list(versions)
    used = (
        dataset.runs.filter(dataset_number__in=[one.number for one in found])
        .order_by()
        .values_list("dataset_number")
        .annotate(n=Count("pk"))
    )
    runs = dict(used)
    return [Listed(one, runs.get(one.number, 0)) for one in found]


def undo(*, actor: Any, dataset: Dataset, number: int) -> set[int]:
    """Take back what a version changed, as a new version; the rows that are as before.

    Needs the role author. The newest version is taken back whatever it did. Of older ones the
    rows are, while nobody else has changed them: raises `Conflict` otherwise. The set is empty
    when more rows are concerned than a page shows.
    """
    require(user=actor, project=dataset.project, role=Role.AUTHOR)
    version = get_version(dataset, number)
    if number == 1:
        raise Invalid("The first version cannot be taken back: there is nothing before it.")
    message = f"Version {number} taken back"
    if number == dataset.number:
        restore(actor=actor, dataset=dataset, number=number - 1, message=message)
        few = list(islice(between(dataset, number - 1, number), MOST_UNDONE + 1))
        return {row.number for row in few} if len(few) <= MOST_UNDONE else set()
    before = get_version(dataset, number - 1)
    rows = list(islice(between(dataset, number - 1, number), MOST_UNDONE + 1))
    if len(rows) > MOST_UNDONE or (before.columns, before.mapping) != (
        version.columns, version.mapping,
    ):  # fmt: skip
        raise Conflict(
            f"Version {number} cannot be taken back alone: there are newer ones, and it changed "
            f"more than {MOST_UNDONE:,} rows, or columns. Restore the version before it instead."
        )
    change(
        actor=actor,
        dataset=dataset,
        changes=_reverse(rows),
        kind=Version.Kind.RESTORE,
        message=message,
        base=number,
    )
    return {row.number for row in rows}


def _reverse(rows: Iterable[Difference]) -> Changes:
    cells: dict[int, dict[str, Any]] = {}
    splits: dict[int, str] = {}
    back: dict[int, str] = {}
    removed: set[int] = set()
    for row in rows:
        if row.was is None:
            removed.add(row.number)
        elif row.now is None:
            back[row.number] = row.was.split
        else:
            if row.columns:
                cells[row.number] = {name: row.was.values.get(name) for name in row.columns}
            if row.was.split != row.now.split:
                splits[row.number] = row.was.split
    return Changes(cells=cells, splits=splits, back=back, removed=removed)


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much of two versions differs."""

    blocks: int
    """Places that differ."""
    counts: dict[str, int] | None
    """Rows by kind; None: there are too many to read them all."""


def compare(dataset: Dataset, first: int, second: int, *, most: int = 200) -> Comparison:
    """Counts of what differs, if no more than so many blocks do."""
    pairs = differing(dataset, first, second)
    known = get_version(dataset, second)
    if second == first + 1:
        return Comparison(len(pairs), dict(known.changes))
    if len(pairs) > most:
        return Comparison(len(pairs), None)
    kinds = Counter(kind for row in between(dataset, first, second) for kind in row.kinds)
    return Comparison(len(pairs), dict(kinds))
