"""Exactly one worker holds a run, and a dead worker holds it no longer than its lease."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from studio.accounts.models import Project
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
        leases.beat(run.pk, "dead:1:x", calls=0, cost=0.0)
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
    assert not leases.beat(run.pk, "one", calls=7, cost=0.5).cancel
    run.refresh_from_db()
    assert run.heartbeat_at is not None
    assert silence.heartbeat_at is not None
    assert (run.calls, run.cost) == (7, 0.5)
    Run.objects.filter(pk=run.pk).update(cancel_requested=True)
    assert leases.beat(run.pk, "one", calls=7, cost=0.5).cancel


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


def test_a_worker_that_shuts_down_gives_the_run_back(project: Project) -> None:
    run = builders.make_run(project)
    leases.claim(run.pk, "one")
    leases.give_back(run.pk, "one", calls=3)
    run.refresh_from_db()
    assert (run.state, run.crashes, run.calls) == (State.QUEUED, 0, 3)
    assert reap() == [run.pk]
