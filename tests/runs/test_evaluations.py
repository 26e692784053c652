"""An evaluation of one program: what it scores, what it leaves out, and how it goes on."""

from __future__ import annotations

from typing import Any

import pytest

from studio.accounts.models import AuditEntry, Membership, Project, Role, User
from studio.datasets.models import Split
from studio.engine.errors import LMInvalidRequest, LMUnavailable
from studio.engine.lm.prompt_reader import read_prompt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Request
from studio.engine.metrics import Score
from studio.errors import Conflict, Invalid, NotAllowed, NotFound
from studio.runs import services
from studio.runs.evaluations import job
from studio.runs.evaluations.results import read_results
from studio.runs.evaluations.starting import go_on
from studio.runs.evaluations.subjects import find_subject
from studio.runs.execute import execute
from studio.runs.jobs import Job
from studio.runs.models import Artifact, Run, ScoreRow
from studio.runs.states import State
from tests import builders
from tests.runs.builders import Kit, Lab, make_kit, make_rows
from tests.runs.evaluating import evaluate, failing_on, noisy, start

pytestmark = pytest.mark.django_db


def test_it_scores_one_program_on_one_split(kit: Kit, lab: Lab) -> None:
    run = evaluate(kit)
    assert run.state == State.SUCCEEDED
    results = read_results(run)
    assert len(results.rows) == 16
    assert {row.split for row in results.rows} == {"dev"}
    assert run.report["score"]["value"] == pytest.approx(results.mean.value if results.mean else 0)
    assert run.report["plan"] == {
        "rows": 16,
        "repeats": 1,
        "there": 16,
        "doubled": 0,
        "unchosen": 0,
        "own": 0,
    }
    assert run.report["consistency"] is None
    assert run.calls == lab.calls == 16
    assert AuditEntry.objects.filter(action="run.evaluate").count() == 1


def test_all_rows_are_the_rows_of_every_split(kit: Kit) -> None:
    assert len(read_results(evaluate(kit, split="all")).rows) == 48


def test_the_first_rows_are_the_first_ones(kit: Kit) -> None:
    run = evaluate(kit, rows="first", count=5)
    assert [row.number for row in read_results(run).rows] == [2, 5, 8, 11, 14]
    assert run.report["plan"]["unchosen"] == 11


def test_rows_are_drawn_by_the_seed_whatever_the_program(kit: Kit) -> None:
    def drawn(seed: int, **options: Any) -> list[int | None]:
        run = evaluate(kit, rows="random", count=6, seed=seed, **options)
        return [row.number for row in read_results(run).rows]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert len(drawn(1)) == 6


def test_a_version_of_the_dataset_is_read(kit: Kit, alice: User) -> None:
    from studio.datasets.editing.changes import Changes, change
    from studio.datasets.models import Version

    number = builders.rows_of(kit.dataset, "dev")[0].number
    change(
        actor=alice,
        dataset=kit.dataset,
        changes=Changes(removed=[number]),
        kind=Version.Kind.EDIT,
        message="",
        base=1,
    )
    kit.dataset.refresh_from_db()
    newest, first = evaluate(kit), evaluate(kit, number=1)
    assert (newest.dataset_number, first.dataset_number) == (2, 1)
    assert len(read_results(newest).rows) == 15
    assert len(read_results(first).rows) == 16


def test_a_version_of_the_pipeline_is_run_as_it_was(kit: Kit) -> None:
    run = evaluate(kit)
    kit.pipeline.spec = builders.make_spec(kind="chain_of_thought")
    kit.pipeline.save()
    again = evaluate(kit, subject=find_subject(kit.pipeline, "version:1"))
    assert again.version == run.version
    assert evaluate(kit).version.number == 2


def test_an_artifact_is_scored_without_its_own_demos(kit: Kit) -> None:
    compiled = kit.compile()
    artifact = Artifact.objects.get(hash=compiled.report["artifact"])
    subject = find_subject(kit.pipeline, f"artifact:{artifact.hash[:10]}")
    run = evaluate(kit, subject=subject, connection=None, split="train")
    plan = run.report["plan"]
    assert plan["own"] > 0
    assert plan["rows"] == 16 - plan["own"]
    sources = {
        demo["source"]
        for state in artifact.content["candidate"].values()
        for demo in state["demos"]
    }
    assert not sources & {row.example for row in read_results(run).rows}
    assert run.connection == kit.connection
    assert set(ScoreRow.objects.filter(run=run).values_list("candidate", flat=True)) == {
        run.params["candidate"]
    }


def test_a_row_that_stands_there_twice_is_scored_once(
    project: Project, alice: User, lab: Lab
) -> None:
    rows = make_rows(12)
    kit = make_kit(project, alice, rows=3)
    dataset = builders.make_dataset(
        project,
        "twice",
        rows=[*rows, rows[0], rows[1]],
        splits=["train"] * 6 + ["dev"] * 8,
    )
    run = evaluate(kit, dataset=dataset)
    assert run.report["plan"]["doubled"] == 2
    assert run.report["plan"]["rows"] == 6


