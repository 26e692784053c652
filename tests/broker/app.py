"""A Celery application for the tests of the broker; its workers are real processes."""

from __future__ import annotations

import os
import time
from pathlib import Path

from celery import Celery

import studio.broker  # noqa: F401

app = Celery("probe", broker=os.environ["PROBE_BROKER"])
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "lease_seconds": float(os.environ.get("PROBE_LEASE", "10")),
        "global_keyprefix": os.environ.get("PROBE_PREFIX", ""),
    },
)


def write(line: str) -> None:
    """Append a line; whole lines, whichever process writes."""
    with Path(os.environ["PROBE_LOG"]).open("a") as file:
        file.write(f"{line}\n")


@app.task(name="probe.note")
def note(number: int) -> None:
    """Leave a trace at once."""
    write(f"note {number} {os.getpid()}")


@app.task(name="probe.hold")
def hold(number: int, seconds: float) -> None:
    """Leave a trace before and after some time."""
    write(f"start {number} {os.getpid()}")
    time.sleep(seconds)
    write(f"end {number} {os.getpid()}")
