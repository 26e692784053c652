"""Rows of a file put over the rows of a dataset that have the same ids.

What is kept of the rows while this goes on is an id, a few numbers and a hash for each; values
are read block by block.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import groupby
from typing import Any, TypedDict

from studio.accounts.models import Role
from studio.accounts.services import require
from studio.datasets.blocks import ABSENT, Content, cut
from studio.datasets.editing.appending import Appending
from studio.datasets.editing.changes import settle
from studio.datasets.editing.rewriting import AT_ONCE, Rewrite
from studio.datasets.editing.values import differ
from studio.datasets.models import Dataset, Split, Version
from studio.datasets.splits.sealing import may_see
from studio.datasets.splits.splitting import OPEN
from studio.datasets.table import SPLITS, Spot, Table
from studio.datasets.uploading.judging import text_of
from studio.engine.codec import canonical_json
from studio.errors import Conflict, Invalid

WINDOW_ROWS = 20_000
WINDOW_CHARACTERS = 16_000_000
"""So much of the file is held at once, unless a single row has more."""
_HASH = 16
BEAT_BLOCKS = 64
"""So many blocks are read before one says again that it is still at work."""
TRAIN, TEST = SPLITS.index(Split.TRAIN), SPLITS.index(Split.TEST)

Beat = Callable[[float], None]
"""Called now and then with the part of the work that is done."""


def _no_beat(part: float) -> None:
    """For those whom nobody waits for."""


class Counts(TypedDict):
    """What a file does to a dataset, in rows."""

    added: int
    changed: int
    """Rows with other values, another split, or both."""
    unchanged: int
    repeated: int
    """Rows of the file whose id stands in it again further down: the last one wins."""
    without_id: int
    """Rows of the file that have no id: nobody can say which rows they are; they are left out."""


def preview(
    *,
    dataset: Dataset,
    staged: Dataset,
    splits: bytes,
    id_column: str,
    moves: bool = False,
    beat: Beat = _no_beat,
) -> Counts:
    """What `upsert` would do, with nothing done."""
    plan = _plan(dataset, staged, splits, id_column, moves, beat)
    return plan.counts


def upsert(
    *,
    actor: Any,
    dataset: Dataset,
    staged: Dataset,
    splits: bytes,
    id_column: str,
    moves: bool = False,
    beat: Beat = _no_beat,
    also: Callable[[], None] = lambda: None,
) -> Version:
    """A version of `dataset` with the rows of `staged`; needs the role author.

    `staged` is a dataset that nobody sees, whose places hold a file's rows; `splits` has a byte
    for each of them, `ABSENT` for one that is left out. A row whose id the dataset has gets the
    file's values in all columns that the file has, also empty ones; its other columns and its
    split stay, unless the file `moves` rows: then its split is the file's. All others are added.
    Ids are compared as texts. Raises `Conflict` when that would change a sealed test split.
    `also` is done in the transaction that makes the version; before it others can write.
    """
    require(user=actor, project=dataset.project, role=Role.AUTHOR)

    def prepare() -> Rewrite:
        plan = _plan(dataset, staged, splits, id_column, moves, beat)
        rewrite = Rewrite(dataset)
        _change(rewrite, plan, beat)
        _add(rewrite, plan, beat)
        return rewrite

    return settle(
        actor,
        dataset,
        prepare,
        kind=Version.Kind.UPSERT,
        message=f"Rows with the same “{id_column}” updated"[:200],
        also=also,
    )


@dataclass
class _Plan:
    """Which rows of the file go where, by their places in it."""

    staged: Table
    splits: bytes
    columns: frozenset[str]
    """Those of the file."""
    moves: bool
    sizes: array[int] = field(default_factory=lambda: array("L"))
    """Characters of each row of the file."""
    onto: list[tuple[int, int]] = field(default_factory=list)
    """(number, index in the file) of rows that change, by number."""
    fresh: list[int] = field(default_factory=list)
    """Indices of rows that are added, in order."""
    counts: Counts = field(
        default_factory=lambda: Counts(added=0, changed=0, unchanged=0, repeated=0, without_id=0)
    )


def _plan(
    dataset: Dataset, staged: Dataset, splits: bytes, id_column: str, moves: bool, beat: Beat
) -> _Plan:
    if id_column not in dataset.columns:
        raise Invalid(
            f"“{dataset.name}” has no column “{id_column}”: choose one that names its rows."
        )
    table = Table(staged)
    plan = _Plan(table, splits, _columns_of(table), moves)
    if id_column not in plan.columns:
        raise Invalid(f"The file has no column “{id_column}”, which names the rows.")
    last, hashes = _ids_of_file(plan, id_column, beat)
    plan.counts["repeated"] -= len(last)  # of each id one row is used
    used = bytearray(len(plan.sizes))
    for done, piece in enumerate(Table(dataset).pieces()):
        if done % BEAT_BLOCKS == 0:
            beat(0.3)
        ids = piece.content.column(id_column)
        columns = {name: piece.content.column(name) for name in sorted(plan.columns)}
        for index, code in enumerate(piece.spot.splits):
            name = text_of(ids[index])
            at = last.get(name, -1)
            if code == ABSENT or at < 0 or used[at]:
                continue
            used[at] = True
            same = _hash(columns, index) == hashes[at * _HASH : (at + 1) * _HASH]
            if same and not (moves and splits[at] != code):
                plan.counts["unchanged"] += 1
                continue
            if not may_see(dataset, Split.TEST):
                verb = "changes" if code == TEST else "moves"
                into = "of" if code == TEST else "into"
                if code == TEST or (moves and splits[at] == TEST):
                    raise Conflict(
                        f"The file {verb} row {piece.spot.start + index} {into} the sealed test "
                        "split. Leave it out of the file, or have an admin unseal it, with a "
                        "reason."
                    )
            plan.onto.append((piece.spot.start + index, at))
            plan.counts["changed"] += 1
    plan.fresh = sorted(at for at in last.values() if not used[at])
    plan.counts["added"] = len(plan.fresh)
    return plan


def _columns_of(table: Table) -> frozenset[str]:
    named = set(table.columns)
    if not named:
        for piece in table.pieces():
            named.update(piece.content.columns)
    return frozenset(named)


def _ids_of_file(plan: _Plan, id_column: str, beat: Beat) -> tuple[dict[str, int], bytearray]:
    """The last place of each id in the file, and a hash of every row's values."""
    last: dict[str, int] = {}
    hashes = bytearray()
    for done, piece in enumerate(plan.staged.pieces()):
        if done % BEAT_BLOCKS == 0:
            beat(0.1)
        ids = piece.content.column(id_column)
        columns = {name: piece.content.column(name) for name in sorted(plan.columns)}
        first = piece.spot.start - 1
        if len(plan.sizes) < first:  # places that are not there
            plan.sizes.extend([0] * (first - len(plan.sizes)))
            hashes.extend(bytes(first * _HASH - len(hashes)))
        for index in range(len(piece.spot.splits)):
            plan.sizes.append(sum(len(text_of(cells[index])) for cells in columns.values()))
            hashes.extend(_hash(columns, index))
            if plan.splits[first + index] == ABSENT:
                continue
            name = text_of(ids[index])
            if not name.strip():
                plan.counts["without_id"] += 1
                continue
            plan.counts["repeated"] += 1
            last[name] = first + index
    return last, hashes


