"""One worker's hold on a row that stands for work: an upload, a chore."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from studio.celery import app
from studio.errors import Conflict

KICK_EVERY = timedelta(seconds=15)
DEAD_AFTER = timedelta(seconds=60)
"""A worker that has not been heard of for so long is gone."""


class Claim:
    """Taken with a conditional update, so that a doubled message does nothing twice."""

    def __init__(self, waiting: QuerySet[Any], pk: int) -> None:
        """`waiting` are the rows that somebody may take."""
        self._model: type[models.Model] = waiting.model
        self.pk = pk
        self.owner = secrets.token_hex(16)
        self.held = bool(
            nobodys(waiting).filter(pk=pk).update(owner=self.owner, heartbeat_at=timezone.now())
        )

    @property
    def mine(self) -> QuerySet[Any]:
        """The row, while it is held."""
        return self._model._default_manager.filter(pk=self.pk, owner=self.owner)

    def beat(self, part: float) -> None:
        """Say how far the work is; raises `Conflict` when somebody else has taken it over."""
        self._set(progress=min(100, int(part * 100)), heartbeat_at=timezone.now())

    def end(self, **values: Any) -> None:
        """Let go."""
        self._set(owner="", heartbeat_at=None, **values)

    def _set(self, **values: Any) -> None:
        if not self.mine.update(**values):
            raise Conflict("Another worker has taken this over.")


def nobodys(waiting: QuerySet[Any]) -> QuerySet[Any]:
    """Those that nobody works on."""
    return waiting.filter(Q(owner="") | Q(heartbeat_at__lt=timezone.now() - DEAD_AFTER))


def kick(waiting: QuerySet[Any], pk: int, task: str) -> str:
    """Tell a worker of a row that waits for one, unless that was done a moment ago.

    Returns why it could not be told; the row says what is to be done, and the next kick may find
    the broker.
    """
    now = timezone.now()
    due = nobodys(waiting).filter(Q(kicked_at=None) | Q(kicked_at__lt=now - KICK_EVERY))
    if due.filter(pk=pk).update(kicked_at=now):
        try:
            app.send_task(task, args=[pk])
        except OperationalError as error:
            return str(error)
    return ""
