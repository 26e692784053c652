"""Uploads: received, checked under choices, kept as a dataset or thrown away.

Small files are checked and imported at once, larger ones by a worker: see `working`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from studio.accounts.models import Project, Role
from studio.accounts.services import record, require
from studio.datasets import sniffing
from studio.datasets.choices import Choices, suggest, wrong_choices
from studio.datasets.models import Upload
from studio.datasets.problems import Problem
from studio.datasets.reading import open_table
from studio.datasets.sniffing import Format
from studio.datasets.storage import path_of, remove, store
from studio.datasets.working import format_of, signatures_of, start
from studio.engine.codec import content_hash
from studio.errors import Conflict, Invalid, NotFound

PEEK_ROWS = 1_000
FORGET_AFTER = timedelta(days=7)


def get_upload(*, project: Project, token: str) -> Upload:
    """The project's upload, or `NotFound`."""
    upload = Upload.objects.filter(project=project, token=token).first()
    if upload is None:
        raise NotFound("There is no such upload here. Upload the file again.")
    return upload


def receive_upload(*, actor: Any, project: Project, file: UploadedFile[Any]) -> Upload:
    """Take a file and look at its beginning; needs the role author.

    Raises `Invalid` for files that no dataset can be made of; nothing of them is kept then.
    """
    require(user=actor, project=project, role=Role.AUTHOR)
    filename = (file.name or "")[-200:]
    kind = sniffing.kind_of(filename)
    _forget_old(project)
    token = store(file)
    kept = False
    try:
        format_, problems = _detect(path_of(token), kind)
        columns, rows = _peek(path_of(token), format_)
        choices = suggest(
            name=Path(filename).stem.replace("_", " ").strip()[:80] or "Dataset",
            delimiter=format_.delimiter,
            header=format_.header,
            columns=columns,
            rows=rows,
            signatures=signatures_of(project),
        )
        upload = _create(
            actor=actor,
            project=project,
            token=token,
            filename=filename,
            size=file.size or 0,
            format={
                "kind": kind,
                "encoding": format_.encoding,
                "delimiter": format_.delimiter,
                "header": format_.header,
                "columns": columns,
                "problems": [problem.to_dict() for problem in problems],
            },
            choices=choices.to_dict(),
        )
        kept = True
    finally:
        if not kept:
            remove(token)
    start(upload)
    return upload


@transaction.atomic
def _create(*, actor: Any, project: Project, **values: Any) -> Upload:
    upload = Upload.objects.create(project=project, created_by=actor, **values)
    record(
        project=project,
        actor=actor,
        action="dataset.upload",
        subject=upload.filename,
        size=upload.size,
    )
    return upload


def _detect(path: Path, kind: str) -> tuple[Format, list[Problem]]:
    encoding, problems = sniffing.detect_encoding(path)
    head = sniffing.read_head(path, encoding)
    if kind == "jsonl":
        if head.lstrip().startswith("["):
            raise Invalid(
                "The file is one JSON list. Write one object a line, without commas between them: "
                "that is JSON lines."
            )
        return Format(kind="jsonl", encoding=encoding), problems
    delimiter = sniffing.detect_delimiter(head)
    rows = sniffing.parse_head(head, delimiter)
    header = sniffing.detect_header(rows)
    if len(rows) == 1 and header == "names":
        raise Invalid("The file has column names and no rows under them. Upload one that has.")
    return Format(kind="csv", encoding=encoding, delimiter=delimiter, header=header), problems


def _peek(path: Path, format_: Format) -> tuple[list[str], list[dict[str, Any]]]:
    """Columns and values of the first rows."""
    with open_table(path, format_) as table:
        rows = [row.values for row in islice(table, PEEK_ROWS) if not row.dropped]
        if not table.columns:
            raise Invalid(
                "No line of the file holds a JSON object. Write one a line, such as "
                '{"message": "Where is my parcel?", "category": "shipping"}.'
            )
        return list(table.columns), rows


