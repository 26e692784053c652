"""The worker's door: one task, which executes a run, and the reaper beside it."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

from celery.signals import worker_ready, worker_shutting_down
from django.db import close_old_connections

from studio.celery import app
from studio.runs import agreements, leases
from studio.runs.execute import execute
from studio.runs.kicks import TASK
from studio.runs.reaper import Reaper

_shutting_down = threading.Event()
_reapers: list[Reaper] = []


@app.task(name=TASK)
def work(run_id: str) -> None:
    """Work on a run, if nobody else does. The message is only a kick: doubles are harmless."""
    try:
        execute(UUID(run_id), shutting_down=_shutting_down)
    finally:
        close_old_connections()


@app.task(name=agreements.TASK)
def agreement(pk: int) -> None:
    """Hold a metric against people's verdicts; see `agreements.work`."""
    try:
        agreements.work(pk)
    finally:
        close_old_connections()


@worker_ready.connect
def take_up_agreements(**_: Any) -> None:
    """What a worker left when it was killed, and what was asked for while there was none."""
    agreements.kick_all()


@worker_ready.connect
def start_reaper(**_: Any) -> None:
    """Look for lost runs at once, then twice a lease (every 15 s by default)."""
    reaper = Reaper(every=leases.lease_seconds() / 2)
    _reapers.append(reaper)
    reaper.start()


@worker_shutting_down.connect
def stop_working(**_: Any) -> None:
    """Give the runs back to the queue; other workers, or this one after its start, go on."""
    _shutting_down.set()
    for reaper in _reapers:
        reaper.stop()
