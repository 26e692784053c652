"""Long work on one version of a dataset: asked for, done once, its result kept.

The chore's row is the truth; a message to a worker is only a kick.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from studio.datasets.claims import Claim
from studio.datasets.claims import kick as send_kick
from studio.datasets.models import Chore, Dataset
from studio.errors import Invalid, NotFound, StudioError

TASK = "datasets.chore"
AT_ONCE_ROWS = 5_000
"""Datasets of so many rows are dealt with while one waits."""
KEPT_VERSIONS = 5
"""Of so many of the newest versions the results of chores are kept."""

Beat = Callable[[float], None]
Do = Callable[[Chore, Beat], dict[str, Any]]
"""Does a chore, says now and then how far it is (0 to 1), and returns its result."""

CHORES: dict[str, Do] = {}
"""What does each kind of chore; filled by `apps.DatasetsConfig.ready`."""

_log = logging.getLogger(__name__)


class Stopped(StudioError):
    """Whoever did this chore had to stop; the next one does it."""


def find(dataset: Dataset, kind: str, about: str = "", number: int | None = None) -> Chore | None:
    """The chore for a version (the newest), if it was asked for."""
    return Chore.objects.filter(
        dataset=dataset, number=number or dataset.number, kind=kind, about=about
    ).first()


def ask(dataset: Dataset, kind: str, about: str = "", number: int | None = None) -> Chore:
    """The chore for a version (the newest): done already, done now, or given to a worker.

    To be asked again is harmless, and helps when a message or a worker was lost. A chore that
    failed stays failed; `retry` does it anew.
    """
    chore, made = Chore.objects.get_or_create(
        dataset=dataset, number=number or dataset.number, kind=kind, about=about
    )
    if made:
        old = Chore.objects.filter(dataset=dataset, kind=kind, owner="")
        old.filter(number__lte=chore.number - KEPT_VERSIONS).delete()
    return _start(chore, dataset)


def retry(chore: Chore) -> Chore:
    """Do a chore that failed once more."""
    Chore.objects.filter(pk=chore.pk, state=Chore.State.FAILED).update(
        state=Chore.State.WAITING, error="", progress=0, kicked_at=None
    )
    chore.refresh_from_db()
    return _start(chore, chore.dataset)


def work(pk: int, must_stop: Callable[[], bool] | None = None) -> None:
    """Do a chore. Does nothing when somebody does it, or it is done.

    `must_stop` is asked at each of its beats: it is given back, and `Stopped` raised, once it
    says so.
    """
    claim = Claim(_waiting(), pk)
    if not claim.held:
        return

    def beat(part: float) -> None:
        claim.beat(part)
        if must_stop is not None and must_stop():
            raise Stopped

    chore = Chore.objects.select_related("dataset__project").get(pk=pk)
    done = False
    try:
        try:
            result = CHORES[chore.kind](chore, beat)
        except (Invalid, NotFound) as error:
            _end(claim, state=Chore.State.FAILED, error=str(error))
        else:
            _end(claim, state=Chore.State.DONE, result=result, progress=100)
        done = True
    finally:
        if not done:
            _let_go(claim)


def kick_all() -> None:
    """Tell workers of everything that waits."""
    for pk in _waiting().values_list("pk", flat=True):
        _kick(pk)


def _start(chore: Chore, dataset: Dataset) -> Chore:
    if chore.state == Chore.State.WAITING:
        if dataset.row_count <= AT_ONCE_ROWS:
            work(chore.pk)
        else:
            # A worker that is told sooner may not find the chore.
            transaction.on_commit(partial(_kick, chore.pk))
        chore.refresh_from_db()
    return chore


def _kick(pk: int) -> None:
    if problem := send_kick(_waiting(), pk, TASK):
        _log.warning("no broker for chore %s: %s", pk, problem)


def _waiting() -> Any:
    return Chore.objects.filter(state=Chore.State.WAITING)


def _end(claim: Claim, **values: Any) -> None:
    claim.end(finished_at=timezone.now(), **values)


def _let_go(claim: Claim) -> None:
    """After a failure of ours. When the worker was told to stop, the next one tries again."""
    error = sys.exception()
    values: dict[str, Any] = {"owner": "", "heartbeat_at": None}
    if isinstance(error, Exception) and not isinstance(error, StudioError):
        values |= {
            "state": Chore.State.FAILED,
            "error": "The studio failed at this; its log says why. Try again.",
        }
    claim.mine.update(**values)
