"""Files on their way to the studio: in one request, or in pieces that can be sent again.

What has arrived is told by the upload's row, not by the file: bytes behind it are of a piece that
did not end, and are written over.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from studio.accounts.models import Project, Role
from studio.accounts.services import record, require
from studio.datasets.claims import Claim
from studio.datasets.models import Dataset, Upload
from studio.datasets.reading import kind_of
from studio.datasets.uploading.importing import drop_lost, drop_staged
from studio.datasets.uploading.storage import (
    MEGABYTE,
    Readable,
    new_token,
    refuse_large,
    refuse_without_room,
    remove,
    store,
    stored_before,
    write_piece,
)
from studio.datasets.uploading.working import start
from studio.errors import Conflict, Invalid, NotFound

PIECE = 8 * MEGABYTE
"""What a sender is told to send at once."""
LARGEST_PIECE = 32 * MEGABYTE
ABANDONED_AFTER = timedelta(days=1)
"""A file that does not arrive any further is removed."""
FORGET_AFTER = timedelta(days=7)
"""So is one that nobody keeps."""


def receive_upload(
    *, actor: Any, project: Project, file: UploadedFile[Any], target: Dataset | None = None
) -> Upload:
    """Take a whole file; needs the role author.

    A small one is checked at once: raises `Invalid` when no dataset can be made of it, and
    nothing of it is kept then. With a `target`, its rows are to go into that dataset.
    """
    upload = _new(actor, project, file.name or "", file.size or 0, target)
    upload.token = store(file)
    kept = False
    try:
        _create(actor, upload)
        _begin(upload)
        kept = True
    finally:
        if not kept:
            remove(upload.token)
    return upload


def announce(
    *, actor: Any, project: Project, filename: str, size: int, target: Dataset | None = None
) -> Upload:
    """A file will arrive in pieces; needs the role author. Returns where to send them.

    Raises `Invalid` for files that are not taken, and `NoRoom` when there is no room for it.
    """
    upload = _new(actor, project, filename, size, target)
    if size < 1:
        raise Invalid("The file is empty. Upload one with a row of column names and some rows.")
    refuse_without_room(size)
    upload.state = Upload.State.ARRIVING
    upload.token, upload.heartbeat_at = new_token(), timezone.now()
    _create(actor, upload)
    return upload


def take_piece(
    *,
    actor: Any,
    upload: Upload,
    offset: int,
    stream: Readable,
    length: int | None = None,
    kick: bool = True,
) -> Upload:
    """Write a piece of the file; needs the role author. The last one starts the check.

    Without `kick` the caller does the check.

    Raises `Conflict`, with `arrived` beside it, when the piece does not go on where the last one
    ended or somebody else is sending one, and `Invalid` when it is larger than what was announced.
    """
    require(user=actor, project=upload.project, role=Role.AUTHOR)
    if upload.state != Upload.State.ARRIVING:
        raise _conflict(upload, "The whole file has arrived already.")
    most = min(LARGEST_PIECE, upload.size - offset)
    if length is not None and length > most and offset == upload.arrived:
        raise Invalid(_too_much(upload, offset, length))
    claim = Claim(Upload.objects.filter(state=Upload.State.ARRIVING), upload.pk)
    if not claim.held:
        upload.refresh_from_db()
        raise _conflict(upload, "Another piece of this file is just being written.")
    written, done = 0, False
    try:
        upload.refresh_from_db()
        if offset != upload.arrived:
            raise _conflict(
                upload,
                f"{upload.arrived:,} bytes are here; go on from there, not from {offset:,}.",
            )
        written = write_piece(upload.token, offset, stream, most)
        done = True
    finally:
        if not done:
            claim.mine.update(owner="")
    _note(claim, upload, written)
    if kick and upload.state == Upload.State.RECEIVED:
        _begin(upload)
    return upload


def _note(claim: Claim, upload: Upload, written: int) -> None:
    """Say in the row what is on disk; `heartbeat_at` stays as the time of the last piece."""
    now = {"owner": "", "heartbeat_at": timezone.now(), "arrived": F("arrived") + written}
    if upload.arrived + written == upload.size:
        now |= {"state": Upload.State.RECEIVED, "heartbeat_at": None}
    if not claim.mine.update(**now):
        if not Upload.objects.filter(pk=upload.pk).exists():
            remove(upload.token)
            raise NotFound("This upload was thrown away in the meantime. Upload the file again.")
        upload.refresh_from_db()
        raise _conflict(upload, "Another piece of this file was written at the same time.")
    upload.refresh_from_db()


def _too_much(upload: Upload, offset: int, length: int) -> str:
    if length > upload.size - offset:
        return (
            f"The file was announced with {upload.size:,} bytes; this piece would make it "
            f"{offset + length:,}. Upload it again."
        )
    return f"A piece has at most {LARGEST_PIECE // MEGABYTE} MB; send {PIECE // MEGABYTE} MB."


def _conflict(upload: Upload, message: str) -> Conflict:
    return Conflict(message, arrived=upload.arrived, state=upload.state)


def _new(actor: Any, project: Project, filename: str, size: int, target: Dataset | None) -> Upload:
    """An upload that is not saved yet; refuses what will never be taken."""
    require(user=actor, project=project, role=Role.AUTHOR)
    filename = filename.replace("\0", "").replace("\\", "/").rpartition("/")[2][-200:]
    kind_of(filename)
    refuse_large(size)
    if target is not None and target.project_id != project.pk:
        raise NotFound("There is no such dataset here.")
    forget_old()
    return Upload(project=project, created_by=actor, filename=filename, size=size, target=target)


def _begin(upload: Upload) -> None:
    """Check a file that is here; one that is refused while its sender waits leaves nothing."""
    refusal = start(upload)
    if refusal is not None:
        Upload.objects.filter(pk=upload.pk).delete()
        remove(upload.token)
        raise refusal


@transaction.atomic
def _create(actor: Any, upload: Upload) -> None:
    upload.save()
    record(
        project=upload.project,
        actor=actor,
        action="dataset.upload",
        subject=upload.filename,
        size=upload.size,
    )


def forget_old() -> None:
    """Files that nobody came back to; a dataset's own rows are all that stays of the others."""
    now = timezone.now()
    abandoned = Q(
        state=Upload.State.ARRIVING,
        created_at__lt=now - ABANDONED_AFTER,
        heartbeat_at__lt=now - ABANDONED_AFTER,
    )
    old = Upload.objects.filter(Q(created_at__lt=now - FORGET_AFTER) | abandoned)
    for upload in old.filter(owner="").exclude(state=Upload.State.IMPORTING):
        remove(upload.token)
        drop_staged(upload)
        upload.delete()
    drop_lost()
    lost = stored_before(ABANDONED_AFTER.total_seconds())
    lost -= set(Upload.objects.filter(token__in=lost).values_list("token", flat=True))
    for token in lost:  # a process died between the file and its row, or its project was deleted
        remove(token)
