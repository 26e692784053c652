"""Exactly one worker holds a run, and a dead worker holds it no longer than its lease."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from studio.accounts.models import Project
from studio.engine.lm.metered import Spent
from studio.runs import leases
from studio.runs.models import Run
from studio.runs.reaper import reap
from studio.runs.states import State
from tests import builders

pytestmark = pytest.mark.django_db


def silent(run: Run, seconds: float = 31) -> Run:
    """A run whose worker has said nothing for so long."""
    Run.objects.filter(pk=run.pk).update(
        state=State.RUNNING,
        owner="dead:1:x",
        heartbeat_at=timezone.now() - timedelta(seconds=seconds),
    )
    run.refresh_from_db()
    return run


def test_of_two_workers_one_gets_the_run(project: Project) -> None:
    run = builders.make_run(project)
    assert leases.claim(run.pk, "one")
    assert not leases.claim(run.pk, "two")
    run.refresh_from_db()
    assert (run.state, run.owner, run.attempts) == (State.RUNNING, "one", 1)
    assert run.started_at is not None


def test_a_run_whose_worker_is_silent_can_be_claimed(project: Project) -> None:
    run = silent(builders.make_run(project))
    assert leases.claim(run.pk, "two")
    with pytest.raises(leases.LeaseLost):
        leases.beat(run.pk, "dead:1:x", Spent())
    with pytest.raises(leases.LeaseLost):
        leases.finish(run.pk, "dead:1:x", State.SUCCEEDED)
    leases.finish(run.pk, "two", State.SUCCEEDED)


def test_a_run_whose_worker_is_alive_cannot_be_claimed(project: Project) -> None:
    run = silent(builders.make_run(project), seconds=20)
    assert not leases.claim(run.pk, "two")


def test_a_heartbeat_keeps_the_lease_and_what_was_spent(project: Project) -> None:
    run = builders.make_run(project)
    leases.claim(run.pk, "one")
    silence = silent(run, 29)
    Run.objects.filter(pk=run.pk).update(owner="one")
    spent = Spent(calls=7, tokens=90, cost=0.5, seconds=3.0)
    assert leases.beat(run.pk, "one", spent) == leases.Beat(cancel=False, pause=False)
    run.refresh_from_db()
    assert run.heartbeat_at is not None
    assert silence.heartbeat_at is not None
    assert (run.calls, run.tokens, run.cost, run.seconds) == (7, 90, 0.5, 3.0)
    Run.objects.filter(pk=run.pk).update(cancel_requested=True)
    assert leases.beat(run.pk, "one", spent).cancel
    Run.objects.filter(pk=run.pk).update(cancel_requested=False, pause_requested=True)
    assert leases.beat(run.pk, "one", spent) == leases.Beat(cancel=False, pause=True)


def test_the_reaper_queues_what_a_dead_worker_held(project: Project) -> None:
    dead, alive = silent(builders.make_run(project)), builders.make_run(project)
    leases.claim(alive.pk, "one")
    assert reap() == [dead.pk]
    dead.refresh_from_db()
    assert (dead.state, dead.crashes, dead.owner) == (State.QUEUED, 1, "")
    assert reap() == [], "a worker has been told just now"


def test_the_reaper_tells_again_about_runs_that_nobody_heard_of(project: Project) -> None:
    long_ago = timezone.now() - timedelta(seconds=61)
    forgotten = builders.make_run(project, kicked_at=long_ago)
    builders.make_run(project, kicked_at=timezone.now())
    assert reap() == [forgotten.pk]


def test_a_run_that_kills_its_workers_fails_with_a_sentence(project: Project) -> None:
    run = builders.make_run(project)
    for _ in range(5):
        silent(run)
        reap()
    run.refresh_from_db()
    assert run.state == State.FAILED
    assert "stopped 5 times" in run.error
    assert not leases.claim(run.pk, "six")


def test_a_run_that_was_resumed_while_its_worker_stopped_is_queued_again(project: Project) -> None:
    run = builders.make_run(project)
    assert leases.claim(run.pk, "one")
    assert leases.put_aside(run.pk, "one") == State.QUEUED
    assert leases.claim(run.pk, "two")
    Run.objects.filter(pk=run.pk).update(pause_requested=True)
    assert leases.put_aside(run.pk, "two") == State.PAUSED


def test_a_run_that_was_to_be_paused_is_paused_when_its_worker_dies(project: Project) -> None:
    run = silent(builders.make_run(project, pause_requested=True))
    assert reap() == []
    run.refresh_from_db()
    assert (run.state, run.crashes, run.owner) == (State.PAUSED, 1, "")
    assert not leases.claim(run.pk, "two")


def test_a_worker_that_shuts_down_gives_the_run_back(project: Project) -> None:
    run = builders.make_run(project)
    leases.claim(run.pk, "one")
    leases.give_back(run.pk, "one", calls=3)
    run.refresh_from_db()
    assert (run.state, run.crashes, run.calls) == (State.QUEUED, 0, 3)
    assert reap() == [run.pk]
