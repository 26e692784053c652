"""Every change of a dataset makes a version. Blocks that it does not touch are shared.

So a change of one row of a million writes one block, one place and one version.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from studio.accounts.models import Role
from studio.accounts.services import require
from studio.datasets.blocks import ABSENT, Content, cut
from studio.datasets.editing.appending import Appending
from studio.datasets.editing.digests import digest_of_places, fingerprint
from studio.datasets.editing.rewriting import AT_ONCE, MOST_ROWS, Rewrite, commit, write_version
from studio.datasets.editing.standing import code_at, refuse_stale, stands_of
from studio.datasets.editing.values import check_values, count_kinds, differ
from studio.datasets.models import Dataset, Split, Version
from studio.datasets.splits.sealing import refuse_other_test, refuse_sealed
from studio.datasets.table import SPLITS, Spot, Table
from studio.errors import Conflict, Invalid, NotFound

__all__ = [
    "MOST_ROWS",
    "Changes",
    "change",
    "change_splits",
    "check_values",
    "differ",
    "fingerprint_of",
    "get_version",
    "keep_sealed",
    "lock",
    "newest",
    "restore",
    "settle",
    "write_version",
]
_ATTEMPTS = 3
_FRESH = (
    *("number", "columns", "mapping", "fingerprint", "row_count", "report"),
    *("id_column", "label_column", "sealed"),
)


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What is to be different. Rows are named by their numbers."""

    cells: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """New values by row and column; None empties a cell."""
    removed: Collection[int] = ()
    splits: Mapping[int, str] = field(default_factory=dict)
    back: Mapping[int, str] = field(default_factory=dict)
    """Removed rows that come back as they were, and their splits."""
    added: Sequence[tuple[Mapping[str, Any], str]] = ()
    """Values and split of new rows; they come to the end."""

    @property
    def touched(self) -> set[int]:
        """The rows that have to be there."""
        return {*self.cells, *self.removed, *self.splits}


@transaction.atomic
def change(
    *,
    actor: Any,
    dataset: Dataset,
    changes: Changes,
    kind: str = Version.Kind.EDIT,
    message: str = "",
    base: int | None = None,
) -> Version:
    """A new version with the changes; the newest one when they change nothing.

    Needs the role author. `base` is the version that the person saw: raises `Conflict` when one
    of the rows is another by now. Raises `Invalid` for what cannot be stored, and `NotFound` for
    rows that are not there. `dataset` is brought up to date.
    """
    require(user=actor, project=dataset.project, role=Role.AUTHOR)
    lock(dataset)
    touched, back = changes.touched, changes.back
    both = sorted(touched & set(back))
    if both:
        raise Invalid(f"Row {both[0]} cannot come back and be changed at once.")
    stands = stands_of(dataset, {*touched, *back})
    for number in touched:
        if code_at(stands, number) in (None, ABSENT):
            raise NotFound(f"There is no row {number} in “{dataset.name}” any more.")
    for number in back:
        if code_at(stands, number) != ABSENT:
            raise Conflict(f"Row {number} cannot come back: it is there, or never was.")
    if dataset.sealed:
        moved = [*changes.splits.values(), *changes.back.values()]
        refuse_sealed(Table(dataset), sorted(touched), moved=moved)
    if base is not None and base != dataset.number:
        get_version(dataset, base)
        refuse_stale(dataset, base, {n: stands[n] for n in touched})
    rewrite = Rewrite(dataset)
    _change_rows(rewrite, {number: one.spot for number, one in stands.items()}, changes)
    if changes.added:
        _append(rewrite, changes.added)
    if rewrite.is_empty:
        return newest(dataset)
    return commit(actor, rewrite, kind=kind, message=message)


