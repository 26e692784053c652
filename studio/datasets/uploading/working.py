"""The work on an upload: checking it and importing it, here or by a worker.

The upload's row is the truth. `work` claims it with a conditional update, so a doubled message
does nothing twice, and what a killed worker left is taken up by the next kick.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import zstandard
from django.conf import settings
from django.db import IntegrityError, transaction

from studio.accounts.services import record
from studio.datasets.claims import Claim
from studio.datasets.claims import kick as send_kick
from studio.datasets.models import Dataset, Upload
from studio.datasets.uploading import problem_files
from studio.datasets.uploading.choices import Choices
from studio.datasets.uploading.examining import examine
from studio.datasets.uploading.importing import Stage, begin, drop_lost, drop_staged, publish
from studio.datasets.uploading.looking import forget_cut, format_of, look, signatures_of
from studio.datasets.uploading.storage import MEGABYTE, path_of, remove, telling_full_disks
from studio.datasets.uploading.updating import count_update, put_into_target
from studio.engine.codec import content_hash
from studio.errors import Conflict, Invalid, NoRoom, StudioError

TASK = "datasets.work"
_OF_ROWS = ("preview", "problems", "unknown_labels")
"""What a report quotes of rows; it goes with the file, as its test rows may be sealed."""
_TRIES = 3
"""So many times another name is looked for when somebody has just taken the one that was free."""

_log = logging.getLogger(__name__)


def inline_limit() -> int:
    """Files up to so many bytes are dealt with while the browser waits."""
    return int(settings.STUDIO_INLINE_IMPORT_MB) * MEGABYTE


def start(upload: Upload) -> StudioError | None:
    """Do what the upload waits for: now if the file is small, else by a worker.

    To be called again is harmless, and helps when a message or a worker was lost. Returns why the
    file was refused, when it was refused now.
    """
    refusal = None
    if upload.size <= inline_limit():
        refusal = work(upload.pk)
    else:
        kick(upload.pk)
    upload.refresh_from_db()
    return refusal


def kick(pk: int) -> None:
    """Tell a worker of an upload that waits for one, unless that was done a moment ago."""
    if problem := send_kick(_waiting(), pk, TASK):
        _log.warning("no broker for upload %s: %s", pk, problem)


def kick_all() -> None:
    """Tell workers of everything that waits: when one starts, another may have died before."""
    for pk in _waiting().values_list("pk", flat=True):
        kick(pk)


def work(pk: int) -> StudioError | None:
    """Check or import an upload. Does nothing when somebody else does it, or it is done.

    Returns why the file was refused, if it was.
    """
    claim = Claim(_waiting(), pk)
    if not claim.held:
        return None
    upload = Upload.objects.select_related("project", "created_by", "kept_by", "target").get(pk=pk)
    if upload.state == Upload.State.RECEIVED:
        return _check(upload, claim)
    _import(upload, claim)
    return None


def _waiting() -> Any:
    return Upload.objects.filter(state__in=[Upload.State.RECEIVED, Upload.State.IMPORTING])


def _check(upload: Upload, claim: Claim) -> StudioError | None:
    refusal: StudioError | None = None
    done = False
    try:
        try:
            with telling_full_disks():
                values = _look_and_examine(upload, claim)
        except (Invalid, NoRoom) as error:
            refusal = error
            remove(upload.token)  # first of all: where the disk is full, nothing can be written
            drop_staged(upload)
            claim.end(state=Upload.State.REFUSED, error=str(error))
        else:
            claim.end(
                state=Upload.State.READY,
                progress=100,
                format={n: v for n, v in upload.format.items() if n != "before"},
                choices=upload.choices,
                **values,
            )
        done = True
    finally:
        if not done:
            _let_go(claim)
    return refusal


def _look_and_examine(upload: Upload, claim: Claim) -> dict[str, Any]:
    try:
        look(upload)
        return _examine(upload, claim)
    except Invalid as error:
        # A wrong delimiter or sheet is no reason to throw the file away.
        if not forget_cut(upload):
            raise
        look(upload)
        return {**_examine(upload, claim), "error": f"It cannot be cut like this. {error}"}


def _examine(upload: Upload, claim: Claim) -> dict[str, Any]:
    """Read the file under the choices; the first time under this cut its rows are staged."""
    choices = Choices.from_dict(upload.choices)
    format_ = format_of(upload, choices)
    path = path_of(upload.token)
    if not path.is_file():
        raise Invalid("The file is no longer here. Upload it again.")
    staged = content_hash(format_.to_dict())
    stage = Stage(begin(upload)) if upload.staged != staged else None
    with problem_files.writing(upload.token) as note:
        found = examine(
            path,
            format_,
            choices,
            signatures_of(upload.project).get(choices.signature),
            keep=stage.take if stage else lambda batch: None,
            note=note,
            beat=claim.beat,
        )
    if stage:
        stage.flush()
    if upload.target is not None:
        found.report["update"] = count_update(upload, choices, found, claim.beat)
    return {
        "report": found.report,
        "staged": staged,
        "splits": zstandard.compress(found.splits),
    }


def _import(upload: Upload, claim: Claim) -> None:
    """All rows or none: the dataset is invisible until the last one is there."""
    error = "The import did not end, and nothing of it was kept. Press the button again."
    done = False
    try:
        with telling_full_disks():
            _restage(upload, claim)
            _keep(upload, claim)
        done = True
    except (Invalid, NoRoom) as refusal:
        error = str(refusal)
    finally:
        if not done:
            claim.mine.update(state=Upload.State.READY, owner="", heartbeat_at=None, error=error)
    if done:
        remove(upload.token)
        drop_lost(upload.dataset_id)


def _keep(upload: Upload, claim: Claim) -> None:
    splits = zstandard.decompress(upload.splits)
    report = {name: told for name, told in upload.report.items() if name not in _OF_ROWS}

    def end() -> None:
        claim.end(state=Upload.State.IMPORTED, progress=100, report=report)

    if upload.target is not None:
        staged = Dataset.everything.get(uploads=upload)
        put_into_target(upload, staged, splits, beat=claim.beat, also=end)
        return
    for last in range(_TRIES):
        try:
            with transaction.atomic():
                staged = Dataset.everything.get(uploads=upload)
                publish(staged, upload=upload, splits=splits)
                _record(upload, staged)
                end()
            return
        except IntegrityError:
            if last == _TRIES - 1:
                raise Invalid(
                    "Another dataset took this name at the same moment. Press the button again."
                ) from None


def _record(upload: Upload, dataset: Dataset) -> None:
    record(
        project=upload.project,
        actor=upload.kept_by,
        action="dataset.import",
        subject=dataset.name,
        rows=dataset.row_count,
        left_out=upload.report.get("left_out", 0),
        fingerprint=dataset.fingerprint,
    )


def _restage(upload: Upload, claim: Claim) -> None:
    """Read the file again where its staged rows are gone, or the signature is another by now."""
    signature = signatures_of(upload.project).get(Choices.from_dict(upload.choices).signature)
    known = content_hash(signature.to_dict()) if signature else ""
    there = Dataset.everything.filter(uploads=upload, ready=False).exists()
    if upload.staged and there and upload.report.get("signature", "") == known:
        return
    if not there:
        upload.staged = ""
    kept = upload.report["kept"]
    values = _examine(upload, claim)
    for name, value in values.items():
        setattr(upload, name, value)
    upload.save(update_fields=list(values))
    upload.refresh_from_db()
    if upload.report["blockers"]:
        raise Invalid(upload.report["blockers"][0], problems=upload.report["blockers"])
    if upload.report["kept"] != kept:
        raise Invalid("The signature has changed since the file was checked. Check it again.")


def _let_go(claim: Claim) -> None:
    """After a failure of ours. When the worker was told to stop, the next one tries again."""
    values: dict[str, Any] = {"owner": "", "heartbeat_at": None}
    error = sys.exception()
    if isinstance(error, Exception) and not isinstance(error, Conflict):
        values |= {
            "state": Upload.State.REFUSED,
            "error": "The studio failed to check this file; its log says why. Upload it again, or "
            "save it in another format first.",
        }
    claim.mine.update(**values)
