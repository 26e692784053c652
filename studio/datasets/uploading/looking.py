"""A first look at an upload's file: what kind it is, its columns, and what is chosen for it."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.accounts.models import Project
from studio.datasets.models import Upload
from studio.datasets.reading import Format, detect, open_source
from studio.datasets.reading.workbooks import Workbook
from studio.datasets.uploading.choices import Choices, suggest
from studio.datasets.uploading.judging import values_of
from studio.datasets.uploading.storage import path_of
from studio.engine.errors import SignatureError
from studio.engine.signature import Signature
from studio.errors import Invalid

PEEK_ROWS = 1_000
CUT = ("delimiter", "header", "sheet")
"""Choices that cut the file into other columns, by their names in `Choices` and in `Format`."""

_log = logging.getLogger(__name__)


def signatures_of(project: Project) -> dict[str, Signature]:
    """`{slug: signature}` of the project's saved signatures."""
    found: dict[str, Signature] = {}
    for row in project.signatures.all():
        try:
            found[row.slug] = Signature.from_dict(row.spec)
        except SignatureError:
            _log.warning("signature %s of %s cannot be read", row.slug, project.slug)
    return found


def format_of(upload: Upload, choices: Choices | None = None) -> Format:
    """How to read the upload's file under the choices."""
    choices = choices or Choices.from_dict(upload.choices)
    chosen = {name: getattr(choices, name) for name in CUT}
    return Format.from_dict({**upload.format, **chosen})


def title_of(filename: str) -> str:
    """The name that a dataset made of the file has at first."""
    name = Path(filename).name
    for suffix in (".gz", ".zst"):
        name = name[: -len(suffix)] if name.lower().endswith(suffix) else name
    return Path(name).stem.replace("_", " ").strip()[:80] or "Dataset"


def look(upload: Upload) -> None:
    """Fill in the upload's format and choices, unless they are there; nothing is saved.

    A person who has said how the file is cut into columns has left the choices without a mapping:
    what was chosen for the old columns means nothing any more. Raises `Invalid` for files that no
    dataset can be made of.
    """
    if upload.format.get("columns"):
        return
    path = path_of(upload.token)
    if not path.is_file():
        raise Invalid("The file is no longer here. Upload it again.")
    if upload.format:
        old = Choices.from_dict(upload.choices)
        format_ = format_of(upload, old)
        about = dict(upload.format)
    else:
        format_, problems = detect(path, upload.filename)
        about = {
            **format_.to_dict(),
            "problems": [problem.to_dict() for problem in problems],
        }
        old = Choices(
            name=title_of(upload.filename), **{name: getattr(format_, name) for name in CUT}
        )
    columns, rows, sheets = peek(path, format_)
    found = suggest(
        name=old.name,
        delimiter=old.delimiter,
        header=old.header,
        columns=columns,
        rows=rows,
        signatures=signatures_of(upload.project),
    )
    upload.format = {**about, "columns": columns, "sheets": sheets or about.get("sheets", [])}
    upload.choices = replace(found, sheet=old.sheet).to_dict()
    if upload.target is not None:
        upload.choices = _as_target(upload, columns).to_dict()


def forget_cut(upload: Upload) -> bool:
    """Go back to the choices that stood before the file was cut anew, if it was."""
    before = upload.format.get("before")
    if not before:
        return False
    upload.choices = before
    upload.format = {
        name: value for name, value in upload.format.items() if name not in ("before", "columns")
    }
    return True


def _as_target(upload: Upload, columns: list[str]) -> Choices:
    """Choices for rows that go into another dataset: its names are the file's, too."""
    target, choices = upload.target, Choices.from_dict(upload.choices)
    assert target is not None
    id_column = target.id_column or choices.id_column
    return replace(
        choices,
        name=target.name,
        signature="",
        mapping={name: one for name, one in target.mapping.items() if one in columns},
        id_column=id_column if id_column in columns else "",
        balance=target.label_column if target.label_column in columns else "",
    )


def peek(path: Path, format_: Format) -> tuple[list[str], list[dict[str, Any]], list[str]]:
    """Columns, values of the first rows, and the sheets of a workbook."""
    sheets: list[str] = []
    rows: list[dict[str, Any]] = []
    with open_source(path, format_) as source:
        if isinstance(source, Workbook):
            sheets = sorted([source.about["sheet"], *source.about["others"]])
        for batch in source.batches():
            count = batch.count
            dropped = {i for i, found in batch.odd.items() if any(one.drops for one in found)}
            rows += [
                dict(values_of(batch, index)) for index in range(count) if index not in dropped
            ]
            if len(rows) >= PEEK_ROWS:
                break
        if not source.columns:
            raise Invalid(
                "No line of the file holds a JSON object. Write one a line, such as "
                '{"message": "Where is my parcel?", "category": "shipping"}.'
            )
        return list(source.columns), rows[:PEEK_ROWS], sheets
