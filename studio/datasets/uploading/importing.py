"""Rows of a file into blocks: staged where nobody sees them, then made a dataset at one stroke."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from django.db import transaction

from studio.datasets.blocks import ABSENT, Content, encode
from studio.datasets.editing.changes import fingerprint_of, write_version
from studio.datasets.models import Block, Dataset, Place, Upload, Version
from studio.datasets.naming import free_slug
from studio.datasets.reading import Batch
from studio.datasets.table import places_of
from studio.datasets.uploading.choices import Choices, columns_as_fields
from studio.errors import Invalid

AT_ONCE = 32
"""Blocks that are written with one transaction."""


class Stage:
    """Writes blocks of a dataset, in many small transactions, in the order of the file.

    One that wrote a million rows would keep every other writer of SQLite waiting.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._blocks: dict[str, int] = {}
        """Keys by hash: the same rows may stand in a file twice."""
        self._packer = ThreadPoolExecutor(1, thread_name_prefix="packer")
        """Compressing and hashing let other threads run: the next rows are read meanwhile."""
        self._waiting: list[tuple[int, int, Future[tuple[str, bytes]]]] = []

    def add(self, start: int, content: Content) -> None:
        """Keep rows; they stay absent until their splits are said."""
        packed = self._packer.submit(encode, content)
        self._waiting.append((start, content.count, packed))
        if len(self._waiting) >= 2 * AT_ONCE:
            self._write(AT_ONCE)

    def take(self, batch: Batch) -> None:
        """Keep a batch."""
        if batch.cells:
            self.add(batch.start, Content(batch.columns, batch.cells))

    def flush(self) -> None:
        """Write what waits."""
        self._write(len(self._waiting))

    def _write(self, count: int) -> None:
        packed = [_result(*waiting) for waiting in self._waiting[:count]]
        del self._waiting[:count]
        with transaction.atomic():
            fresh = {
                hash_: Block(dataset=self._dataset, hash=hash_, data=data)
                for _start, _count, hash_, data in packed
                if hash_ not in self._blocks
            }
            for block in Block.objects.bulk_create(fresh.values()):
                self._blocks[block.hash] = block.pk
            Place.objects.bulk_create(
                Place(
                    dataset=self._dataset,
                    block_id=self._blocks[hash_],
                    start=start,
                    splits=bytes([ABSENT]) * rows,
                    first=1,
                )
                for start, rows, hash_, _data in packed
            )


def _result(
    start: int, count: int, packed: Future[tuple[str, bytes]]
) -> tuple[int, int, str, bytes]:
    try:
        return start, count, *packed.result()
    except ValueError:
        raise Invalid(
            f"Rows {start:,} to {start + count - 1:,} hold halves of characters, which cannot be "
            "stored. Save the file as UTF-8 again."
        ) from None


def begin(upload: Upload) -> Dataset:
    """An invisible dataset for the upload's rows; what was staged before is thrown away."""
    drop_staged(upload)
    dataset = Dataset(
        project=upload.project,
        name=upload.filename[:80],
        slug=upload.token,
        ready=False,
        created_by=upload.created_by,
    )
    with transaction.atomic():
        dataset.save()
        Upload.objects.filter(pk=upload.pk).update(dataset=dataset, staged="")
    return dataset


def drop_staged(upload: Upload) -> None:
    """Throw away what was staged for an upload that is no dataset yet."""
    Dataset.everything.filter(uploads=upload, ready=False).delete()


def drop_lost(pk: int | None = None) -> None:
    """Throw away staged rows that no upload refers to any more: all of them, or these."""
    lost = Dataset.everything.filter(ready=False, uploads=None)
    (lost if pk is None else lost.filter(pk=pk)).delete()


def publish(dataset: Dataset, *, upload: Upload, splits: bytes) -> None:
    """Make the staged rows a dataset that people see. To be called in a transaction.

    Raises `IntegrityError` when another dataset takes its name at the same moment.
    """
    choices, report = Choices.from_dict(upload.choices), upload.report
    dataset.name = choices.name
    dataset.slug = free_slug(upload.project, choices.name)
    dataset.mapping = _mapping(upload, choices, report["columns"])
    dataset.columns = list(report["columns"])
    dataset.created_by = upload.kept_by
    dataset.id_column = choices.id_column
    dataset.label_column = choices.balance
    set_splits(dataset, splits)
    told = ("splits", "labels", "duplicates", "problems", "left_out", "rows")
    finish(
        dataset,
        actor=upload.kept_by,
        report={name: report[name] for name in told}
        | {"filename": upload.filename, "choices": choices.to_dict()},
        message=f"From {upload.filename}",
    )


def set_splits(dataset: Dataset, splits: bytes) -> None:
    """Give the staged rows their splits; blocks of which no row is kept are left out."""
    places = list(places_of(dataset, 1).order_by("start"))
    dataset.places.all().delete()
    for place in places:
        end = place.start - 1 + len(place.splits)
        place.pk, place.splits = None, splits[place.start - 1 : end]
    there = [place for place in places if place.splits.count(ABSENT) < len(place.splits)]
    Place.objects.bulk_create(there, batch_size=500)


def finish(
    dataset: Dataset, *, actor: Any, report: Mapping[str, Any], message: str = ""
) -> Version:
    """The first version of a dataset whose places are written."""
    dataset.number = 1
    dataset.report = dict(report)
    dataset.row_count = sum(report["splits"].values())
    dataset.fingerprint = fingerprint_of(
        dataset.columns, dataset.mapping, places_of(dataset, dataset.number)
    )
    dataset.ready = True
    dataset.save()
    return write_version(actor, dataset, kind=Version.Kind.IMPORT, message=message)


def _mapping(upload: Upload, choices: Choices, columns: Sequence[str]) -> dict[str, str]:
    mapping = dict(choices.mapping)
    if not choices.signature:
        # Objects far down in the file may have names that nobody had seen when choosing.
        late = set(columns) - set(upload.format["columns"])
        named = columns_as_fields(columns).items()
        mapping |= {field: column for field, column in named if column in late - set(mapping)}
    return mapping