def test_answers_of_earlier_runs_cost_nothing_unless_it_is_to_be_asked_anew(
    kit: Kit, lab: Lab
) -> None:
    evaluate(kit)
    before = lab.calls
    again = evaluate(kit, reuse=True)
    assert lab.calls == before
    assert again.saved["runs"] == 16
    assert evaluate(kit, reuse=False).calls == 16


# ---- several answers to each row


def test_each_repetition_is_a_score_of_its_own(kit: Kit, lab: Lab) -> None:
    lab.make = noisy()
    run = evaluate(kit, repeats=4)
    assert ScoreRow.objects.filter(run=run).count() == 64
    results = read_results(run)
    assert all(len(row.answers) == 4 for row in results.rows)
    changing = [row for row in results.rows if row.same is False]
    assert 0 < len(changing) < 16
    assert all(row.mean == 0.5 and row.spread and row.spread > 0.5 for row in changing)
    assert all(not row.spread for row in results.rows if row.same)
    assert run.report["consistency"] == pytest.approx(1 - len(changing) / 16)
    assert results.noise is not None
    assert 0 < results.noise < 1
    assert len({request.rollout for lm in lab.lms for request in lm.requests}) == 4


def test_repetitions_do_not_make_the_interval_narrower(kit: Kit) -> None:
    once, often = evaluate(kit), evaluate(kit, repeats=8)
    assert once.report["score"] == pytest.approx(often.report["score"])


def test_asked_anew_other_answers_are_asked_for(kit: Kit, lab: Lab) -> None:
    evaluate(kit, repeats=2)
    first = {request.rollout for lm in lab.lms for request in lm.requests}
    lab.lms.clear()
    evaluate(kit, repeats=2)
    assert len(first) == 2
    assert first.isdisjoint(request.rollout for lm in lab.lms for request in lm.requests)


def test_a_run_that_was_paused_repeats_no_repetition(kit: Kit, lab: Lab) -> None:
    lab.make = noisy()
    run = start(kit, repeats=3)

    def ask(now: Run) -> None:
        if ScoreRow.objects.filter(run=now).exists() and not now.pause_requested:
            services.pause(actor=kit.actor, run=now)

    execute(run.pk, on_look=ask)
    run.refresh_from_db()
    if run.state == State.PAUSED:
        services.resume(actor=kit.actor, run=run, kick=False)
        assert execute(run.pk) == State.SUCCEEDED
    run.refresh_from_db()
    assert ScoreRow.objects.filter(run=run).count() == 48
    assert lab.calls == run.calls == 48


# ---- caps


def test_at_a_cap_it_pauses_with_what_it_has_and_goes_on(kit: Kit, lab: Lab) -> None:
    run = evaluate(kit, max_calls=6)
    assert run.state == State.PAUSED
    assert "6 calls" in run.report["stopped"]
    assert len(read_results(run).rows) == 6
    kept = set(ScoreRow.objects.filter(run=run).values_list("pk", flat=True))

    with pytest.raises(Invalid, match="6 are spent"):
        go_on(actor=kit.actor, run=run, max_calls=6)
    go_on(actor=kit.actor, run=run, max_calls=100, kick=False)
    assert execute(run.pk) == State.SUCCEEDED
    run.refresh_from_db()
    assert len(read_results(run).rows) == 16
    assert kept <= set(ScoreRow.objects.filter(run=run).values_list("pk", flat=True))
    assert run.calls == lab.calls == 16
    assert "stopped" not in run.report
    assert AuditEntry.objects.filter(action="run.raise-caps").exists()


def test_it_stops_again_at_the_next_cap(kit: Kit) -> None:
    run = evaluate(kit, max_calls=3)
    go_on(actor=kit.actor, run=run, max_calls=7, kick=False)
    assert execute(run.pk) == State.PAUSED
    run.refresh_from_db()
    assert "7 calls" in run.report["stopped"]