def change_splits(
    *,
    actor: Any,
    dataset: Dataset,
    codes: Mapping[int, bytes],
    message: str,
    told: Mapping[str, Any] | None = None,
    base: int | None = None,
) -> Version:
    """A new version in which rows are for something else; no value is written.

    `codes` are the bytes of `Place.splits` by the start of the place, for as many places as one
    likes; rows that are absent have to stay so. `told` is what the caller knows of the report
    afterwards, such as `labels`. Needs the role author. Raises `Conflict` when `base` is not the
    newest version any more.
    """
    require(user=actor, project=dataset.project, role=Role.AUTHOR)

    def prepare() -> Rewrite:
        if base not in (None, dataset.number):
            raise Conflict("The dataset was changed in the meantime. Look at it, and try again.")
        rewrite = Rewrite(dataset)
        rewrite.told = dict(told or {})
        for spot in Table(dataset).spots:
            new = codes.get(spot.start, spot.splits)
            if new != spot.splits:
                if len(new) != len(spot.splits) or _absent(new) != _absent(spot.splits):
                    raise Conflict("The dataset was changed in the meantime. Try again.")
                if set(new) - {*range(len(SPLITS)), ABSENT}:
                    raise Invalid("There are three splits: train, dev and test.")
                moved = sum(a != b for a, b in zip(new, spot.splits, strict=True))
                rewrite.counts["moved"] += moved
                rewrite.swap(spot, Spot(spot.start, spot.block, bytes(new)))
        return keep_sealed(rewrite)

    return settle(actor, dataset, prepare, kind=Version.Kind.SPLIT, message=message)


def restore(*, actor: Any, dataset: Dataset, number: int, message: str = "") -> Version:
    """A new version that is as that one was. Needs the role author; raises `NotFound`.

    New rows never get the numbers of rows that only a later version has.
    """
    require(user=actor, project=dataset.project, role=Role.AUTHOR)
    old = get_version(dataset, number)

    def prepare() -> Rewrite:
        rewrite = Rewrite(dataset)
        if old.fingerprint == dataset.fingerprint:
            return rewrite
        before = {spot.start: spot for spot in Table(dataset, number).spots}
        pairs: list[tuple[Spot | None, Spot | None]]
        pairs = [(spot, before.pop(spot.start, None)) for spot in Table(dataset).spots]
        pairs += [(None, spot) for spot in before.values()]
        different = [(now, then) for now, then in pairs if now != then]
        _swap_back(rewrite, different)
        rewrite.columns, rewrite.mapping = list(old.columns), dict(old.mapping)
        return keep_sealed(rewrite)

    return settle(
        actor,
        dataset,
        prepare,
        kind=Version.Kind.RESTORE,
        message=message or f"As version {number} was",
        restored_from=number,
        named=old.fingerprint,
    )


def settle(
    actor: Any,
    dataset: Dataset,
    prepare: Callable[[], Rewrite],
    *,
    also: Callable[[], None] = lambda: None,
    **what: Any,
) -> Version:
    """Prepare a rewrite while others go on, and commit it when nobody has changed the dataset.

    Otherwise it is prepared anew; after some times raises `Conflict`. `also` is done in the
    transaction that commits it.
    """
    for _attempt in range(_ATTEMPTS):
        _take(dataset, Dataset.everything.all())
        sealed = dataset.sealed
        rewrite = prepare()
        rewrite.tally()
        with transaction.atomic():
            lock(dataset)
            if dataset.number == rewrite.base and dataset.sealed == sealed:
                empty = rewrite.is_empty
                version = newest(dataset) if empty else commit(actor, rewrite, **what)
                also()
                return version
    raise Conflict(f"Others keep changing “{dataset.name}”. Try again in a moment.")


def keep_sealed(rewrite: Rewrite) -> Rewrite:
    """The rewrite; raises `Conflict` when it would make a sealed test split another one."""

    def content(spot: Spot) -> Content:
        return rewrite.read([spot])[spot.block]

    refuse_other_test(rewrite.dataset, rewrite.pairs, content)
    return rewrite


def get_version(dataset: Dataset, number: int) -> Version:
    """The version of that number, or `NotFound`."""
    found = Version.objects.filter(dataset=dataset, number=number).first()
    if found is None:
        raise NotFound(f"“{dataset.name}” has no version {number}.")
    return found


def newest(dataset: Dataset) -> Version:
    """The version that everybody sees."""
    return get_version(dataset, dataset.number)


def lock(dataset: Dataset) -> None:
    """Keep all others from changing the dataset until the transaction ends; reads it anew."""
    _take(dataset, Dataset.everything.select_for_update())


