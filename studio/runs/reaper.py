"""Puts back runs whose worker died, and tells workers again about runs that nobody heard of."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from uuid import UUID

from django.db import close_old_connections
from django.db.models import Q
from django.db.utils import DatabaseError
from django.utils import timezone

from studio.runs import leases
from studio.runs.kicks import kick
from studio.runs.models import Run
from studio.runs.states import State

logger = logging.getLogger(__name__)

_KICK_AGAIN_AFTER = timedelta(seconds=60)


def reap() -> list[UUID]:
    """The runs that a worker should be told about: put back just now, or queued and forgotten."""
    running = Run.objects.filter(state=State.RUNNING).values_list("pk", flat=True)
    for run_id in list(running):
        leases.put_back(run_id)
    now = timezone.now()
    forgotten = Run.objects.filter(state=State.QUEUED).filter(
        Q(kicked_at=None) | Q(kicked_at__lt=now - _KICK_AGAIN_AFTER)
    )
    found = list(forgotten.order_by("created_at").values_list("pk", flat=True))
    Run.objects.filter(pk__in=found).update(kicked_at=now)
    return found


class Reaper(threading.Thread):
    """Reaps at once, then every few seconds, until it is stopped."""

    def __init__(self, every: float) -> None:
        super().__init__(name="run-reaper", daemon=True)
        self._every = every
        self._stopped = threading.Event()

    def run(self) -> None:
        """See `threading.Thread.run`."""
        while True:
            try:
                for run_id in reap():
                    kick(run_id)
            except (DatabaseError, OSError) as error:
                logger.warning("Could not look for lost runs, trying again: %s", error)
            finally:
                close_old_connections()
            if self._stopped.wait(self._every):
                return

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
