"""A sealed test split: nobody is shown its rows, and each run that reads it is written down.

What is kept from people is what the studio shows them. The rows stand in the database as all
others do: whoever administers the database, or has the file that was uploaded, can read them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from studio.accounts.models import Role
from studio.accounts.services import record, require
from studio.datasets.blocks import Content
from studio.datasets.models import Dataset, Opening, Split
from studio.datasets.table import SPLITS, Row, Spot, Table
from studio.errors import Conflict, Invalid, NotFound

TEST = SPLITS.index(Split.TEST)
SHORTEST_REASON = 10
ONLY_SEALED = "(only in the sealed test)"
"""Stands for all labels that no row has which people may see."""
HIDDEN = "The test split is sealed, so its rows are not shown."


def may_see(dataset: Dataset | None, split: str) -> bool:
    """Whether people may be shown the rows of a split, whoever they are."""
    return dataset is None or not (dataset.sealed and split == Split.TEST)


def visible_splits(dataset: Dataset) -> tuple[str, ...]:
    """The splits whose rows people may be shown."""
    return tuple(split.value for split in SPLITS if may_see(dataset, split))


def visible_counts(
    dataset: Dataset, counts: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, int]]:
    """Counts by label and split; labels that only sealed test rows have become one."""
    if not dataset.sealed:
        return {label: dict(found) for label, found in counts.items()}
    seen, hidden = dict[str, dict[str, int]](), 0
    for label, found in counts.items():
        if any(found.get(split, 0) for split in visible_splits(dataset)):
            seen[label] = dict(found)
        else:
            hidden += found.get(Split.TEST, 0)
    if hidden:
        seen[ONLY_SEALED] = {**dict.fromkeys(Split.values, 0), Split.TEST.value: hidden}
    return seen


def visible_labels(dataset: Dataset) -> dict[str, Any]:
    """The labels of the dataset's report, for people."""
    labels = dict(dataset.report.get("labels") or {})
    return {**labels, "counts": visible_counts(dataset, labels["counts"])} if labels else {}


class Hidden:
    """Which rows of a dataset, also of its older versions, nobody is shown.

    A row that is for test now stays hidden in versions in which it was for something else.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._now = Table(dataset) if dataset.sealed else None

    def __contains__(self, row: object) -> bool:
        if self._now is None or not isinstance(row, Row):
            return False
        return row.split == Split.TEST or self.number(row.number)

    def number(self, number: int) -> bool:
        """Whether the row of this number is for test in the newest version."""
        spot = self._now.spot_of(number) if self._now else None
        return spot is not None and spot.splits[number - spot.start] == TEST


@transaction.atomic
def seal(*, actor: Any, dataset: Dataset) -> None:
    """Show the test split to nobody from now on; needs the role reviewer.

    Raises `Invalid` when there is no test row, and `Conflict` when it is sealed already.
    """
    require(user=actor, project=dataset.project, role=Role.REVIEWER)
    _lock(dataset)
    if dataset.sealed:
        raise Conflict(f"The test split of “{dataset.name}” is sealed already.")
    rows = Table(dataset).count(Split.TEST)
    if not rows:
        raise Invalid(
            f"“{dataset.name}” has no test rows to seal. Split it first, with some for test."
        )
    _set(dataset, True)
    record(
        project=dataset.project,
        actor=actor,
        action="dataset.seal",
        subject=dataset.name,
        version=dataset.number,
        rows=rows,
    )


@transaction.atomic
def unseal(*, actor: Any, dataset: Dataset, reason: str) -> Opening:
    """Show the test split to everybody again; needs the role admin, and is logged for good.

    Raises `Invalid` without a reason, and `Conflict` when it is not sealed.
    """
    require(user=actor, project=dataset.project, role=Role.ADMIN)
    _lock(dataset)
    if not dataset.sealed:
        raise Conflict(f"The test split of “{dataset.name}” is not sealed.")
    reason = " ".join(reason.replace("\0", " ").split())
    if len(reason) < SHORTEST_REASON:
        raise Invalid(
            f"Say why the test split is unsealed, in {SHORTEST_REASON} letters or more: it stands "
            "in the log for those who trust its scores."
        )
    opening = _write(actor, dataset, dataset.number, f"Unsealed: {reason}")
    _set(dataset, False)
    record(
        project=dataset.project,
        actor=actor,
        action="dataset.unseal",
        subject=dataset.name,
        version=dataset.number,
        reason=reason[:400],
    )
    return opening


def open_test(
    *, actor: Any, dataset: Dataset, number: int, run: UUID, purpose: str
) -> Opening | None:
    """Write down that a run reads the test split; None when it is not sealed.

    To be called in the transaction that makes the run.
    """
    # Read anew under a lock: somebody may be sealing it at this moment.
    if not Dataset.everything.select_for_update().get(pk=dataset.pk).sealed:
        return None
    return _write(actor, dataset, number, purpose, run=run)


def count_openings(dataset: Dataset) -> int:
    """How often the test split was opened while it was sealed."""
    return dataset.openings.count()


def refuse_sealed(table: Table, numbers: Iterable[int], *, moved: Iterable[str] = ()) -> None:
    """Raise `Conflict` when one of these rows is a sealed test row, or one is `moved` to test."""
    if not table.dataset.sealed:
        return
    for number in numbers:
        spot = table.spot_of(number)
        if spot is not None and spot.splits[number - spot.start] == TEST:
            raise Conflict(
                f"Row {number} is a row of the sealed test split, so it can be neither read nor "
                "changed. An admin can unseal it, with a reason."
            )
    if Split.TEST in moved:
        raise Conflict(
            "The test split is sealed, so no row can be moved into it. Add new rows to it, or "
            "have an admin unseal it, with a reason."
        )


def refuse_other_test(
    dataset: Dataset,
    pairs: Iterable[tuple[Spot | None, Spot | None]],
    content: Callable[[Spot], Content],
) -> None:
    """Raise `Conflict` when a sealed test split would be another one.

    `pairs` are what stands at a place and what will, `content` reads the values of either.
    """
    if not dataset.sealed:
        return
    for old, new in pairs:
        was, will = _test_rows(old), _test_rows(new)
        same = was == will
        if same and was and old and new and old.block != new.block:
            one, other = content(old), content(new)
            same = all(one.row(n - old.start) == other.row(n - new.start) for n in was)
        if not same:
            raise Conflict(
                "The test split is sealed, and this would change which rows are in it, or what "
                "they say. Leave it as it is, or have an admin unseal it, with a reason."
            )


def _test_rows(spot: Spot | None) -> list[int]:
    """Numbers of a place's test rows."""
    if spot is None or TEST not in spot.splits:
        return []
    return [spot.start + index for index, code in enumerate(spot.splits) if code == TEST]


def _write(
    actor: Any, dataset: Dataset, number: int, purpose: str, run: UUID | None = None
) -> Opening:
    return Opening.objects.create(
        dataset=dataset, number=number, purpose=purpose[:200], run=run, created_by=actor
    )


def _lock(dataset: Dataset) -> None:
    fresh = Dataset.everything.select_for_update().filter(pk=dataset.pk).first()
    if fresh is None:
        raise NotFound(f"“{dataset.name}” was deleted in the meantime.")
    for name in ("number", "sealed", "columns", "mapping", "fingerprint", "row_count", "report"):
        setattr(dataset, name, getattr(fresh, name))


def _set(dataset: Dataset, sealed: bool) -> None:
    dataset.sealed = sealed
    dataset.save(update_fields=["sealed"])
