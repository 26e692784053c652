"""The canvas' door, as a browser and as somebody unkind knocks at it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Project
from studio.engine.modules import MODULES
from studio.pipelines.models import Pipeline
from tests.builders import (
    make_client,
    make_connection,
    make_module,
    make_pipeline,
    make_project,
    make_spec,
    make_user,
)

pytestmark = pytest.mark.django_db
URL = "/api/projects/support/pipelines/triage/"


@pytest.fixture(autouse=True)
def pipeline(project: Project) -> Pipeline:
    """input → classify → output."""
    return make_pipeline(project)


def put(client: Client, body: Any, url: str = URL) -> Any:
    """PUT it as JSON, or as it is when it is text."""
    data = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return client.put(url, data=data, content_type="application/json")


def test_it_is_read(as_alice: Client) -> None:
    answer = as_alice.get(URL).json()
    assert answer["spec"] == make_spec()
    assert (answer["revision"], answer["problems"]) == (1, [])


def test_a_save_answers_the_new_revision_and_the_problems(as_alice: Client) -> None:
    draft = make_spec()
    draft["edges"].pop()
    answer = put(as_alice, {"spec": draft, "base_revision": 1})
    assert answer.status_code == 200
    assert answer.json()["revision"] == 2
    [problem] = answer.json()["problems"]
    assert problem["code"] == "unconnected-input"
    assert problem["message"] == "output.category gets nothing: draw a wire to it."
    assert (problem["node"], problem["field"]) == ("n3", "category")


def test_a_stale_save_gets_409_with_what_is_newer(as_alice: Client, as_bob: Client) -> None:
    theirs = make_spec(kind="chain_of_thought")
    assert put(as_bob, {"spec": theirs, "base_revision": 1}).status_code == 200
    answer = put(as_alice, {"spec": make_spec(), "base_revision": 1})
    assert answer.status_code == 409
    assert answer.json()["code"] == "conflict"
    assert answer.json()["revision"] == 2
    assert answer.json()["spec"] == theirs


def test_a_stranger_gets_404_for_everything(as_charlie: Client) -> None:
    saved = put(as_charlie, {"spec": make_spec(), "base_revision": 1})
    answers = [
        as_charlie.get(URL),
        saved,
        as_charlie.post(f"{URL}check/", {}, content_type="application/json"),
        as_charlie.get("/api/projects/support/palette/"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4


def test_nobody_gets_in_without_signing_in(client: Client) -> None:
    assert client.get(URL).status_code == 401
    assert put(client, {"spec": make_spec(), "base_revision": 1}).status_code in (401, 403)


def test_a_viewer_reads_and_does_not_save(project: Project) -> None:
    viewer = make_user("viewer")
    make_pipeline(make_project(slug="other", viewer=viewer))
    client = make_client(viewer)
    url = "/api/projects/other/pipelines/triage/"
    assert client.get(url).status_code == 200
    answer = put(client, {"spec": make_spec(), "base_revision": 1}, url)
    assert answer.status_code == 403
    assert "This needs the role author" in answer.json()["message"]
    assert Pipeline.objects.get(project__slug="other").revision == 1


def test_a_pipeline_of_another_project_is_not_found(as_alice: Client) -> None:
    make_pipeline(make_project(slug="other"), slug="secret")
    assert as_alice.get("/api/projects/support/pipelines/secret/").status_code == 404


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "must be a JSON object"),
        ({}, "names its base_revision"),
        ({"base_revision": True, "spec": {}}, "names its base_revision"),
        ({"base_revision": -1, "spec": {}}, "names its base_revision"),
        ({"base_revision": 10**30, "spec": {}}, "names its base_revision"),
        ({"base_revision": 1}, "needs the spec"),
        ({"base_revision": 1, "spec": "nonsense"}, "expected a JSON object"),
        ({"base_revision": 1, "spec": {**make_spec(), "x": "y" * 1_200_000}}, "1,000,000 is"),
        ({"base_revision": 1, "spec": {**make_spec(), "x": "y" * 2_200_000}}, "2,000,000 is"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_saved_gets_a_sentence(
    as_alice: Client, pipeline: Pipeline, body: Any, says: str
) -> None:
    answer = put(as_alice, body)
    assert answer.status_code == 422
    assert says in answer.json()["message"]
    pipeline.refresh_from_db()
    assert pipeline.revision == 1


def test_a_check_saves_nothing(as_alice: Client, pipeline: Pipeline) -> None:
    answer = as_alice.post(
        f"{URL}check/", json.dumps({"spec": {"version": 9}}), content_type="application/json"
    )
    assert [problem["code"] for problem in answer.json()["problems"]] == ["bad-spec"]
    pipeline.refresh_from_db()
    assert pipeline.revision == 1


def test_a_type_that_is_nested_without_end_is_a_problem_and_no_crash(as_alice: Client) -> None:
    spec = make_spec()
    spec["nodes"][0]["fields"][0]["type"] = "list[" * 5_000 + "]" * 5_000
    answer = put(as_alice, {"spec": spec, "base_revision": 1})
    assert answer.status_code in (200, 422)


def test_the_palette_knows_kinds_modules_and_models(as_alice: Client, project: Project) -> None:
    make_module(project, "classify")
    make_connection(project, "scripted", encrypted_key="secret-key")
    answer = as_alice.get("/api/projects/support/palette/")
    body = answer.json()
    kinds = [kind["kind"] for kind in body["kinds"]]
    assert kinds == ["input", *MODULES, "output"]
    params = {
        kind["kind"]: {param["name"]: param for param in kind["params"]} for kind in body["kinds"]
    }
    assert params["react"]["tools"]["type"] == "names"
    assert params["react"]["native"]["type"] == "yes-no"
    assert params["python"]["code"]["widget"] == "code"
    assert params["predict"]["temperature"]["type"] == "number"
    assert {param["name"] for param in body["kinds"][1]["params"]} >= {"temperature", "max_tokens"}
    assert [module["slug"] for module in body["modules"]] == ["classify"]
    assert [connection["slug"] for connection in body["connections"]] == ["scripted"]
    assert b"secret-key" not in answer.content
