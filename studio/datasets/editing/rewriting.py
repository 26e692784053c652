"""What a change does to the places of a dataset, and how it becomes a version.

Blocks are written first and places are exchanged last, so that everything long can happen before
anybody has to wait.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Length

from studio.accounts.services import record
from studio.datasets import chores
from studio.datasets.blocks import ABSENT, Content, decode, encode
from studio.datasets.editing.digests import add_up, digest_of, digest_of_places, fingerprint
from studio.datasets.models import Block, Chore, Dataset, Place, Version
from studio.datasets.reading.sniffing import check_width
from studio.datasets.splits.splitting import OTHERS, label_text
from studio.datasets.table import SPLITS, Spot, count_splits, places_of
from studio.datasets.uploading.choices import MAX_LABELS
from studio.errors import Invalid

MOST_ROWS = 20_000_000
AT_ONCE = 32
"""Blocks that are read, and written, with one query."""
_QUERY = 500


class Rewrite:
    """Which places a change closes, and which it opens in their stead.

    It keeps where blocks stand, not what is in them.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.base = dataset.number
        """The version that is changed."""
        self.columns: list[str] = list(dataset.columns)
        self.mapping: dict[str, str] = dict(dataset.mapping)
        self.counts: Counter[str] = Counter()
        """Rows that are `added`, `changed`, `removed`, `moved`."""
        self.pairs: list[tuple[Spot | None, Spot | None]] = []
        """What stood, and what stands there now."""
        self.labels: Counter[tuple[str, int]] = Counter()
        """By label and split: how many rows more, or fewer."""
        self.told: dict[str, Any] = {}
        """What is known of the report afterwards; `labels` are not counted then."""
        self.renamed: dict[str, str] = {}
        """New names of columns; empty: the column is gone."""
        self._label_column = str((dataset.report.get("labels") or {}).get("column") or "")
        self._uncounted: list[tuple[Spot | None, Spot | None]] = []
        self._hashes: dict[int, str] = {}

    @property
    def is_empty(self) -> bool:
        """Nothing is different."""
        unchanged = (self.columns, self.mapping) == (self.dataset.columns, self.dataset.mapping)
        return not self.pairs and unchanged

    def read(self, spots: Iterable[Spot]) -> dict[int, Content]:
        """The contents of the blocks that stand there, by key."""
        wanted = {spot.block for spot in spots}
        found = Block.objects.filter(pk__in=wanted).values_list("pk", "hash", "data")
        contents: dict[int, Content] = {}
        for pk, hash_, data in found:
            self._hashes[pk] = hash_
            contents[pk] = decode(data)
        return contents

    def store(self, contents: Sequence[Content]) -> list[int]:
        """Keep contents as blocks, in a transaction of their own; returns their keys."""
        encoded = [_encode(content) for content in contents]
        fresh = dict(encoded)
        mine = Block.objects.filter(dataset=self.dataset, hash__in=list(fresh))
        with transaction.atomic():
            known = set(mine.values_list("hash", flat=True))
            Block.objects.bulk_create(
                [
                    Block(dataset=self.dataset, hash=hash_, data=data)
                    for hash_, data in fresh.items()
                    if hash_ not in known
                ],
                ignore_conflicts=True,  # somebody else keeps the same content at this moment
            )
            keys = dict(mine.values_list("hash", "pk"))
        for hash_, pk in keys.items():
            self._hashes[pk] = hash_
        return [keys[hash_] for hash_, _data in encoded]

    def swap(
        self,
        old: Spot | None,
        new: Spot | None,
        was: Content | None = None,
        now: Content | None = None,
    ) -> None:
        """Let `new` stand where `old` stood; with their contents, where they are at hand."""
        if old == new:
            return
        self.pairs.append((old, new))
        if not self._label_column or "labels" in self.told:
            return
        if (old is None or was is not None) and (new is None or now is not None):
            self._count(old, was, -1)
            self._count(new, now, 1)
        else:
            self._uncounted.append((old, new))

    def standing(self, spot: Spot) -> Spot | None:
        """What stands, after the swaps so far, where `spot` stood."""
        return next((new for old, new in self.pairs if old == spot), spot)

    def extend(self, spot: Spot, longer: Spot, was: Content, now: Content) -> None:
        """Let `longer` stand where `spot` stands, which may have been swapped in itself."""
        at = next((at for at, (_old, new) in enumerate(self.pairs) if new == spot), None)
        if at is None:
            self.swap(spot, longer, was, now)
            return
        self.pairs[at] = (self.pairs[at][0], longer)
        if self._label_column:
            self._count(spot, was, -1)
            self._count(longer, now, 1)

    def tally(self) -> None:
        """Count the labels of what was swapped without contents. Reads those blocks."""
        for at in range(0, len(self._uncounted), AT_ONCE):
            some = self._uncounted[at : at + AT_ONCE]
            contents = self.read(spot for pair in some for spot in pair if spot)
            for old, new in some:
                self._count(old, contents[old.block] if old else None, -1)
                self._count(new, contents[new.block] if new else None, 1)
        self._uncounted = []

    def name_columns(self, names: Iterable[str]) -> None:
        """Columns that come to the end unless they are there."""
        for name in names:
            if name not in self.columns:
                self.columns.append(name)
        check_width(len(self.columns))

    def digests(self) -> int:
        """What is to be added to the digest of the version that is changed."""
        spots = [spot for pair in self.pairs for spot in pair if spot]
        unknown = {spot.block for spot in spots} - set(self._hashes)
        for some in _pieces(sorted(unknown)):
            found = Block.objects.filter(pk__in=some).values_list("pk", "hash")
            self._hashes.update(found)
        total = 0
        for old, new in self.pairs:
            for spot, sign in ((old, -1), (new, 1)):
                if spot:
                    one = digest_of(spot.start, self._hashes[spot.block], spot.splits)
                    total = add_up([sign * one], total)
        return total

    def _count(self, spot: Spot | None, content: Content | None, sign: int) -> None:
        if spot is None or content is None:
            return
        column = self._label_column
        if sign > 0:
            column = self.renamed.get(column, column)
        for value, code in zip(content.column(column), spot.splits, strict=True):
            if code != ABSENT:
                self.labels[label_text(value), code] += sign


