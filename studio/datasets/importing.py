"""Writes the rows of a checked upload, in many small transactions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import IntegrityError, transaction

from studio.datasets.choices import Choices, columns_as_fields
from studio.datasets.examining import Beat, examine
from studio.datasets.models import Dataset, Upload
from studio.datasets.reading import open_table
from studio.datasets.services import free_slug, write_rows
from studio.datasets.sniffing import Format
from studio.datasets.splitting import LEFT_OUT, SPLITS
from studio.datasets.storage import path_of
from studio.engine.signature import Signature
from studio.errors import Conflict, Invalid


def import_rows(
    *,
    upload: Upload,
    choices: Choices,
    format_: Format,
    signature: Signature | None,
    beat: Beat,
) -> Dataset:
    """The dataset of an upload, all rows written, not yet `ready` nor saved as such.

    Small transactions, because one that writes a million rows would keep every other writer of
    SQLite waiting for half a minute. Raises `Invalid` when the file is gone or has changed.
    """
    path = path_of(upload.token)
    if not path.is_file():
        raise Invalid("The file is no longer here. Upload it again.")
    # Both passes read the same rows in the same order, so the splits fit row for row.
    found = examine(path, format_, choices, signature, beat=lambda part: beat(part / 3))
    if found.report["blockers"]:
        raise Invalid(found.report["blockers"][0], problems=found.report["blockers"])
    if found.report["kept"] != upload.report["kept"]:
        raise Invalid("The signature has changed since the file was checked. Check it again.")
    dataset = _begin(upload, choices, found.columns, found.report)
    kept = found.report["kept"]

    def rows() -> Iterator[tuple[int, Mapping[str, Any], str]]:
        with open_table(path, format_) as table:
            for row in table:
                code = found.splits[row.number - 1]
                if code != LEFT_OUT:
                    yield row.number, row.values, SPLITS[code].value

    write_rows(dataset, rows(), after_batch=lambda written: beat((1 + 2 * written / kept) / 3))
    return dataset


def _begin(
    upload: Upload, choices: Choices, columns: list[str], report: dict[str, Any]
) -> Dataset:
    mapping = dict(choices.mapping)
    if not choices.signature and upload.format["kind"] == "jsonl":
        # Objects far down in the file may have names that nobody had seen when choosing.
        late = set(columns) - set(upload.format["columns"])
        named = columns_as_fields(columns).items()
        mapping |= {field: column for field, column in named if column in late - set(mapping)}
    try:
        with transaction.atomic():
            dataset = Dataset(
                project=upload.project,
                name=choices.name,
                slug=free_slug(upload.project, choices.name),
                columns=columns,
                mapping=mapping,
                report={
                    name: report[name]
                    for name in ("splits", "labels", "duplicates", "problems", "left_out", "rows")
                }
                | {
                    "filename": upload.filename,
                    "choices": choices.to_dict(),
                },
                ready=False,
                created_by=upload.kept_by,
            )
            dataset.save()
            Upload.objects.filter(pk=upload.pk).update(dataset=dataset)
    except IntegrityError:
        raise Conflict("Another dataset took this name at the same moment. Try again.") from None
    return dataset
