"""The pages and the API of runs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import User
from studio.engine.lm.scripted import ScriptedLM
from studio.runs.charts import draw_race
from studio.runs.execute import execute
from studio.runs.models import Run
from studio.runs.progress import mean_of, read_progress
from studio.runs.states import State
from tests import builders
from tests.runs.builders import Kit, Lab

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def test_the_page_polls_while_the_run_goes_on_and_stops_when_it_has_ended(
    kit: Kit, as_alice: Client
) -> None:
    run = kit.start()
    url = run.get_absolute_url()
    assert "every 1s" in as_alice.get(url).content.decode()
    part = as_alice.get(f"{url}?live", headers=HTMX).content.decode()
    assert "<html" not in part
    assert "Waiting for a worker" in part
    execute(run.pk)
    part = as_alice.get(f"{url}?live", headers=HTMX).content.decode()
    assert "every 1s" not in part
    assert 'id="run-actions"' in part, "the cancel button goes away"
    assert "Compile again" in part


def test_the_progress_is_that_of_the_rows(kit: Kit) -> None:
    run = kit.compile()
    progress = read_progress(run)
    assert progress.best is not None
    assert progress.baseline is not None
    assert progress.best.hash == run.report["candidate"]
    assert progress.baseline.dev.scored == 16
    assert [stage.state for stage in progress.stages] == ["done"] * 3
    assert progress.tried >= progress.passed > 0
    race = draw_race(progress)
    assert sum(lane.candidate.best for lane in race.lanes) == 1
    assert "best so far" in race.text


def test_a_mean_lies_inside_its_interval() -> None:
    for scored, value in ((1, 0.0), (1, 1.0), (50, 0.5), (3, 1.0)):
        mean = mean_of(scored, value)
        assert 0 <= mean.low <= value <= mean.high <= 1
    assert mean_of(0, None).value is None


def test_rows_can_be_filtered_by_how_they_went(kit: Kit, as_alice: Client) -> None:
    run = kit.compile()
    url = f"{run.get_absolute_url()}rows/"
    counts = {}
    for way in ("better", "worse", "same"):
        page = as_alice.get(f"{url}?way={way}", headers=HTMX).content.decode()
        counts[way] = page.count("<tr>") - 1 if "<tr>" in page else 0
    assert sum(counts.values()) == run.report["confirmed_on"]
    assert counts["better"] > 0


def test_a_failed_run_says_why_and_a_cancelled_one_that_it_was_stopped(
    kit: Kit, as_alice: Client
) -> None:
    failed = kit.compile(max_calls=1)
    assert "The budget ran out" in as_alice.get(failed.get_absolute_url()).content.decode()
    waiting = kit.start()
    answer = as_alice.post(f"{waiting.get_absolute_url()}cancel/")
    assert answer.status_code == 302
    waiting.refresh_from_db()
    assert waiting.state == State.CANCELLED
    again = as_alice.post(f"{waiting.get_absolute_url()}cancel/")
    assert again.status_code == 409
    assert "already ended" in again.content.decode()


def test_the_list_can_be_filtered(kit: Kit, as_alice: Client) -> None:
    kit.compile(max_calls=1)
    kit.start()
    page = as_alice.get("/p/support/runs/?state=failed").content.decode()
    assert page.count("row-link") == 1
    assert "No such run" in as_alice.get("/p/support/runs/?kind=try").content.decode()


def test_a_form_that_does_not_fit_comes_back_with_a_sentence(kit: Kit, as_alice: Client) -> None:
    url = "/p/support/pipelines/triage/compile/"
    answer = as_alice.post(url, kit.form(max_calls=0))
    assert answer.status_code == 422
    assert "could never ask the LM" in answer.content.decode()
    other = builders.make_dataset(kit.project, "other", rows=[{"text": "x"}] * 3)
    answer = as_alice.post(url, kit.form(dataset=other.pk))
    assert answer.status_code == 422
    assert "message" in answer.content.decode()
    assert not Run.objects.exists()


def test_a_project_without_data_is_told_what_is_missing(project: Any, as_alice: Client) -> None:
    builders.make_pipeline(project)
    page = as_alice.get("/p/support/pipelines/triage/compile/").content.decode()
    assert "a dataset with examples" in page
    assert "a language model" in page


def test_the_estimate_tells_money_where_there_is_a_price(kit: Kit, as_alice: Client) -> None:
    url = "/p/support/pipelines/triage/compile/estimate/"
    assert "Money" not in as_alice.get(url, kit.form()).content.decode()
    kit.connection.prompt_price = 3
    kit.connection.save()
    page = as_alice.get(url, kit.form(max_calls=5)).content.decode()
    assert "Money" in page
    assert "The cap of 5 calls is below" in page


def post(client: Client, url: str, body: Any) -> Any:
    """JSON in."""
    return client.post(url, json.dumps(body), content_type="application/json")


def test_a_try_runs_the_pipeline_once(kit: Kit, lab: Lab, as_alice: Client) -> None:
    url = "/api/projects/support/pipelines/triage/try/"
    body = {
        "inputs": {"message": "The <script>invoice</script> is wrong."},
        "connection": "scripted",
    }
    started = post(as_alice, url, body)
    assert started.status_code == 202
    answer = started.json()
    assert execute(Run.objects.get(pk=answer["run"]).pk) == State.SUCCEEDED
    found = as_alice.get(f"/api/projects/support/runs/{answer['run']}/").json()
    assert found["state"] == "succeeded"
    assert found["report"]["outputs"] == {"category": "billing"}
    assert found["report"]["steps"][0]["path"] == "classify"
    page = as_alice.get(answer["url"]).content.decode()
    assert "<script>invoice" not in page
    assert "&lt;script&gt;invoice" in page


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"inputs": []}, 422),
        ({"inputs": {}, "connection": "scripted"}, 422),
        ({"inputs": {"message": "x"}, "connection": "nothing"}, 404),
    ],
)
def test_a_try_that_cannot_run_says_why(
    kit: Kit, as_alice: Client, body: Any, status: int
) -> None:
    answer = post(as_alice, "/api/projects/support/pipelines/triage/try/", body)
    assert answer.status_code == status
    assert answer.json()["message"]
    assert not Run.objects.exists()


def test_a_try_that_fails_keeps_the_sentence(kit: Kit, lab: Lab, as_alice: Client) -> None:
    lab.make = lambda: ScriptedLM(lambda _: "%%%")
    run = kit.start_try()
    assert execute(run.pk) == State.FAILED
    found = as_alice.get(f"/api/projects/support/runs/{run.pk}/").json()
    assert found["error"]


def test_a_viewer_may_look_but_not_stop(kit: Kit) -> None:
    run = kit.start()
    viewer = User.objects.create_user("vera")
    kit.project.memberships.create(user=viewer, role="viewer")
    client = Client()
    client.force_login(viewer)
    assert "Stop it" not in client.get(run.get_absolute_url()).content.decode()
    assert client.post(f"{run.get_absolute_url()}cancel/").status_code == 403
    assert post(client, f"/api/projects/support/runs/{run.pk}/cancel/", {}).status_code == 403


def test_a_worker_is_told_when_the_run_is_in_the_database(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    told: list[Any] = []
    monkeypatch.setattr("studio.runs.services.send_kick", told.append)
    with django_capture_on_commit_callbacks(execute=True):
        run = kit.start(kick=True)
        assert not told
    assert told == [run.pk]


def test_a_broker_that_is_away_does_not_lose_the_run(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    from studio.runs import kicks
    from studio.runs.reaper import reap

    def away(*_: Any, **__: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("studio.runs.kicks.app.send_task", away)
    run = kit.start()
    kicks.kick(run.pk)
    assert reap() == [run.pk]
