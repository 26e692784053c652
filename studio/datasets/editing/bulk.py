"""One change of many rows: of those that are ticked, or of all that a search finds.

It goes through the dataset block by block and writes blocks while others go on; only exchanging
the places takes the dataset's lock. So it makes no difference how many rows there are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from studio.accounts.models import Role
from studio.accounts.services import require
from studio.datasets.blocks import ABSENT, Content
from studio.datasets.browsing.filtering import Query
from studio.datasets.editing.changes import keep_sealed, settle
from studio.datasets.editing.operations import OPERATIONS, Operation, cell_changer, check, describe
from studio.datasets.editing.rewriting import AT_ONCE, Rewrite
from studio.datasets.editing.values import differ
from studio.datasets.models import Dataset, Split, Version
from studio.datasets.splits.sealing import may_see
from studio.datasets.table import SPLITS, Spot, Table
from studio.errors import Conflict

SHOWN = 20
PREVIEW_SECONDS = 2.0
"""A preview that has looked for so long says what it has found until then."""
TEST = SPLITS.index(Split.TEST)


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which rows: those numbers, or all that a query finds."""

    numbers: Collection[int] | None = None
    query: Query = field(default_factory=Query)


@dataclass(frozen=True, slots=True)
class Change:
    """A row of the preview."""

    number: int
    column: str
    was: Any
    now: Any


@dataclass(frozen=True)
class Preview:
    """What an operation would do."""

    changes: list[Change]
    """The first ones."""
    rows: int
    """Rows that would be different."""
    found: int
    """Rows that were looked at because they are ticked or searched for."""
    looked_at: int
    """Rows that were gone through until the time was over."""
    total: int
    is_whole: bool
    """All of them were looked at that are concerned."""


@dataclass(frozen=True, slots=True)
class _Block:
    """A block before and after."""

    spot: Spot
    was: Content
    now: Content
    codes: bytes
    found: int
    changed: tuple[int, ...]
    """Indices of rows that differ."""


def preview(dataset: Dataset, operation: Operation, selection: Selection) -> Preview:
    """The first changes, and how many rows would be different, with nothing done."""
    operation = check(dataset, operation)
    table = Table(dataset)
    changes: list[Change] = []
    rows = found = looked_at = 0
    end = monotonic() + PREVIEW_SECONDS
    for block in _blocks(table, operation, selection):
        there = len(block.spot.splits) - block.spot.splits.count(ABSENT)
        looked_at += there
        found += block.found
        rows += len(block.changed)
        for index in block.changed:
            if len(changes) < SHOWN and may_see(dataset, SPLITS[block.spot.splits[index]].value):
                changes.append(_shown(block, index, operation))
        if monotonic() > end:
            is_whole = looked_at == table.count()
            break
    else:
        is_whole = True
    return Preview(changes, rows, found, looked_at, table.count(), is_whole)


def apply(
    *,
    actor: Any,
    dataset: Dataset,
    operation: Operation,
    selection: Selection,
    base: int | None = None,
    message: str = "",
) -> Version:
    """One version with all of it; the newest one when nothing is different.

    Needs the role author. `base` is the version that was looked at: raises `Conflict` when the
    dataset is another by now. Rows of a sealed test split are left alone.
    """
    require(user=actor, project=dataset.project, role=Role.AUTHOR)

    def prepare() -> Rewrite:
        if base is not None and dataset.number != base:
            raise Conflict(
                "Somebody has changed the dataset since you looked at this. Look at it again."
            )
        ready = check(dataset, operation)
        rewrite = Rewrite(dataset)
        _rename(rewrite, ready)
        waiting: list[_Block] = []
        for block in _blocks(Table(dataset), ready, selection, rewrite):
            if block.changed or block.now is not block.was:
                waiting.append(block)
            if len(waiting) == AT_ONCE:
                _swap(rewrite, ready, waiting)
                waiting = []
        _swap(rewrite, ready, waiting)
        return keep_sealed(rewrite)

    check(dataset, operation)
    return settle(
        actor,
        dataset,
        prepare,
        kind=Version.Kind.SPLIT if operation.kind == "split" else Version.Kind.EDIT,
        message=message or describe(operation),
    )


