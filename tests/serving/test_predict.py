"""Calling a release over HTTP."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient, Client

from studio.accounts.models import User
from studio.engine.errors import LMBadAnswer, LMError, LMRateLimited, LMUnavailable
from studio.engine.lm.scripted import ScriptedLM
from studio.reviews.models import Release, Review
from studio.reviews.states import State
from studio.serving import api, services
from studio.serving.models import ApiKey, Call
from studio.serving.throttle import Throttle
from tests import builders
from tests.runs.builders import Lab

pytestmark = pytest.mark.django_db

URL = "/api/projects/support/pipelines/triage/releases/production/predict"
INPUTS = {"message": "The parcel with the lamp is lost."}


@pytest.fixture
def secret(release: Release, alice: User) -> str:
    """A key for the project."""
    return services.create_key(actor=alice, project=release.project, name="web shop")[1]


def post(body: Any, secret: str = "", url: str = URL) -> Any:
    """Call from outside, without a session."""
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    data = body if isinstance(body, str) else json.dumps(body)
    client = Client(enforce_csrf_checks=True)
    return client.post(url, data, content_type="application/json", headers=headers)


def test_a_call_answers_with_typed_outputs_and_leaves_a_row(release: Release, secret: str) -> None:
    answer = post({"inputs": INPUTS}, secret)
    assert answer.status_code == 200
    assert answer.json() == {
        "outputs": {"category": "shipping"},
        "artifact": release.artifact.hash,
        "release": "production",
    }
    call = Call.objects.get()
    assert call.outputs == {"category": "shipping"}
    assert call.key is not None
    assert call.key.last_used_at is not None


def test_calls_run_the_compiled_program(release: Release, secret: str, lab: Lab) -> None:
    post({"inputs": INPUTS}, secret)
    request = lab.lms[-1].requests[-1]
    demos = sum(len(s["demos"]) for s in release.artifact.content["candidate"].values())
    assert len(request.messages) > demos > 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"inputs": {}}, "message"),
        ({"inputs": {"message": ["a"]}}, "message"),
        ({"inputs": {**INPUTS, "mood": "bad"}}, "mood"),
    ],
)
def test_wrong_inputs_are_named(secret: str, body: Any, field: str) -> None:
    answer = post(body, secret)
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["field"] == field
    assert not Call.objects.exists()


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '{"input": {}}', '{"inputs": {}, "x": 1}', "[" * 9000]
)
def test_a_body_that_is_no_call_is_refused(secret: str, body: str) -> None:
    answer = post(body, secret)
    assert answer.status_code == 422
    assert answer.json()["message"]


def test_a_body_over_one_megabyte_is_refused(secret: str) -> None:
    answer = post({"inputs": {"message": "x" * 1_100_000}}, secret)
    assert answer.status_code == 413


def test_no_key_a_wrong_key_and_a_revoked_key_are_refused(
    release: Release, secret: str, alice: User
) -> None:
    for wrong in ("", "cs_wrong", "nonsense", "cs_ünïcode"):
        answer = post({"inputs": INPUTS}, wrong)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    services.revoke_key(actor=alice, key=ApiKey.objects.get())
    answer = post({"inputs": INPUTS}, secret)
    assert answer.status_code == 401
    assert "revoked" in answer.json()["message"]


def test_a_session_is_no_key(release: Release, as_alice: Client) -> None:
    answer = as_alice.post(URL, json.dumps({"inputs": INPUTS}), content_type="application/json")
    assert answer.status_code == 401


def test_a_key_of_another_project_is_refused_alike_for_any_project(
    release: Release, charlie: User
) -> None:
    other = builders.make_project("Other", "other", admin=charlie)
    _, secret = services.create_key(actor=charlie, project=other, name="mine")
    here = post({"inputs": INPUTS}, secret)
    nowhere = post({"inputs": INPUTS}, secret, URL.replace("support", "nowhere"))
    assert here.status_code == nowhere.status_code == 403
    assert here.json() == nowhere.json()


def test_what_is_not_there_is_404_with_what_is(secret: str) -> None:
    label = post({"inputs": INPUTS}, secret, URL.replace("production", "staging"))
    assert label.status_code == 404
    assert "production" in label.json()["message"]
    pipeline = post({"inputs": INPUTS}, secret, URL.replace("triage", "other"))
    assert pipeline.status_code == 404


def test_only_approved_artifacts_run(release: Release, secret: str) -> None:
    Review.objects.update(state=State.REJECTED)
    assert post({"inputs": INPUTS}, secret).status_code == 404


@pytest.mark.parametrize(
    ("field", "value"), [("model", "echo"), ("base_url", "http://127.0.0.1:9/v1")]
)
def test_a_connection_that_leads_elsewhere_now_does_not_answer(
    release: Release, secret: str, field: str, value: str
) -> None:
    connection = release.artifact.connection
    assert connection is not None
    setattr(connection, field, value)
    connection.save()
    answer = post({"inputs": INPUTS}, secret)
    assert answer.status_code == 503
    assert "approved with support-triage" in answer.json()["message"]


def test_only_post_is_answered(secret: str) -> None:
    answer = Client().get(URL, headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    ("error", "wait"),
    [(LMUnavailable("It is down."), "5"), (LMRateLimited("Slowly.", retry_after_s=7), "7")],
)
def test_an_lm_that_is_down_is_503_with_a_time_to_come_back(
    secret: str, lab: Lab, error: LMError, wait: str
) -> None:
    lab.make = lambda: ScriptedLM(lambda _: error)
    answer = post({"inputs": INPUTS}, secret)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == wait
    assert str(error) in answer.json()["message"]
    assert Call.objects.get().error == str(error)


@pytest.mark.parametrize("said", ["%%%", LMBadAnswer("Not JSON.")])
def test_an_answer_that_cannot_be_used_is_502(
    secret: str, lab: Lab, said: str | Exception
) -> None:
    lab.make = lambda: ScriptedLM(lambda _: said)
    assert post({"inputs": INPUTS}, secret).status_code == 502


def test_too_many_calls_are_told_to_wait(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "throttle", Throttle(2))
    assert [post({"inputs": INPUTS}, secret).status_code for _ in range(3)] == [200, 200, 429]


def test_the_throttle_forgets_after_its_window() -> None:
    now = 0.0
    throttle = Throttle(2, 60, clock=lambda: now)
    assert [throttle.wait("a"), throttle.wait("a"), throttle.wait("b")] == [0, 0, 0]
    now = 30.0
    assert throttle.wait("a") == 30.0
    now = 60.0
    assert throttle.wait("a") == 0


@pytest.mark.django_db(transaction=True)
def test_calls_at_the_same_time_share_the_program(secret: str, lab: Lab) -> None:
    opened = len(lab.lms)

    async def call_often() -> list[int]:
        client = AsyncClient()
        answers = await asyncio.gather(
            *(
                client.post(
                    URL,
                    json.dumps({"inputs": INPUTS}),
                    content_type="application/json",
                    headers={"Authorization": f"Bearer {secret}"},
                )
                for _ in range(8)
            )
        )
        # The thread in which the views ask the database has a connection of its own.
        await sync_to_async(connections.close_all)()
        return [answer.status_code for answer in answers]

    assert asyncio.run(call_often()) == [200] * 8
    assert len(lab.lms) - opened == 1
