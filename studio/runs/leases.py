"""Who works on a run: claims, heartbeats, and giving back what a dead worker held.

A worker that has claimed a run holds a lease on it, which its heartbeats renew. Every write of a
worker asks first whether the lease is still its own, so that two workers never write one run.
"""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from studio.engine.lm.metered import Spent
from studio.runs.models import Run
from studio.runs.states import MOVES, State

MOST_CRASHES = 5
"""A run that took this many workers with it is not tried again."""


class LeaseLost(Exception):
    """Another worker has this run now."""


@dataclass(frozen=True, slots=True)
class Beat:
    """What a heartbeat found."""

    cancel: bool
    """Somebody asked for the run to stop."""
    pause: bool = False
    """Somebody asked for the run to be put aside."""


def lease_seconds() -> float:
    """How long a worker may be silent."""
    return float(settings.RUN_LEASE_SECONDS)


def new_owner() -> str:
    """A name for one claim by this process, which no other claim has."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(6)}"


def claim(run_id: UUID, owner: str) -> bool:
    """Take a run that is queued, or whose worker has been silent for too long.

    Says whether it is now `owner`'s; of several workers that ask at once exactly one gets it.
    """
    put_back(run_id)
    now = timezone.now()
    taken = Run.objects.filter(pk=run_id, state=State.QUEUED).update(
        state=State.RUNNING,
        owner=owner,
        heartbeat_at=now,
        attempts=F("attempts") + 1,
    )
    if taken:
        Run.objects.filter(pk=run_id, started_at=None).update(started_at=now)
    return bool(taken)


def beat(run_id: UUID, owner: str, spent: Spent) -> Beat:
    """Renew the lease and keep what was spent; raises `LeaseLost`."""
    mine = Run.objects.filter(pk=run_id, owner=owner, state=State.RUNNING)
    if not mine.update(heartbeat_at=timezone.now(), **asdict(spent)):
        raise LeaseLost
    asked = mine.values_list("cancel_requested", "pause_requested").first() or (False, False)
    return Beat(cancel=asked[0], pause=asked[1])


def tell(run_id: UUID, owner: str, live: dict[str, Any]) -> bool:
    """Write how far a run is; says whether it still is `owner`'s."""
    mine = Run.objects.filter(pk=run_id, owner=owner, state=State.RUNNING)
    return bool(mine.update(live=live))


def holds(run_id: UUID, owner: str) -> None:
    """Raise `LeaseLost` unless the run is still `owner`'s; call it inside a transaction."""
    mine = Run.objects.select_for_update().filter(pk=run_id, owner=owner, state=State.RUNNING)
    if not mine.values_list("pk", flat=True):
        raise LeaseLost


@transaction.atomic
def finish(run_id: UUID, owner: str, state: State, **fields: Any) -> None:
    """End a run that `owner` holds; raises `LeaseLost`."""
    holds(run_id, owner)
    move(run_id, state, owner="", finished_at=timezone.now(), **fields)


@transaction.atomic
def give_back(run_id: UUID, owner: str, **fields: Any) -> None:
    """Queue a run again because this worker is shutting down; it goes on where it was."""
    holds(run_id, owner)
    move(run_id, State.QUEUED, owner="", heartbeat_at=None, kicked_at=None, **fields)


@transaction.atomic
def put_aside(run_id: UUID, owner: str, **fields: Any) -> State:
    """Pause a run that `owner` holds: nobody takes it until it is resumed. Its state then.

    One that was resumed in the moment in which its worker stopped is queued again.
    """
    holds(run_id, owner)
    paused = Run.objects.values_list("pause_requested", flat=True).get(pk=run_id)
    to = State.PAUSED if paused else State.QUEUED
    move(run_id, to, owner="", heartbeat_at=None, kicked_at=None, **fields)
    return to


@transaction.atomic
def move(run_id: UUID, state: State, **fields: Any) -> Run:
    """The one way between states: under a row lock, along `MOVES`, refusing everything else."""
    run = Run.objects.select_for_update().get(pk=run_id)
    if state not in MOVES[run.state]:
        raise ValueError(f"A run that is {run.state} cannot become {state}.")
    run.state = state
    for name, value in fields.items():
        setattr(run, name, value)
    run.save(update_fields=["state", *fields])
    return run


@transaction.atomic
def put_back(run_id: UUID, *, now: datetime | None = None) -> bool:
    """Queue a run again if its worker has been silent for longer than the lease.

    One that was to be paused is paused instead. Says whether the run waits for a worker now.
    """
    limit = (now or timezone.now()) - timedelta(seconds=lease_seconds())
    run = (
        Run.objects.select_for_update()
        .filter(pk=run_id, state=State.RUNNING, heartbeat_at__lt=limit)
        .first()
    )
    if run is None:
        return False
    crashes = run.crashes + 1
    if crashes >= MOST_CRASHES:
        move(
            run_id,
            State.FAILED,
            owner="",
            crashes=crashes,
            finished_at=timezone.now(),
            error=f"The worker stopped {crashes} times while it worked on this run, so it is not "
            "tried again. Look for the reason in the worker's log (memory?), then start it anew.",
        )
        return False
    to = State.PAUSED if run.pause_requested else State.QUEUED
    move(run_id, to, owner="", crashes=crashes, heartbeat_at=None, kicked_at=None)
    return to == State.QUEUED
