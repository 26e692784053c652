"""The work on an upload: checking it and importing it, here or by a worker.

The upload's row is the truth. `work` claims it with a conditional update, so a doubled message
does nothing twice, and what a killed worker left is taken up by the next kick.
"""

from __future__ import annotations

import logging
import secrets
import sys
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import OperationalError

from studio.accounts.models import Project
from studio.accounts.services import record
from studio.celery import app
from studio.datasets.choices import Choices
from studio.datasets.examining import examine
from studio.datasets.importing import import_rows
from studio.datasets.models import Dataset, Upload
from studio.datasets.sniffing import Format
from studio.datasets.storage import MEGABYTE, path_of, remove
from studio.engine.errors import SignatureError
from studio.engine.signature import Signature
from studio.errors import Conflict, Invalid

TASK = "datasets.work"
KICK_EVERY = timedelta(seconds=15)
DEAD_AFTER = timedelta(seconds=60)
"""A worker that has not been heard of for so long is gone."""

_log = logging.getLogger(__name__)


def inline_limit() -> int:
    """Files up to so many bytes are dealt with while the browser waits."""
    return int(settings.STUDIO_INLINE_IMPORT_MB) * MEGABYTE


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
    return Format(
        kind=upload.format["kind"],
        encoding=upload.format["encoding"],
        delimiter=choices.delimiter,
        header=choices.header,
    )


def start(upload: Upload) -> None:
    """Do what the upload waits for: now if the file is small, else by a worker.

    To be called again is harmless, and helps when a message or a worker was lost.
    """
    if upload.size <= inline_limit():
        work(upload.pk)
    else:
        kick(upload)
    upload.refresh_from_db()


def kick(upload: Upload) -> None:
    """Tell a worker of an upload that waits for one, unless that was done a moment ago."""
    now = timezone.now()
    waiting = _unclaimed().filter(Q(kicked_at=None) | Q(kicked_at__lt=now - KICK_EVERY))
    if waiting.filter(pk=upload.pk).update(kicked_at=now):
        try:
            app.send_task(TASK, args=[upload.pk])
        except OperationalError as error:
            # The row says what is to be done; the next kick may find the broker.
            _log.warning("no broker for upload %s: %s", upload.pk, error)


def kick_all() -> None:
    """Tell workers of everything that waits: when one starts, another may have died before."""
    for upload in _unclaimed():
        kick(upload)


def _unclaimed() -> Any:
    """Uploads with something to do that nobody does."""
    dead = timezone.now() - DEAD_AFTER
    return Upload.objects.filter(
        Q(owner="") | Q(heartbeat_at__lt=dead),
        state__in=[Upload.State.RECEIVED, Upload.State.IMPORTING],
    )


class _Claim:
    """One worker's hold on an upload."""

    def __init__(self, pk: int) -> None:
        self.pk = pk
        self.owner = secrets.token_hex(16)
        self.held = bool(
            _unclaimed().filter(pk=pk).update(owner=self.owner, heartbeat_at=timezone.now())
        )

    def beat(self, part: float) -> None:
        """Say how far the work is; raises `Conflict` when somebody else has taken it over."""
        self._set(progress=int(part * 100), heartbeat_at=timezone.now())

    def end(self, **values: Any) -> None:
        """Let go."""
        self._set(owner="", heartbeat_at=None, **values)

    def _set(self, **values: Any) -> None:
        if not Upload.objects.filter(pk=self.pk, owner=self.owner).update(**values):
            raise Conflict("Another worker has taken this upload over.")


def work(pk: int) -> None:
    """Check or import an upload, whatever it waits for. Does nothing when somebody does it."""
    claim = _Claim(pk)
    if not claim.held:
        return
    upload = Upload.objects.select_related("project", "kept_by").get(pk=pk)
    if upload.state == Upload.State.RECEIVED:
        _check(upload, claim)
    else:
        _import(upload, claim)


def _check(upload: Upload, claim: _Claim) -> None:
    choices = Choices.from_dict(upload.choices)
    signature = signatures_of(upload.project).get(choices.signature)
    done = False
    try:
        try:
            found = examine(
                path_of(upload.token),
                format_of(upload, choices),
                choices,
                signature,
                beat=claim.beat,
            )
        except Invalid as error:
            claim.end(state=Upload.State.REFUSED, error=str(error))
            remove(upload.token)
        else:
            claim.end(state=Upload.State.READY, report=found.report, progress=100)
        done = True
    finally:
        if not done:
            _let_go(claim)


def _import(upload: Upload, claim: _Claim) -> None:
    """All rows or none: the dataset is invisible until the last one is there."""
    error = "The import did not end, and nothing of it was kept. Press the button again."
    done = False
    _remove_leftovers(upload)
    try:
        choices = Choices.from_dict(upload.choices)
        dataset = import_rows(
            upload=upload,
            choices=choices,
            format_=format_of(upload, choices),
            signature=signatures_of(upload.project).get(choices.signature),
            beat=claim.beat,
        )
        with transaction.atomic():
            dataset.ready = True
            dataset.save()
            record(
                project=upload.project,
                actor=upload.kept_by,
                action="dataset.import",
                subject=dataset.name,
                rows=dataset.row_count,
                left_out=upload.report.get("left_out", 0),
                fingerprint=dataset.fingerprint,
            )
            claim.end(state=Upload.State.IMPORTED, dataset=dataset, progress=100)
        done = True
    except Invalid as refusal:
        error = str(refusal)
    finally:
        mine = Upload.objects.filter(pk=upload.pk, owner=claim.owner)
        if not done and mine.exists():
            _remove_leftovers(upload)
            mine.update(state=Upload.State.READY, owner="", heartbeat_at=None, error=error)
    if done:
        remove(upload.token)


def _let_go(claim: _Claim) -> None:
    """After a failure of ours. When the worker was told to stop, the next one tries again."""
    values: dict[str, Any] = {"owner": "", "heartbeat_at": None}
    if isinstance(sys.exception(), Exception):
        values |= {
            "state": Upload.State.REFUSED,
            "error": "The studio failed to check this file; its log says why. Upload it again, or "
            "save it in another format first.",
        }
    Upload.objects.filter(pk=claim.pk, owner=claim.owner).update(**values)


def _remove_leftovers(upload: Upload) -> None:
    """What an import that did not end has written."""
    Dataset.everything.filter(uploads=upload, ready=False).delete()