def suggest_again(*, upload: Upload, delimiter: str, header: sniffing.Header) -> Choices:
    """Choices for the same file cut into columns in another way."""
    old = Choices.from_dict(upload.choices)
    columns, rows = _peek(
        path_of(upload.token),
        replace(format_of(upload, old), delimiter=delimiter, header=header),
    )
    return suggest(
        name=old.name,
        delimiter=delimiter,
        header=header,
        columns=columns,
        rows=rows,
        signatures=signatures_of(upload.project),
    )


def columns_of(upload: Upload, choices: Choices) -> list[str]:
    """The columns of the file under the choices, as far as they are known."""
    old = Choices.from_dict(upload.choices)
    if (choices.delimiter, choices.header or "names") == (old.delimiter, old.header or "names"):
        return list(upload.report.get("columns") or upload.format["columns"])
    return _peek(path_of(upload.token), format_of(upload, choices))[0]


def choices_hash(upload: Upload) -> str:
    """Names the choices that were checked; whoever keeps the dataset says which they saw.

    The dataset's name is not among them: it changes nothing about the rows.
    """
    return content_hash({**upload.choices, "name": ""})[:16]


def choose(*, actor: Any, upload: Upload, choices: Choices) -> Upload:
    """Check the file under new choices; needs the role author. Raises `Conflict` too late."""
    require(user=actor, project=upload.project, role=Role.AUTHOR)
    if wrong := wrong_choices(choices, columns_of(upload, choices)):
        raise Invalid(wrong[0], problems=wrong)
    waits = Upload.objects.filter(pk=upload.pk, state=Upload.State.READY)
    if not waits.update(
        state=Upload.State.RECEIVED,
        choices=choices.to_dict(),
        error="",
        progress=0,
        kicked_at=None,
    ):
        raise Conflict("This file is being worked on, or is imported already. Reload the page.")
    upload.refresh_from_db()
    start(upload)
    return upload


def keep(*, actor: Any, upload: Upload, checked: str, leave_out: bool, name: str = "") -> Upload:
    """Import the file as it was checked; needs the role author.

    `checked` is the `choices_hash` that the person saw; `name` may be another by now. A second
    call does nothing. Raises `Invalid` while something is in the way, and `Conflict` when the
    choices are others by now.
    """
    require(user=actor, project=upload.project, role=Role.AUTHOR)
    with transaction.atomic():
        upload = Upload.objects.select_for_update().get(pk=upload.pk)
        if upload.state in (Upload.State.IMPORTING, Upload.State.IMPORTED):
            return upload
        if upload.state != Upload.State.READY or choices_hash(upload) != checked:
            raise Conflict("The choices have changed. Look at the result again, then keep it.")
        if upload.report["blockers"]:
            raise Invalid(upload.report["blockers"][0], problems=upload.report["blockers"])
        if upload.report["left_out"] and not leave_out:
            raise Invalid(
                f"Rows with problems: {upload.report['left_out']:,}. Say that they are left out, "
                "or repair the file and upload it again."
            )
        upload.state, upload.error, upload.progress = Upload.State.IMPORTING, "", 0
        upload.kept_by, upload.kicked_at = actor, None
        upload.choices = {**upload.choices, "name": name or upload.choices["name"]}
        upload.save()
    start(upload)
    return upload


def discard(*, actor: Any, upload: Upload) -> None:
    """Throw the upload and its file away; needs the role author."""
    require(user=actor, project=upload.project, role=Role.AUTHOR)
    if upload.waits_for_work and upload.owner:
        raise Conflict("This file is being worked on. Wait until that is done.")
    with transaction.atomic():
        record(
            project=upload.project, actor=actor, action="dataset.discard", subject=upload.filename
        )
        Upload.objects.filter(pk=upload.pk).delete()
    remove(upload.token)


def _forget_old(project: Project) -> None:
    """Files that nobody came back to; a dataset's own rows are all that stays of the others."""
    old = Upload.objects.filter(project=project, created_at__lt=timezone.now() - FORGET_AFTER)
    for upload in old.filter(owner="").exclude(state=Upload.State.IMPORTING):
        remove(upload.token)
        upload.delete()
