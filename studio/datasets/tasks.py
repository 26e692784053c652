"""What workers do with uploads and datasets."""

from __future__ import annotations

from typing import Any

from celery.signals import worker_ready

from studio.celery import app
from studio.datasets import chores
from studio.datasets.uploading import working


@app.task(name=working.TASK)
def work(pk: int) -> None:
    """Check or import one upload; see `working.work`."""
    working.work(pk)


@app.task(name=chores.TASK)
def chore(pk: int) -> None:
    """Do one chore; see `chores.work`."""
    chores.work(pk)


@worker_ready.connect
def take_up(**_signal: Any) -> None:
    """What a worker left when it was killed, and what was asked for while there was none."""
    working.kick_all()
    chores.kick_all()