def end_of(dataset: Dataset) -> int:
    """The first number that no row ever had: that of the next new row."""
    known = _known(dataset)
    if known:
        return int(known["end"])
    places = Place.objects.filter(dataset=dataset)
    last = places.aggregate(last=Max("start"))["last"]
    if last is None:
        return 1
    return int(last + places.filter(start=last).aggregate(n=Max(Length("splits")))["n"])


def commit(
    actor: Any,
    rewrite: Rewrite,
    *,
    kind: str,
    message: str = "",
    restored_from: int | None = None,
    named: str = "",
) -> Version:
    """Make the rewrite the newest version. The dataset is locked, and still the rewrite's base.

    `named` is the fingerprint, when it is known to be that of another version.
    """
    dataset, number = rewrite.dataset, rewrite.base + 1
    assert dataset.number == rewrite.base
    rewrite.tally()
    digest, end = _digest(dataset), end_of(dataset)
    splits = _splits_after(dataset, rewrite)
    gone = [old.start for old, _new in rewrite.pairs if old]
    for some in _pieces(gone):
        Place.objects.filter(dataset=dataset, last=None, start__in=some).update(last=number - 1)
    Place.objects.bulk_create(
        [
            Place(
                dataset=dataset, block_id=new.block, start=new.start, splits=new.splits,
                first=number,
            )
            for _old, new in rewrite.pairs
            if new
        ],
        batch_size=_QUERY,
    )  # fmt: skip
    digest = add_up([rewrite.digests()], digest)
    dataset.number = number
    dataset.columns, dataset.mapping = rewrite.columns, rewrite.mapping
    dataset.row_count = sum(splits.values())
    dataset.fingerprint = named or fingerprint(dataset.columns, dataset.mapping, digest)
    report = {name: value for name, value in dataset.report.items() if name != "duplicates"}
    report |= {**rewrite.told, "splits": splits}
    if report.get("labels") and "labels" not in rewrite.told:
        report["labels"] = _labels_after(report["labels"], rewrite)
    for name in ("id_column", "label_column"):
        setattr(dataset, name, _name_after(getattr(dataset, name), rewrite))
    report["tally"] = {
        "number": number,
        "digest": f"{digest:x}",
        "end": max([end, *(new.end for _old, new in rewrite.pairs if new)]),
    }
    dataset.report = report
    dataset.save(
        update_fields=[
            *("number", "columns", "mapping", "row_count", "fingerprint", "report"),
            *("id_column", "label_column"),
        ]
    )
    version = write_version(
        actor, dataset, kind=kind, message=message,
        changes={name: count for name, count in rewrite.counts.items() if count},
        restored_from=restored_from,
    )  # fmt: skip
    record(
        project=dataset.project,
        actor=actor,
        action=f"dataset.{kind}",
        subject=dataset.name,
        version=number,
        fingerprint=dataset.fingerprint,
        **version.changes,
    )
    return version