def _hash(columns: Mapping[str, Any], index: int) -> bytes:
    """Of the values of a row; equal ones, equal hashes."""
    text = canonical_json([cells[index] for cells in columns.values()])
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_HASH).digest()


def _change(rewrite: Rewrite, plan: _Plan, beat: Beat) -> None:
    table = Table(rewrite.dataset)
    by_spot = groupby(plan.onto, key=lambda pair: table.spot_of(pair[0]))
    waiting: list[tuple[Spot, list[tuple[int, int]]]] = []
    rows = size = 0
    for spot, pairs in by_spot:
        assert spot is not None
        some = list(pairs)
        waiting.append((spot, some))
        rows += len(some)
        size += sum(plan.sizes[at] for _number, at in some)
        if rows >= WINDOW_ROWS or size >= WINDOW_CHARACTERS:
            _change_blocks(rewrite, plan, waiting)
            waiting, rows, size = [], 0, 0
            beat(0.6)
    _change_blocks(rewrite, plan, waiting)


def _change_blocks(
    rewrite: Rewrite, plan: _Plan, waiting: list[tuple[Spot, list[tuple[int, int]]]]
) -> None:
    """The blocks of a window: the file's rows for all of them are read once."""
    values = _read(plan, sorted(at for _spot, pairs in waiting for _number, at in pairs))
    for begin in range(0, len(waiting), AT_ONCE):
        some = waiting[begin : begin + AT_ONCE]
        contents = rewrite.read(spot for spot, _pairs in some)
        planned: list[tuple[Spot, bytes, Content, Content]] = []
        for spot, pairs in some:
            was, fresh_codes = contents[spot.block], bytearray(spot.splits)
            cells: dict[int, dict[str, Any]] = {}
            for number, at in pairs:
                index = number - spot.start
                old = was.row(index)
                new = {name: values[at].get(name) for name in plan.columns}
                fresh = {n: value for n, value in new.items() if differ(old.get(n), value)}
                if fresh:
                    cells[index] = fresh
                    rewrite.counts["changed"] += 1
                code = plan.splits[at]
                if plan.moves and code < len(SPLITS) and code != fresh_codes[index]:
                    fresh_codes[index] = code
                    rewrite.counts["moved"] += 1
            rewrite.name_columns(dict.fromkeys(n for row in cells.values() for n in row))
            planned.append(
                (spot, bytes(fresh_codes), was, was.with_cells(cells) if cells else was)
            )
        keys = iter(rewrite.store([now for _spot, _codes, was, now in planned if now is not was]))
        for spot, codes, was, now in planned:
            block = spot.block if now is was else next(keys)
            rewrite.swap(spot, Spot(spot.start, block, codes), was, now)


