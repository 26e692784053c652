"""The index of a dataset: which blocks a search or a filter need not read.

Blocks are indexed in groups. The row of `BlockIndex` of a group's first block holds the words and
the facts of all of them. A block that is in no group is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import BinaryField
from django.db.models.functions import Substr

from studio.datasets.browsing.facts import FactList
from studio.datasets.browsing.filtering import Query
from studio.datasets.browsing.profiles import PROFILES, make_profile
from studio.datasets.browsing.words import GROUP, WordList, may_hold, terms_of
from studio.datasets.chores import Beat
from studio.datasets.models import BlockIndex, Chore, Dataset
from studio.datasets.table import Piece, Spot, Table
from studio.datasets.uploading.judging import text_of

SMALL = GROUP // 2
"""A group of fewer blocks is small, as an edit makes one."""
MOST_SMALL = 8
"""So many small groups are left alone; more are made one."""


class Index:
    """Says of blocks whether they have to be read. Groups are looked at when they are met."""

    def __init__(self, dataset: Dataset, query: Query) -> None:
        self._query = query
        self._terms = _terms_of(query)
        self._places: dict[int, tuple[int, int]] = {}
        """By block: its group, and its place in it."""
        self._heads: dict[int, int] = {}
        self._masks: dict[int, int] = {}
        if query.reads_values:
            found = _groups_of(dataset).values_list("pk", "columns__head", "columns__blocks")
            for group, head, blocks in found:
                self._heads[group] = head
                for place, block in enumerate(blocks):
                    self._places[block] = (group, place)

    def may_hold(self, block: int) -> bool:
        """Whether a row of the block may fit."""
        if block not in self._places:
            return True
        group, place = self._places[block]
        if group not in self._masks:
            self._masks[group] = self._mask_of(group)
        return bool(self._masks[group] >> place & 1)

    def _mask_of(self, group: int) -> int:
        mask = (1 << GROUP) - 1
        if self._query.conditions:
            facts = _facts_of(group)
            for condition in self._query.conditions:
                mask &= condition.may_hold(facts.get(condition.column), mask)
        if mask and self._terms:
            size = self._heads[group]
            if head := _part(group, 1, size):
                mask &= may_hold(head, self._terms, lambda: _part(group, size + 1))
        return mask


def make_index(chore: Chore, beat: Beat) -> dict[str, Any]:
    """Index the blocks of the chore's version that are not indexed yet, or make its profile."""
    if chore.about in PROFILES:
        return make_profile(chore, beat)
    table = Table(chore.dataset, chore.number)
    waiting, small = _unindexed(table)
    BlockIndex.objects.filter(pk__in=small).delete()
    for done, spots in enumerate(_cut(waiting)):
        _write(chore.dataset, list(table.pieces(spots)))
        beat((done + 1) * GROUP / len(waiting))
    return {"blocks": len(waiting)}


def is_indexed(dataset: Dataset) -> bool:
    """Whether nothing is left to do for a fast search in the newest version."""
    return Chore.objects.filter(
        dataset=dataset,
        number=dataset.number,
        kind=Chore.Kind.INDEX,
        about="",
        state=Chore.State.DONE,
    ).exists()


def _facts_of(group: int) -> Mapping[str, Any]:
    found = BlockIndex.objects.filter(pk=group).values_list("columns", flat=True).first()
    return found["facts"] if found else {}


def _part(group: int, start: int, length: int | None = None) -> bytes:
    """Some bytes of a group's words; none when the group was made part of another just now."""
    part = Substr("words", start, length, output_field=BinaryField())
    found = BlockIndex.objects.filter(pk=group).values_list(part, flat=True).first()
    return b"" if found is None else bytes(found)


def _groups_of(dataset: Dataset) -> Any:
    return BlockIndex.objects.filter(block__dataset=dataset)


def _terms_of(query: Query) -> tuple[str, ...]:
    phrases = [query.phrase, *(one.phrase for one in query.conditions)]
    return terms_of(" ".join(phrase for phrase in phrases if phrase))


def _unindexed(table: Table) -> tuple[list[Spot], list[int]]:
    """Where the blocks stand that are in no group, and small groups that are to be made one."""
    groups = dict(_groups_of(table.dataset).values_list("pk", "columns__blocks"))
    small = [group for group, blocks in groups.items() if len(blocks) < SMALL]
    if len(small) <= MOST_SMALL:
        small = []
    known = {b for group, blocks in groups.items() if group not in small for b in blocks}
    seen: set[int] = set()
    waiting = []
    for spot in table.spots:
        if spot.block not in known and spot.block not in seen:
            seen.add(spot.block)
            waiting.append(spot)
    return waiting, small


def _cut(spots: Sequence[Spot]) -> Iterator[Sequence[Spot]]:
    for at in range(0, len(spots), GROUP):
        yield spots[at : at + GROUP]


def _write(dataset: Dataset, pieces: Sequence[Piece]) -> None:
    words, facts = WordList(), FactList()
    for piece in pieces:
        words.add(
            value if isinstance(value, str) else text_of(value)
            for cells in piece.content.cells
            for value in cells
            if value is not None
        )
        facts.add(piece.content)
    data, head = words.encode()
    with transaction.atomic():
        BlockIndex.objects.update_or_create(
            block_id=pieces[0].spot.block,
            defaults={
                "words": data,
                "columns": {
                    "head": head,
                    "blocks": [piece.spot.block for piece in pieces],
                    "facts": facts.to_dict(),
                },
            },
        )