def write_version(
    actor: Any,
    dataset: Dataset,
    *,
    kind: str,
    message: str = "",
    changes: Mapping[str, int] | None = None,
    restored_from: int | None = None,
) -> Version:
    """The row of the dataset's newest version, as the dataset says.

    A large one is indexed by a worker right away, so that the first search finds an index.
    """
    if dataset.row_count > chores.AT_ONCE_ROWS:
        transaction.on_commit(lambda: chores.ask(dataset, Chore.Kind.INDEX))
    return Version.objects.create(
        dataset=dataset,
        number=dataset.number,
        kind=kind,
        fingerprint=dataset.fingerprint,
        columns=dataset.columns,
        mapping=dataset.mapping,
        row_count=dataset.row_count,
        splits=dataset.report.get("splits", {}),
        message=message[:200],
        changes=dict(changes or {}),
        restored_from=restored_from,
        created_by=actor,
    )


def _encode(content: Content) -> tuple[str, bytes]:
    try:
        return encode(content)
    except ValueError:  # a half of a character, or a number beyond all numbers
        raise Invalid("A value cannot be stored: it holds halves of characters.") from None


def _known(dataset: Dataset) -> dict[str, Any]:
    """What the last change has left for the next one, unless something else came between."""
    found = dataset.report.get("tally") or {}
    return found if found.get("number") == dataset.number else {}


def _digest(dataset: Dataset) -> int:
    known = _known(dataset)
    if known:
        return int(known["digest"], 16)
    return digest_of_places(places_of(dataset, dataset.number))


def _splits_after(dataset: Dataset, rewrite: Rewrite) -> dict[str, int]:
    counts = dataset.report.get("splits")
    if not counts:
        places = places_of(dataset, dataset.number)
        counts = count_splits(bytes(one) for one in places.values_list("splits", flat=True))
    less = count_splits(old.splits for old, _new in rewrite.pairs if old)
    more = count_splits(new.splits for _old, new in rewrite.pairs if new)
    return {
        split.value: counts.get(split.value, 0) - less[split.value] + more[split.value]
        for split in SPLITS
    }


def _name_after(column: str, rewrite: Rewrite) -> str:
    """What the column is called now; empty when there is none any more."""
    name = rewrite.renamed.get(column, column)
    return name if name in rewrite.columns else ""


def _labels_after(labels: Mapping[str, Any], rewrite: Rewrite) -> dict[str, Any]:
    column = _name_after(labels["column"], rewrite)
    if not column:
        return {}
    counts = {label: Counter(found) for label, found in labels.get("counts", {}).items()}
    for (label, code), more in rewrite.labels.items():
        if label not in counts and (len(counts) >= MAX_LABELS or OTHERS in counts):
            label = OTHERS
        counts.setdefault(label, Counter())[SPLITS[code].value] += more
    there = {label: found for label, found in counts.items() if any(found.values())}
    ordered = sorted(there.items(), key=lambda pair: -sum(pair[1].values()))
    return {
        "column": column,
        "counts": {
            label: {split.value: found.get(split.value, 0) for split in SPLITS}
            for label, found in ordered
        },
    }


def _pieces(keys: Sequence[int]) -> list[Sequence[int]]:
    return [keys[at : at + _QUERY] for at in range(0, len(keys), _QUERY)]