def _blocks(
    table: Table,
    operation: Operation,
    selection: Selection,
    rewrite: Rewrite | None = None,
) -> Iterator[_Block]:
    """Every block that the selection concerns, before and after."""
    kind = OPERATIONS[operation.kind]
    rewrite = rewrite or Rewrite(table.dataset)
    spots: list[Spot] = list(table.spots)
    by_start: dict[int, list[int]] = {}
    if selection.numbers is not None and not kind.of_columns:
        for number in sorted(selection.numbers):
            spot = table.spot_of(number)
            if spot is not None:
                by_start.setdefault(spot.start, []).append(number - spot.start)
        spots = [spot for spot in spots if spot.start in by_start]
    change = _changer(operation)
    sealed = table.dataset.sealed
    for at in range(0, len(spots), AT_ONCE):
        some = spots[at : at + AT_ONCE]
        contents = rewrite.read(some)
        for spot in some:
            was = contents[spot.block]
            if kind.of_columns:
                yield _of_columns(spot, was, operation)
                continue
            if selection.numbers is not None:
                indices = [i for i in by_start[spot.start] if spot.splits[i] != ABSENT]
            else:
                indices = selection.query.matches(was, spot.splits)
            if sealed:
                indices = [index for index in indices if spot.splits[index] != TEST]
            yield change(spot, was, indices)


def _changer(operation: Operation) -> Callable[[Spot, Content, list[int]], _Block]:
    if operation.kind in ("split", "delete"):
        code = ABSENT if operation.kind == "delete" else SPLITS.index(Split(operation.split))

        def move(spot: Spot, was: Content, indices: list[int]) -> _Block:
            codes = bytearray(spot.splits)
            for index in indices:
                codes[index] = code
            changed = tuple(index for index in indices if spot.splits[index] != code)
            return _Block(spot, was, was, bytes(codes), len(indices), changed)

        return move
    cell = cell_changer(operation)
    column = operation.column

    def edit(spot: Spot, was: Content, indices: list[int]) -> _Block:
        cells = was.column(column)
        new = {index: cell(cells[index]) for index in indices}
        fresh = {i: {column: value} for i, value in new.items() if differ(cells[i], value)}
        now = was.with_cells(fresh) if fresh else was
        return _Block(spot, was, now, spot.splits, len(indices), tuple(fresh))

    return edit


def _of_columns(spot: Spot, was: Content, operation: Operation) -> _Block:
    there = tuple(index for index, code in enumerate(spot.splits) if code != ABSENT)
    names = list(was.columns)
    now, changed = was, there
    if operation.kind == "add":
        if operation.value is None:
            changed = ()
        else:
            now = was.with_cells({index: {operation.name: operation.value} for index in there})
    elif operation.column not in names:
        changed = ()
    else:
        at = names.index(operation.column)
        changed = tuple(index for index in there if was.cells[at][index] is not None)
        if operation.kind == "rename":
            names[at] = operation.name
            now = Content(tuple(names), was.cells)
        else:
            rest = Content(
                (*names[:at], *names[at + 1 :]), (*was.cells[:at], *was.cells[at + 1 :])
            )
            empty = Content((operation.column,), ([None] * was.count,))
            now = rest if rest.columns else empty
    return _Block(spot, was, now, spot.splits, len(there), changed)


def _rename(rewrite: Rewrite, operation: Operation) -> None:
    """The version's columns and mapping after an operation on columns."""
    old, new = operation.column, operation.name
    if operation.kind == "rename":
        rewrite.columns = [new if name == old else name for name in rewrite.columns]
        rewrite.mapping = {
            name: new if column == old else column for name, column in rewrite.mapping.items()
        }
        rewrite.renamed[old] = new
    elif operation.kind == "drop":
        rewrite.columns = [name for name in rewrite.columns if name != old]
        rewrite.mapping = {name: one for name, one in rewrite.mapping.items() if one != old}
        rewrite.renamed[old] = ""
    elif operation.kind == "add":
        rewrite.name_columns([new])


def _swap(rewrite: Rewrite, operation: Operation, blocks: list[_Block]) -> None:
    fresh = [block for block in blocks if block.now is not block.was]
    keys = iter(rewrite.store([block.now for block in fresh]) if fresh else [])
    count = {"split": "moved", "delete": "removed"}.get(operation.kind, "changed")
    for block in blocks:
        key = block.spot.block if block.now is block.was else next(keys)
        rewrite.counts[count] += len(block.changed)
        new = Spot(block.spot.start, key, block.codes)
        rewrite.swap(block.spot, new, block.was, block.now)


def _shown(block: _Block, index: int, operation: Operation) -> Change:
    number = block.spot.start + index
    if operation.kind in ("split", "delete"):
        code = block.codes[index]
        now = "" if code == ABSENT else SPLITS[code].value
        return Change(number, "", SPLITS[block.spot.splits[index]].value, now)
    before = operation.column or operation.name
    after = operation.name or operation.column
    if operation.kind == "add":
        return Change(number, after, None, operation.value)
    return Change(number, after, block.was.column(before)[index], block.now.column(after)[index])