def _add(rewrite: Rewrite, plan: _Plan, beat: Beat) -> None:
    place = Appending(rewrite)
    taken = place.taken
    for window in _windows(plan):
        values = _read(plan, window)
        rows = [values[at] for at in window]
        codes = bytes(_code(plan.splits[at]) for at in window)
        for piece in cut(rows, taken=taken):
            place.add(piece, codes[: len(piece)])
            codes = codes[len(piece) :]
        taken = 0
        beat(0.9)


def _windows(plan: _Plan) -> Iterator[list[int]]:
    window: list[int] = []
    size = 0
    for at in plan.fresh:
        window.append(at)
        size += plan.sizes[at]
        if len(window) >= WINDOW_ROWS or size >= WINDOW_CHARACTERS:
            yield window
            window, size = [], 0
    if window:
        yield window


def _read(plan: _Plan, wanted: list[int]) -> dict[int, dict[str, Any]]:
    """Rows of the file by their indices, which are in order."""
    found: dict[int, dict[str, Any]] = {}
    pairs = ((plan.staged.spot_of(at + 1), at) for at in wanted)
    spots: dict[Spot, list[int]] = {}
    for spot, at in pairs:
        assert spot is not None
        spots.setdefault(spot, []).append(at)
    for piece in plan.staged.pieces(list(spots)):
        for at in spots[piece.spot]:
            found[at] = piece.content.row(at + 1 - piece.spot.start)
    return found


def _code(code: int) -> int:
    return TRAIN if code == OPEN else code
