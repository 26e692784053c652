"""Telling workers that there is a run. Only a hint: the run's row is the truth."""

from __future__ import annotations

import logging
from uuid import UUID

from kombu.exceptions import OperationalError

from studio.celery import app
from studio.runs.models import Run

TASK = "runs.work"

logger = logging.getLogger(__name__)


def kick(run_id: UUID) -> None:
    """Send the message; when the broker is away, the reaper will tell workers later."""
    try:
        app.send_task(TASK, args=[str(run_id)], retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("The broker is away (%s); a worker will find the run by itself.", error)
        Run.objects.filter(pk=run_id).update(kicked_at=None)
