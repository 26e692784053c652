"""People put a run aside and go on with it later."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from studio.accounts.models import AuditEntry, Project, User
from studio.engine.lm.scripted import ScriptedLM, builtin_scripted
from studio.engine.lm.scripts import support_triage
from studio.errors import Conflict, NotAllowed, NotFound
from studio.runs import services
from studio.runs.execute import execute
from studio.runs.models import Run, ScoreRow
from studio.runs.reaper import reap
from studio.runs.states import State
from tests import builders
from tests.runs.builders import Kit, Lab

pytestmark = pytest.mark.django_db


def test_a_queued_run_is_paused_at_once_and_nobody_takes_it(kit: Kit) -> None:
    run = services.pause(actor=kit.actor, run=kit.start())
    assert run.state == State.PAUSED
    assert execute(run.pk) is None
    assert reap() == []


def test_a_running_run_is_paused_and_goes_on_where_it_was(kit: Kit, lab: Lab) -> None:
    whole = kit.compile()
    before = lab.calls
    lab.make = lambda: ScriptedLM(support_triage, latency_s=0.05)
    run = kit.start()

    def ask(now: Run) -> None:
        if ScoreRow.objects.filter(run=now).exists() and not now.pause_requested:
            services.pause(actor=kit.actor, run=now)

    assert execute(run.pk, on_look=ask) == State.PAUSED
    run.refresh_from_db()
    kept = set(ScoreRow.objects.filter(run=run).values_list("pk", flat=True))
    spent = run.calls
    assert kept
    assert run.owner == ""
    assert run.finished_at is None
    assert 0 < spent < whole.calls
    assert run.seconds > 0
    assert execute(run.pk) is None, "nobody takes it until it is resumed"

    lab.make = lambda: builtin_scripted("support-triage")
    services.resume(actor=kit.actor, run=run, kick=False)
    assert execute(run.pk) == State.SUCCEEDED
    run.refresh_from_db()
    assert kept <= set(ScoreRow.objects.filter(run=run).values_list("pk", flat=True))
    assert run.report["artifact"] == whole.report["artifact"]
    assert run.calls == lab.calls - before
    assert not run.pause_requested


def test_a_paused_run_can_be_cancelled(kit: Kit) -> None:
    run = services.pause(actor=kit.actor, run=kit.start())
    assert services.cancel(actor=kit.actor, run=run).state == State.CANCELLED


def test_a_pause_that_no_worker_has_seen_is_taken_back(project: Project, alice: User) -> None:
    run = builders.make_run(project, state=State.RUNNING, pause_requested=True)
    run = services.resume(actor=alice, run=run)
    assert (run.state, run.pause_requested) == (State.RUNNING, False)


@pytest.mark.parametrize("state", ["paused", "succeeded", "failed", "cancelled"])
def test_only_what_waits_or_runs_can_be_paused(project: Project, alice: User, state: str) -> None:
    run = builders.make_run(project, state=state)
    with pytest.raises(Conflict, match=f"This run is {state}"):
        services.pause(actor=alice, run=run)


@pytest.mark.parametrize("state", ["queued", "running", "succeeded", "failed", "cancelled"])
def test_only_what_is_paused_can_be_resumed(project: Project, alice: User, state: str) -> None:
    run = builders.make_run(project, state=state)
    with pytest.raises(Conflict, match="only a paused run"):
        services.resume(actor=alice, run=run)


def test_a_run_that_is_being_cancelled_is_not_paused(project: Project, alice: User) -> None:
    run = builders.make_run(project, state=State.RUNNING, cancel_requested=True)
    with pytest.raises(Conflict, match="being cancelled"):
        services.pause(actor=alice, run=run)


def test_pausing_needs_an_author_and_is_written_down(project: Project, alice: User) -> None:
    run = builders.make_run(project)
    viewer = builders.make_user("vera")
    project.memberships.create(user=viewer, role="viewer")
    stranger = builders.make_user("sam")
    for act in (services.pause, services.resume):
        with pytest.raises(NotAllowed, match="author"):
            act(actor=viewer, run=run)
        with pytest.raises(NotFound):
            act(actor=stranger, run=run)
    services.pause(actor=alice, run=run)
    services.resume(actor=alice, run=run, kick=False)
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["run.pause", "run.resume"]


def test_programs_pause_and_resume_by_the_api(project: Project, as_alice: Client) -> None:
    run = builders.make_run(project)
    for name, state in (("pause", "paused"), ("resume", "queued")):
        answer = as_alice.post(reverse(f"api:runs:{name}", args=["support", run.pk]))
        assert answer.status_code == 200
        assert answer.json()["state"] == state
    again = as_alice.post(reverse("api:runs:resume", args=["support", run.pk]))
    assert again.status_code == 409
    assert "only a paused run" in again.json()["message"]