def fingerprint_of(columns: Sequence[str], mapping: Mapping[str, str], places: Any) -> str:
    """The content hash of columns, mapping, and the blocks at these places with their splits."""
    return fingerprint(columns, mapping, digest_of_places(places))


def _change_rows(rewrite: Rewrite, spots: Mapping[int, Spot], changes: Changes) -> None:
    by_start: defaultdict[int, list[int]] = defaultdict(list)
    for number in sorted(spots):
        by_start[spots[number].start].append(number)
    todo = [(spots[numbers[0]], numbers) for numbers in by_start.values()]
    for at in range(0, len(todo), AT_ONCE):
        some = todo[at : at + AT_ONCE]
        contents = rewrite.read(spot for spot, _numbers in some)
        planned: list[tuple[Spot, bytes, Content, Content]] = []
        for spot, numbers in some:
            was = contents[spot.block]
            codes, now = _change_block(rewrite, spot, was, numbers, changes)
            planned.append((spot, codes, was, now))
        fresh = [now for _spot, _codes, was, now in planned if now is not was]
        keys = iter(rewrite.store(fresh) if fresh else [])
        for spot, codes, was, now in planned:
            block = spot.block if now is was else next(keys)
            rewrite.swap(spot, Spot(spot.start, block, codes), was, now)


def _change_block(
    rewrite: Rewrite, spot: Spot, content: Content, numbers: Sequence[int], changes: Changes
) -> tuple[bytes, Content]:
    codes, counts = bytearray(spot.splits), rewrite.counts
    cells: dict[int, dict[str, Any]] = {}
    for number in numbers:
        index = number - spot.start
        if number in changes.removed:
            codes[index] = ABSENT
            counts["removed"] += 1
            continue
        if number in changes.back:
            codes[index] = _code(changes.back[number])
            counts["added"] += 1
            continue
        if number in changes.splits:
            code = _code(changes.splits[number])
            counts["moved"] += code != codes[index]
            codes[index] = code
        old = content.row(index)
        new = check_values(changes.cells.get(number, {}))
        fresh = {name: value for name, value in new.items() if differ(old.get(name), value)}
        if fresh:
            cells[index] = fresh
            counts["changed"] += 1
    if cells:
        content = content.with_cells(cells)
        rewrite.name_columns(name for values in cells.values() for name in values)
    return bytes(codes), content


def _append(rewrite: Rewrite, added: Sequence[tuple[Mapping[str, Any], str]]) -> None:
    values = [check_values(row) for row, _split in added]
    for number, row in enumerate(values, 1):
        if all(value is None for value in row.values()):
            raise Invalid(f"New row {number:,} has no value: fill in one at least.")
    codes = bytes(_code(split) for _row, split in added)
    place = Appending(rewrite)
    for piece in cut(values, taken=place.taken):
        place.add(piece, codes[: len(piece)])
        codes = codes[len(piece) :]


def _swap_back(rewrite: Rewrite, pairs: Sequence[tuple[Spot | None, Spot | None]]) -> None:
    """Let stand what stood in another version, and count what that does to rows."""
    for at in range(0, len(pairs), AT_ONCE):
        some = pairs[at : at + AT_ONCE]
        contents = rewrite.read(spot for pair in some for spot in pair if spot)
        for now, then in some:
            has = contents[now.block] if now else None
            had = contents[then.block] if then else None
            rewrite.swap(now, then, has, had)
            rewrite.counts.update(count_kinds(now, then, has, had))


def _take(dataset: Dataset, stored: Any) -> None:
    fresh = stored.filter(pk=dataset.pk).first()
    if fresh is None:
        raise NotFound(f"“{dataset.name}” was deleted in the meantime.")
    for name in _FRESH:
        setattr(dataset, name, getattr(fresh, name))


def _absent(codes: bytes) -> list[int]:
    return [index for index, code in enumerate(codes) if code == ABSENT]


def _code(split: str) -> int:
    if split not in Split.values:
        raise Invalid(f"“{split}” is not a split: say train, dev or test.")
    return SPLITS.index(Split(split))
