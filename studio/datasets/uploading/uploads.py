"""Uploads that have arrived: checked under choices, kept as a dataset or thrown away.

Small files are checked and imported at once, larger ones by a worker: see `working`. How files
arrive: see `receiving`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from studio.accounts.models import Project, Role
from studio.accounts.services import record, require
from studio.datasets.models import Upload
from studio.datasets.uploading.choices import Choices, wrong_choices, wrong_cut
from studio.datasets.uploading.importing import drop_staged
from studio.datasets.uploading.looking import CUT
from studio.datasets.uploading.storage import remove
from studio.datasets.uploading.working import start
from studio.engine.codec import content_hash
from studio.errors import Conflict, Invalid, NotFound


def get_upload(*, project: Project, token: str) -> Upload:
    """The project's upload, or `NotFound`."""
    upload = Upload.objects.filter(project=project, token=token).first()
    if upload is None:
        raise NotFound("There is no such upload here. Upload the file again.")
    return upload


def columns_of(upload: Upload) -> list[str]:
    """The columns of the file, as far as they are known."""
    return list(upload.report.get("columns") or upload.format.get("columns") or [])


def choices_hash(upload: Upload) -> str:
    """Names the choices that were checked; whoever keeps the dataset says which they saw.

    The dataset's name is not among them: it changes nothing about the rows.
    """
    return content_hash({**upload.choices, "name": ""})[:16]


def choose(*, actor: Any, upload: Upload, choices: Choices, kick: bool = True) -> Upload:
    """Check the file under new choices; needs the role author. Raises `Conflict` too late.

    Without `kick` the caller does the work.
    """
    require(user=actor, project=upload.project, role=Role.AUTHOR)
    if wrong := wrong_choices(choices, columns_of(upload)):
        raise Invalid(wrong[0], problems=wrong)
    if upload.target_id and not choices.id_column:
        raise Invalid("Choose the column that names a row: the dataset's rows are found by it.")
    return _again(upload, kick, choices=choices.to_dict())


def cut_anew(
    *, actor: Any, upload: Upload, cut: Mapping[str, str], name: str = "", kick: bool = True
) -> Upload:
    """Cut the file into other columns; needs the role author.

    What was chosen for the old columns means nothing any more: it is suggested anew. `cut` has
    some of `looking.CUT`.
    """
    require(user=actor, project=upload.project, role=Role.AUTHOR)
    old = Choices.from_dict(upload.choices)
    said = {key: value for key, value in cut.items() if key in CUT}
    choices = Choices.from_dict({**upload.choices, **said, "name": name or old.name})
    if wrong := wrong_cut(choices, upload.format):
        raise Invalid(wrong[0], problems=wrong)
    about = {key: value for key, value in upload.format.items() if key != "columns"}
    about["before"] = upload.choices
    return _again(upload, kick, choices=choices.to_dict(), format=about, report={})


def is_cut_anew(upload: Upload, cut: Mapping[str, str]) -> bool:
    """Whether the file would be cut into other columns."""
    old = Choices.from_dict(upload.choices)
    return any(
        (value or "names") != (getattr(old, name) or "names") if name == "header"
        else value != getattr(old, name)
        for name, value in cut.items()
    )  # fmt: skip


def _again(upload: Upload, kick: bool, **values: Any) -> Upload:
    waits = Upload.objects.filter(pk=upload.pk, state=Upload.State.READY)
    if not waits.update(
        state=Upload.State.RECEIVED, error="", progress=0, kicked_at=None, **values
    ):
        raise Conflict("This file is being worked on, or is imported already. Reload the page.")
    upload.refresh_from_db()
    if kick:
        start(upload)
    return upload


def keep(
    *,
    actor: Any,
    upload: Upload,
    checked: str,
    leave_out: bool,
    name: str = "",
    kick: bool = True,
) -> Upload:
    """Import the file as it was checked; needs the role author.

    `checked` is the `choices_hash` that the person saw; `name` may be another by now. A second
    call does nothing. Raises `Invalid` while something is in the way, and `Conflict` when the
    choices are others by now.
    """
    require(user=actor, project=upload.project, role=Role.AUTHOR)
    with transaction.atomic():
        upload = _lock(upload)
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
    if kick:
        start(upload)
    return upload


def _lock(upload: Upload) -> Upload:
    found = Upload.objects.select_for_update().filter(pk=upload.pk).first()
    if found is None:
        raise NotFound("This upload was thrown away in the meantime. Upload the file again.")
    return found


def discard(*, actor: Any, upload: Upload) -> None:
    """Throw the upload and its file away; needs the role author."""
    require(user=actor, project=upload.project, role=Role.AUTHOR)
    with transaction.atomic():
        upload = _lock(upload)
        if upload.waits_for_work and upload.owner:
            raise Conflict("This file is being worked on. Wait until that is done.")
        record(
            project=upload.project, actor=actor, action="dataset.discard", subject=upload.filename
        )
        drop_staged(upload)
        Upload.objects.filter(pk=upload.pk).delete()
    remove(upload.token)