def test_a_pause_at_a_cap_that_is_taken_back_at_once_is_asked_for_again(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_here, stops = job._stop_here, []

    def taken_back_once(one: Job, why: str) -> None:
        stop_here(one, why)
        stops.append(why)
        if len(stops) == 1:
            services.resume(actor=kit.actor, run=one.run, kick=False)

    monkeypatch.setattr(job, "_stop_here", taken_back_once)
    monkeypatch.setattr(job, "_ASK_AGAIN_S", 0.0)
    assert evaluate(kit, max_calls=3).state == State.PAUSED
    assert len(stops) > 1


def test_only_what_waits_can_go_on(kit: Kit) -> None:
    with pytest.raises(Conflict, match="succeeded"):
        go_on(actor=kit.actor, run=evaluate(kit), max_calls=100)
    paused = services.pause(actor=kit.actor, run=kit.start())
    with pytest.raises(Conflict, match="only a paused evaluation"):
        go_on(actor=kit.actor, run=paused, max_calls=100)


def test_a_run_at_its_cap_can_be_cancelled(kit: Kit) -> None:
    run = evaluate(kit, max_calls=3)
    services.cancel(actor=kit.actor, run=run)
    run.refresh_from_db()
    assert run.state == State.CANCELLED
    assert len(read_results(run).rows) == 3


# ---- what goes wrong


class Mute:
    """A metric that can say nothing."""

    async def __call__(self, *_: Any) -> Score:
        return Score.unscored("There is no gold.")


def test_a_metric_that_can_say_nothing_leaves_no_score(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.runs.jobs.open_metric", lambda *_, **__: Mute())
    run = evaluate(kit)
    results = read_results(run)
    assert run.state == State.SUCCEEDED
    assert results.counts["unscored"] == run.report["unscored"] == 16
    assert (results.mean, run.report["score"]) == (None, None)


def test_rows_that_the_lm_fails_on_score_nothing_and_say_why(kit: Kit, lab: Lab) -> None:
    lab.make = failing_on("parcel", LMInvalidRequest("The message is too long."))
    run = evaluate(kit, split="all")
    results = read_results(run)
    failed = [row for row in results.rows if row.state == "failed"]
    assert run.state == State.SUCCEEDED
    assert len(failed) == run.report["failed"] == 8
    assert all(row.mean == 0.0 for row in failed)
    reasons = ScoreRow.objects.filter(run=run, failed=True).values_list("reason", flat=True)
    assert set(reasons) == {"the LM call failed: The message is too long."}


def test_an_lm_that_is_away_fails_the_run_and_keeps_what_was_scored(kit: Kit, lab: Lab) -> None:
    lab.make = failing_on("Order 40", LMUnavailable("Nobody answers."))
    kit.connection.concurrency = 1
    kit.connection.save()
    run = evaluate(kit, split="all")
    assert run.state == State.FAILED
    assert run.error == "Nobody answers."
    kept = len(read_results(run).rows)
    assert 0 < kept < 48
    assert run.report["plan"]["rows"] == 48


def test_a_dataset_without_rows_in_the_split_is_refused(kit: Kit, project: Project) -> None:
    dataset = builders.make_dataset(project, "train-only", splits=["train"] * 6)
    with pytest.raises(Invalid, match="no dev rows"):
        start(kit, dataset=dataset)


def test_a_column_that_is_gone_is_named(kit: Kit, project: Project) -> None:
    bare = [{"message": row["message"]} for row in make_rows(12)]
    with pytest.raises(Invalid, match="no column for “category”"):
        start(kit, dataset=builders.make_dataset(project, "bare", rows=bare))
    blank = [{"category": row["category"]} for row in make_rows(12)]
    with pytest.raises(Invalid, match="no column for the input “message”"):
        start(kit, dataset=builders.make_dataset(project, "blank", rows=blank))


def test_an_artifact_of_another_pipeline_is_refused(kit: Kit, project: Project) -> None:
    artifact = builders.make_artifact(project)
    with pytest.raises(Invalid, match="not from Triage"):
        find_subject(kit.pipeline, f"artifact:{artifact.hash}")


@pytest.mark.parametrize(
    "name", ["version:9", "artifact:0123456789", "release:production", "version:²"]
)
def test_what_is_not_there_is_not_found(kit: Kit, name: str) -> None:
    with pytest.raises((NotFound, Invalid)):
        find_subject(kit.pipeline, name)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"repeats": 0}, "between 1 and 10 times"),
        ({"repeats": 11}, "between 1 and 10 times"),
        ({"split": "holdout"}, "no split"),
        ({"rows": "first"}, "how many rows"),
        ({"rows": "some"}, "chosen by"),
        ({"max_calls": 0}, "At least 1|at least 1"),
        ({"connection": None}, "language model that answers"),
        ({"number": 7}, "no version 7"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(
    kit: Kit, options: dict[str, Any], sentence: str
) -> None:
    with pytest.raises((Invalid, NotFound), match=sentence):
        start(kit, **options)
    assert not Run.objects.exists()


def test_viewers_and_strangers_start_nothing(kit: Kit, charlie: User) -> None:
    vera = builders.make_user("vera")
    Membership.objects.create(project=kit.project, user=vera, role=Role.VIEWER)
    with pytest.raises(NotAllowed):
        start(kit, actor=vera)
    with pytest.raises(NotFound):
        start(kit, actor=charlie)


def test_what_the_answer_costs_stands_with_the_row(kit: Kit, lab: Lab) -> None:
    from studio.engine.messages import Completion, Usage

    def answer(request: Request) -> Completion:
        prompt = read_prompt(request)
        text = prompt.answer({"category": "billing"})
        return Completion(text=text, usage=Usage(calls=1, prompt_tokens=10, cost=0.25))

    lab.make = lambda: ScriptedLM(answer)
    run = evaluate(kit)
    assert run.cost == pytest.approx(4.0)
    assert all(row.cost == 0.25 for row in read_results(run).rows)


def test_a_sealed_test_split_is_opened_and_its_rows_are_hidden(kit: Kit, bob: User) -> None:
    from studio.datasets.splits.sealing import seal

    seal(actor=kit.actor, dataset=kit.dataset)
    kit.dataset.refresh_from_db()
    run = evaluate(kit, split="all")
    assert kit.dataset.openings.filter(run=run.pk).count() == 1
    results = read_results(run)
    assert {row.split for row in results.seen_by_people(run).rows} == {Split.TRAIN, Split.DEV}
