"""A compile by the service, executed here on a scripted LM."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from studio.datasets.editing.changes import Changes, change
from studio.engine.errors import (
    LMBadAnswer,
    LMError,
    LMRateLimited,
    LMRefused,
    LMTimeout,
    LMUnavailable,
)
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.lm.scripts import support_triage
from studio.engine.messages import Request
from studio.metrics.services import update_metric
from studio.runs import services
from studio.runs.execute import execute
from studio.runs.models import Artifact, Run, ScoreRow, TraceRow
from studio.runs.states import State
from tests.builders import rows_of
from tests.runs.builders import Kit, Lab

pytestmark = pytest.mark.django_db


def failing(error: LMError) -> Any:
    """Makes LMs that fail in this way."""

    def make() -> ScriptedLM:
        def answer(_: Request) -> Exception:
            return error

        return ScriptedLM(answer)

    return make


def test_a_compile_ends_in_an_artifact_with_held_out_figures(kit: Kit, lab: Lab) -> None:
    run = kit.compile()
    assert run.error == ""
    assert run.state == State.SUCCEEDED
    assert run.report["compiled"] > run.report["baseline"]
    assert run.report["confirmed_on"] == 16
    assert run.report["difference"]["low"] <= run.report["difference"]["value"]
    artifact = Artifact.objects.get(hash=run.report["artifact"])
    assert artifact.report["sources"]
    assert run.calls == lab.calls
    assert not ScoreRow.objects.filter(run=run, split="").exists()


def test_the_same_seed_makes_the_same_artifact(kit: Kit) -> None:
    one, other, third = kit.compile(), kit.compile(), kit.compile(seed=2)
    assert one.report["artifact"] == other.report["artifact"]
    assert third.report["artifact"] != one.report["artifact"]
    assert Artifact.objects.count() == 2


def test_a_compile_that_is_interrupted_goes_on_without_repeating(kit: Kit, lab: Lab) -> None:
    whole = kit.compile()
    wanted = ScoreRow.objects.filter(run=whole).count()

    stop = threading.Event()

    def make() -> ScriptedLM:
        def answer(request: Request) -> str:
            if sum(len(lm.requests) for lm in lab.lms[1:]) >= 40:
                stop.set()
            return support_triage(request)

        return ScriptedLM(answer, latency_s=0.02)

    lab.make = make
    run = kit.start()
    assert execute(run.pk, shutting_down=stop) == State.QUEUED
    run.refresh_from_db()
    kept = set(ScoreRow.objects.filter(run=run).values_list("pk", flat=True))
    spent = run.calls
    assert 0 < len(kept) < wanted
    assert spent > 0
    assert execute(run.pk) == State.SUCCEEDED
    run.refresh_from_db()
    assert kept <= set(ScoreRow.objects.filter(run=run).values_list("pk", flat=True))
    assert run.attempts == 2
    assert run.crashes == 0
    assert run.calls == sum(len(lm.requests) for lm in lab.lms[1:])


def test_an_interrupted_compile_makes_the_artifact_of_an_undisturbed_one(
    kit: Kit, lab: Lab
) -> None:
    lab.make = lambda: ScriptedLM(support_triage, latency_s=0.04)
    undisturbed = kit.compile()
    run = kit.start()
    for _ in range(20):
        stop = threading.Event()
        threading.Timer(0.6, stop.set).start()
        if execute(run.pk, shutting_down=stop) != State.QUEUED:
            break
    run.refresh_from_db()
    assert run.state == State.SUCCEEDED
    assert run.attempts > 1
    assert run.report["artifact"] == undisturbed.report["artifact"]
    rows = TraceRow.objects.filter(run=run)
    assert rows.count() == TraceRow.objects.filter(run=undisturbed).count()


def test_a_queued_run_is_cancelled_at_once(kit: Kit) -> None:
    run = services.cancel(actor=kit.actor, run=kit.start())
    assert run.state == State.CANCELLED
    assert execute(run.pk) is None


def test_a_running_run_is_cancelled_within_a_second(kit: Kit, lab: Lab) -> None:
    lab.make = lambda: ScriptedLM(support_triage, latency_s=0.05)
    run = kit.start()

    def ask(now: Run) -> None:
        if ScoreRow.objects.filter(run=now).exists():
            Run.objects.filter(pk=now.pk).update(cancel_requested=True)

    assert execute(run.pk, on_look=ask) == State.CANCELLED
    run.refresh_from_db()
    assert run.finished_at is not None
    assert run.started_at is not None
    assert (run.finished_at - run.started_at).total_seconds() < 3
    assert ScoreRow.objects.filter(run=run).exists(), "what was scored is kept"


@pytest.mark.parametrize("cap", [1, 20, 45, 60, 100])
def test_the_cap_on_calls_is_never_exceeded(kit: Kit, lab: Lab, cap: int) -> None:
    run = kit.compile(max_calls=cap)
    assert lab.calls <= cap
    assert run.calls == lab.calls
    if run.state == State.SUCCEEDED:
        assert run.report["artifact"]
        assert "budget" in run.report["note"].lower() or run.calls < cap
    else:
        assert run.state == State.FAILED
        assert "budget" in run.error.lower()


@pytest.mark.parametrize(
    "error",
    [
        LMTimeout("No answer in 60 s."),
        LMRateLimited("Too many requests."),
        LMUnavailable("The server cannot be reached."),
        LMBadAnswer("The answer is no completion."),
    ],
)
def test_an_lm_that_fails_ends_the_run_with_its_sentence(
    kit: Kit, lab: Lab, error: LMError
) -> None:
    lab.make = failing(error)
    run = kit.compile()
    assert run.state == State.FAILED
    assert str(error) in run.error
    assert not Artifact.objects.exists()


def test_an_lm_that_refuses_everything_scores_zero_and_is_not_an_error(kit: Kit, lab: Lab) -> None:
    lab.make = failing(LMRefused("I would rather not."))
    run = kit.compile()
    assert run.state == State.SUCCEEDED
    assert run.report["compiled"] == 0.0
    assert not run.report["improved"]


def test_garbage_answers_score_zero_with_a_reason(kit: Kit, lab: Lab) -> None:
    lab.make = lambda: ScriptedLM(lambda _: "%%%%")
    run = kit.compile(params={"candidates": 0})
    assert run.state == State.SUCCEEDED
    assert run.report["compiled"] == 0.0
    assert "no answer" in ScoreRow.objects.filter(run=run)[0].reason


def test_a_metric_that_raises_ends_the_run_with_a_sentence(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        name = "broken"

        def __call__(self, *_: Any) -> Any:
            raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("studio.runs.jobs.open_metric", lambda _metric, **_more: Broken())
    run = kit.compile()
    assert run.state == State.FAILED
    assert "broken" in run.error
    assert "division by zero" in run.error


def test_a_bug_of_ours_fails_the_run_and_is_raised(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise TypeError("oops")

    monkeypatch.setattr("studio.runs.jobs.make_artifact", broken)
    run = kit.start()
    with pytest.raises(TypeError):
        execute(run.pk)
    run.refresh_from_db()
    assert run.state == State.FAILED
    assert "TypeError: oops" in run.error


def test_a_run_whose_lm_was_changed_says_so(kit: Kit) -> None:
    run = kit.start()
    kit.connection.model = "echo"
    kit.connection.save()
    assert execute(run.pk) == State.FAILED
    run.refresh_from_db()
    assert "was changed since this run was started" in run.error


def test_a_run_reads_the_versions_that_were_there_when_it_was_made(kit: Kit) -> None:
    run = kit.start()
    before = {row.number: row.values for row in rows_of(kit.dataset, "test")}
    wrong = {number: {"category": "shipping"} for number in before}
    change(actor=kit.actor, dataset=kit.dataset, changes=Changes(cells=wrong))
    update_metric(
        actor=kit.actor,
        metric=kit.metric,
        name="Exact",
        params={"field": "category", "normalise": False},
    )
    assert execute(run.pk) == State.SUCCEEDED
    run.refresh_from_db()
    assert run.metric_version is not None
    assert (run.dataset_number, run.metric_version.number) == (1, 1)
    for score in ScoreRow.objects.filter(run=run, split="test"):
        assert score.gold["category"] == before[score.number or 0]["category"]
