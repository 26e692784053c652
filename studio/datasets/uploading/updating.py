"""Rows of a file put into a dataset that is there already, by the column that names a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from studio.datasets.editing import upserting
from studio.datasets.models import Dataset, Upload
from studio.datasets.reading.problems import rows
from studio.datasets.uploading.choices import Choices
from studio.datasets.uploading.examining import Examination
from studio.errors import Invalid, StudioError


def count_update(
    upload: Upload, choices: Choices, found: Examination, beat: upserting.Beat
) -> dict[str, Any]:
    """What the file would do to its target: rows that are new, changed, and as they were."""
    assert upload.target is not None
    staged = Dataset.everything.filter(uploads=upload, ready=False).first()
    if not choices.id_column:
        found.report["blockers"].append(
            "Choose the column that names a row: the dataset’s rows are found by it."
        )
    if staged is None or found.report["blockers"]:
        return {}
    staged.columns = found.columns
    try:
        counts = upserting.preview(
            dataset=upload.target,
            staged=staged,
            splits=found.splits,
            id_column=choices.id_column,
            moves=_moves(choices),
            beat=lambda _part: beat(1.0),  # the file has been read
        )
    except StudioError as error:
        found.report["blockers"].append(str(error))
        return {}
    found.report["notes"] = _notes(counts, choices)
    return dict(counts)


def put_into_target(
    upload: Upload,
    staged: Dataset,
    splits: bytes,
    *,
    beat: upserting.Beat,
    also: Callable[[], None],
) -> None:
    """Make a version of the target with the file's rows.

    Not to be called in a transaction: nobody else could write to SQLite all that time. `also` is
    done in the one that makes the version.
    """
    target, choices = upload.target, Choices.from_dict(upload.choices)
    assert target is not None
    staged.columns = list(upload.report["columns"])

    def finish() -> None:
        if target.id_column != choices.id_column:
            Dataset.objects.filter(pk=target.pk).update(id_column=choices.id_column)
        Upload.objects.filter(pk=upload.pk).update(dataset=target)
        also()

    try:
        upserting.upsert(
            actor=upload.kept_by,
            dataset=target,
            staged=staged,
            splits=splits,
            id_column=choices.id_column,
            moves=_moves(choices),
            beat=beat,
            also=finish,
        )
    except StudioError as error:
        raise Invalid(str(error), problems=error.problems) from error


def _moves(choices: Choices) -> bool:
    """A file whose column says train, dev or test says it of rows that are there, too."""
    return choices.split_by == "column"


def _notes(counts: upserting.Counts, choices: Choices) -> list[str]:
    column = choices.id_column
    found = []
    if counts["repeated"]:
        found.append(
            f"Ids that stand in “{column}” again further down: {rows(counts['repeated'])}. The "
            "last row of each wins."
        )
    if counts["without_id"]:
        found.append(
            f"No id in “{column}”: {rows(counts['without_id'])}. Nobody can say which rows they "
            "are: they are left out."
        )
    if counts["added"] and _moves(choices):
        found.append(f"Each row gets the split that “{choices.split_column}” says.")
    elif counts["added"]:
        found.append("New rows are split by shares; rows that are there keep their splits.")
    return found
