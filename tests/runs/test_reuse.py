"""A compile takes over what earlier ones of the project know and what still holds."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from studio.engine.evaluation import Answered
from studio.engine.lm.scripted import ScriptedLM, builtin_scripted
from studio.engine.lm.scripts import support_triage
from studio.engine.messages import Request
from studio.runs import services
from studio.runs.execute import execute
from studio.runs.models import AnswerRow, Run, ScoreRow, TraceRow
from studio.runs.reuse import Earlier
from studio.runs.states import State
from tests import builders
from tests.runs.builders import Kit, Lab, make_kit, make_rows

pytestmark = pytest.mark.django_db


def run_again(kit: Kit, **options: Any) -> Run:
    """A compile that may take over what there is."""
    run = kit.compile(reuse=True, **options)
    assert run.error == ""
    return run


def test_the_same_compile_again_asks_nothing(kit: Kit, lab: Lab) -> None:
    first = kit.compile()
    spent = lab.calls
    again = run_again(kit)
    assert lab.calls == spent
    assert again.calls == 0
    assert again.report["artifact"] == first.report["artifact"]
    assert again.saved["calls"] == first.calls
    assert again.saved["runs"] == first.scores.count() + first.traces.count()
    assert again.report["saved"] == again.saved
    assert set(again.scores.values_list("borrowed", "calls")) == {(True, 0)}


def test_a_chain_of_recompiles_counts_what_was_once_paid(kit: Kit) -> None:
    first = kit.compile()
    second, third = run_again(kit), run_again(kit)
    assert second.saved == third.saved
    assert third.saved["calls"] == first.calls


def test_without_reuse_everything_is_asked_again(kit: Kit, lab: Lab) -> None:
    kit.compile()
    spent = lab.calls
    again = kit.compile(reuse=False)
    assert lab.calls == 2 * spent
    assert again.saved == {"runs": 0, "answers": 0, "calls": 0}
    assert not again.scores.filter(borrowed=True).exists()


def test_another_seed_pays_only_for_what_is_new(kit: Kit, lab: Lab) -> None:
    kit.compile()
    apart = kit.compile(seed=2)
    together = run_again(kit, seed=2, max_calls=999)
    assert together.report["artifact"] == apart.report["artifact"]
    assert together.calls == 0
    third = run_again(kit, seed=3)
    assert third.calls > 0
    assert third.saved["runs"] > 0
    assert third.report["artifact"] == kit.compile(seed=3).report["artifact"]


def test_another_metric_judges_the_stored_answers(kit: Kit, lab: Lab) -> None:
    first = kit.compile(params={"candidates": 0, "max_bootstrapped": 0, "max_labeled": 4})
    metric = builders.make_metric(
        kit.project, "contained", kind="contains", params={"field": "category"}
    )
    params = {"candidates": 0, "max_bootstrapped": 0, "max_labeled": 4}
    again = run_again(kit, metric=metric, params=params)
    assert again.fingerprints["metric"] != first.fingerprints["metric"]
    assert again.calls == 0
    assert again.saved["calls"] == first.calls
    reasons = dict(again.scores.values_list("example", "reason"))
    assert reasons != dict(first.scores.values_list("example", "reason"))


def test_traces_of_another_metric_are_tried_again(kit: Kit) -> None:
    first = kit.compile()
    metric = builders.make_metric(
        kit.project, "contained", kind="contains", params={"field": "category"}
    )
    again = run_again(kit, metric=metric)
    assert first.traces.exists()
    assert not again.traces.filter(borrowed=True).exists()
    assert again.scores.filter(borrowed=True).exists()


def test_a_changed_dataset_leaves_what_is_the_same_example(kit: Kit, lab: Lab) -> None:
    params = {"candidates": 0, "max_bootstrapped": 0, "max_labeled": 0}
    first = kit.compile(params=params)
    rows = make_rows(51)
    rows[2] = {**rows[2], "message": "Something else altogether."}
    bigger = builders.make_dataset(kit.project, "bigger", rows=rows)
    again = run_again(kit, dataset=bigger, params=params)
    kept = again.scores.filter(borrowed=True).count()
    assert 0 < kept < first.scores.count()
    new = again.scores.filter(borrowed=False)
    assert new.exists()
    assert again.calls == sum(new.values_list("calls", flat=True))


@pytest.mark.parametrize("what", ["lm", "format", "pipeline"])
def test_nothing_is_taken_from_another_program_or_model(kit: Kit, what: str) -> None:
    kit.compile()
    if what == "pipeline":
        spec = builders.make_spec()
        spec["nodes"][1]["signature"]["instruction"] = "Sort it."
        kit.pipeline.spec = spec
        kit.pipeline.save()
    else:
        field = {"lm": "base_url", "format": "format"}[what]
        setattr(kit.connection, field, {"lm": "http://other/v1", "format": "json"}[what])
        kit.connection.save()
    again = run_again(kit)
    assert again.saved["runs"] == 0
    assert again.calls > 0


def test_nothing_crosses_from_one_project_to_another(kit: Kit, lab: Lab) -> None:
    kit.compile()
    spent = lab.calls
    other = builders.make_project("Other", "other", admin=kit.actor)
    elsewhere = make_kit(other, kit.actor)
    run = run_again(elsewhere)
    assert run.fingerprints == Run.objects.filter(project=kit.project).get().fingerprints
    assert run.saved["runs"] == 0
    assert lab.calls == 2 * spent


def test_only_runs_that_ended_before_are_looked_at(kit: Kit) -> None:
    run = kit.start(reuse=True)
    kit.compile()  # ends after the other one was made
    execute(run.pk)
    run.refresh_from_db()
    assert run.saved["runs"] == 0


def test_a_run_that_has_not_ended_lends_nothing(kit: Kit) -> None:
    first = kit.compile()
    Run.objects.filter(pk=first.pk).update(state=State.PAUSED, finished_at=None)
    assert run_again(kit).saved["runs"] == 0


def test_what_failed_is_tried_again(kit: Kit, lab: Lab) -> None:
    first = kit.compile(params={"candidates": 0})
    failed = first.scores.filter(split="dev").first()
    assert failed is not None
    failed.prediction, failed.value = {"values": {}, "steps": []}, 0.0
    failed.save()
    again = run_again(kit, params={"candidates": 0})
    row = again.scores.get(candidate=failed.candidate, example=failed.example)
    assert not row.borrowed
    assert row.prediction["values"]


def test_a_score_counts_more_than_an_answer_that_has_to_be_judged(kit: Kit) -> None:
    params = {"candidates": 0, "max_bootstrapped": 0, "max_labeled": 0}
    first = kit.compile(params=params)
    metric = builders.make_metric(
        kit.project, "contained", kind="contains", params={"field": "category"}
    )
    run_again(kit, params=params, metric=metric)
    ScoreRow.objects.filter(run=first).update(reason="as it was judged then")
    again = run_again(kit, params=params)
    assert set(again.scores.values_list("reason", flat=True)) == {"as it was judged then"}


def test_what_was_saved_survives_a_restart(kit: Kit, lab: Lab) -> None:
    kit.compile(seed=5)
    whole = run_again(kit, seed=6)
    Run.objects.filter(pk=whole.pk).update(finished_at=timezone.now() + timedelta(days=1))

    run = kit.start(seed=6, reuse=True)
    stop = threading.Event()
    seen = 0

    def make() -> ScriptedLM:
        def answer(request: Request) -> str:
            nonlocal seen
            seen += 1
            if seen >= 10:
                stop.set()
            return support_triage(request)

        return ScriptedLM(answer, latency_s=0.02)

    lab.make = make
    assert execute(run.pk, shutting_down=stop) == State.QUEUED
    run.refresh_from_db()
    lab.make = lambda: builtin_scripted("support-triage")
    assert execute(run.pk) == State.SUCCEEDED
    run.refresh_from_db()
    assert run.attempts == 2
    assert run.saved == whole.saved
    assert run.report["artifact"] == whole.report["artifact"]


def answer_row(run: Run, key: str, **fields: Any) -> AnswerRow:
    """An answer that a run has kept."""
    fields = {"role": "proposer", "answer": {"instruction": "Sort."}, "calls": 2, **fields}
    return AnswerRow.objects.create(run=run, key=key, **fields)


def earlier(run: Run, key: str) -> Answered | None:
    """What the run would take over."""
    found = async_to_sync(Earlier(run).answer)(key)
    return found.answered if found else None


def test_an_answer_is_taken_over_from_the_same_proposer_only(kit: Kit) -> None:
    proposer = builders.make_connection(kit.project, "proposer", model="other")
    ended = {"state": State.SUCCEEDED, "finished_at": timezone.now()}
    own, asked = kit.start(), kit.start(proposer=proposer)
    answer_row(own, "a")
    answer_row(asked, "b")
    answer_row(own, "c", answer={}, problem="It could not be read.")
    Run.objects.update(**ended)
    like_own, like_asked = kit.start(), kit.start(proposer=proposer)
    assert earlier(like_own, "a") == Answered({"instruction": "Sort."})
    assert earlier(like_own, "b") is None
    assert earlier(like_own, "c") is None
    assert earlier(like_asked, "a") is None
    assert earlier(like_asked, "b") == Answered({"instruction": "Sort."})


def test_an_evaluate_takes_over_only_the_run_that_is_named(kit: Kit, lab: Lab) -> None:
    first = kit.compile()
    version = first.version
    spent = lab.calls
    plain: dict[str, Any] = {
        "actor": kit.actor,
        "version": version,
        "dataset": kit.dataset,
        "metric": kit.metric,
        "connection": kit.connection,
        "max_calls": 500,
        "kick": False,
    }
    run = services.start_evaluate(**plain, reuse=first)
    execute(run.pk)
    run.refresh_from_db()
    assert run.state == State.SUCCEEDED
    assert lab.calls == spent
    alone = services.start_evaluate(**plain)
    execute(alone.pk)
    assert lab.calls == spent + 16
    assert TraceRow.objects.filter(run=run).count() == 0
