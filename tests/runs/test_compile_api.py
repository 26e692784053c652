"""Programs start compiles: one LM or several, every wrong input a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from studio.accounts.models import User
from studio.errors import Invalid
from studio.runs import services
from studio.runs.models import Artifact, Run
from tests import builders
from tests.runs.builders import Kit

pytestmark = pytest.mark.django_db


def body(**values: Any) -> dict[str, Any]:
    """The least that a compile needs."""
    return {"dataset": "messages", "metric": "exact", "connections": ["scripted"], **values}


def send(client: Client, data: Any, pipeline: str = "triage") -> Any:
    """The answer to a compile that is asked for."""
    url = reverse("api:runs:compile", args=["support", pipeline])
    return client.post(url, data, content_type="application/json")


def test_a_compile_is_queued_with_what_was_asked(kit: Kit, as_alice: Client) -> None:
    teacher = builders.make_connection(kit.project, "teacher")
    artifact = Artifact.objects.get(hash=kit.compile().report["artifact"])
    answer = send(
        as_alice,
        body(
            preset="light",
            params={"max_labeled": 3},
            seed=4,
            max_calls=500,
            max_tokens=10_000,
            max_cost=0.5,
            max_seconds=90,
            teacher="teacher",
            proposer="scripted",
            start_artifact=artifact.hash[:12],
            reuse=False,
        ),
    )
    assert answer.status_code == 202, answer.content
    (told,) = answer.json()["runs"]
    assert answer.json()["matrix"] is None
    run = Run.objects.get(pk=told["run"])
    assert run.teacher == teacher
    assert run.proposer == kit.connection
    assert run.start_artifact == artifact
    assert (run.seed, run.max_calls, run.max_tokens) == (4, 500, 10_000)
    assert (run.max_cost, run.max_seconds, run.reuse) == (0.5, 90, False)
    assert run.params["max_labeled"] == 3
    assert run.params["candidates"] == 2, "as in the preset"
    assert told["max_cost"] == 0.5


def test_several_models_make_a_matrix(kit: Kit, as_alice: Client) -> None:
    builders.make_connection(kit.project, "second", model="support-triage")
    answer = send(as_alice, body(connections=["scripted", "second"], seed=3))
    assert answer.status_code == 202
    told = answer.json()
    runs = Run.objects.filter(matrix=told["matrix"])
    assert {run.connection.slug for run in runs if run.connection} == {"scripted", "second"}
    assert len({(run.seed, run.compiler, str(run.params), run.version_id) for run in runs}) == 1
    assert [run["matrix"] for run in told["runs"]] == [told["matrix"]] * 2


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"max_calls": 0}, "max_calls", "1"),
        ({"max_calls": "many"}, "max_calls", "integer"),
        ({"max_tokens": 0}, "max_tokens", "1"),
        ({"max_tokens": 10**30}, "max_tokens", "1000000000000"),
        ({"max_cost": 0}, "max_cost", "more than 0"),
        ({"max_cost": "nan"}, "max_cost", "number"),
        ({"max_seconds": -5}, "max_seconds", "1"),
        ({"max_seconds": 1.5}, "max_seconds", "integer"),
        ({"seed": -1}, "seed", "0"),
        ({"connections": []}, "connections", ""),
        ({"connections": "scripted"}, "connections", "list"),
        ({"connections": ["scripted", "scripted"]}, "connections", "twice"),
        ({"preset": "huge"}, "preset", "huge"),
        ({"params": ["candidates"]}, "params", "{name: value}"),
        ({"params": {"colour": "red"}}, "params", "no parameter"),
        ({"compiler": "magic"}, "compiler", "Not known"),
        ({"max_call": 5}, "max_call", "Not known here"),
        ({"dataset": None}, "dataset", "null"),
    ],
)
def test_a_wrong_field_is_named(
    kit: Kit, as_alice: Client, values: dict[str, Any], field: str, sentence: str
) -> None:
    answer = send(as_alice, body(**values))
    assert answer.status_code in (400, 422), answer.content
    problems = answer.json()["problems"]
    said = {problem["field"].partition(".")[0]: problem["message"] for problem in problems}
    assert field in said
    assert sentence in said[field]
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"dataset": "nothing"}, "nothing"),
        ({"metric": "nothing"}, "no metric"),
        ({"connections": ["gpt"]}, "no language model “gpt”"),
        ({"teacher": "gpt"}, "no language model “gpt”"),
        ({"proposer": "gpt"}, "no language model “gpt”"),
        ({"start_artifact": "abc"}, "no artifact “abc”"),
        ({"teacher_artifact": "0" * 64}, "no artifact"),
    ],
)
def test_what_is_not_there_is_named(
    kit: Kit, as_alice: Client, values: dict[str, Any], sentence: str
) -> None:
    answer = send(as_alice, body(**values))
    assert answer.status_code == 404
    assert sentence in answer.json()["message"]
    assert not Run.objects.exists()


@pytest.mark.parametrize("data", ["[]", '"x"', "{", "1", "null"])
def test_a_body_that_is_no_object_is_refused(kit: Kit, as_alice: Client, data: str) -> None:
    assert send(as_alice, data).status_code in (400, 422)
    assert not Run.objects.exists()


def test_nothing_of_another_project_can_be_named(kit: Kit, as_alice: Client, alice: User) -> None:
    other = builders.make_project("Other", "other", admin=alice)
    builders.make_connection(other, "strange")
    artifact = builders.make_artifact(other)
    for values in ({"teacher": "strange"}, {"connections": ["strange"]}):
        assert send(as_alice, body(**values)).status_code == 404
    for role in ("teacher_artifact", "start_artifact"):
        answer = send(as_alice, body(**{role: artifact.hash}))
        assert answer.status_code == 404
    assert not Run.objects.exists()


def test_a_viewer_may_not_and_a_stranger_sees_nothing(kit: Kit, as_charlie: Client) -> None:
    viewer = builders.make_user("vera")
    kit.project.memberships.create(user=viewer, role="viewer")
    assert send(builders.make_client(viewer), body()).status_code == 403
    assert send(as_charlie, body()).status_code == 404
    assert send(Client(), body()).status_code == 401


def test_a_hash_that_two_artifacts_begin_with_is_refused(kit: Kit, as_alice: Client) -> None:
    for end in "ab":
        builders.make_artifact(kit.project, hash="12345678" + end * 56)
    answer = send(as_alice, body(start_artifact="12345678"))
    assert answer.status_code == 422
    assert "Several artifacts" in answer.json()["message"]


def test_a_matrix_has_bounds(kit: Kit) -> None:
    options: dict[str, Any] = {
        "actor": kit.actor,
        "pipeline": kit.pipeline,
        "dataset": kit.dataset,
        "metric": kit.metric,
        "compiler": "labeled",
        "params": {},
        "seed": 0,
        "max_calls": 10,
    }
    many = [builders.make_connection(kit.project, f"lm{n}") for n in range(21)]
    with pytest.raises(Invalid, match="between 1 and 20"):
        services.start_matrix(**options, connections=many)
    with pytest.raises(Invalid, match="between 1 and 20"):
        services.start_matrix(**options, connections=[])
    assert not Run.objects.exists()


def test_one_lm_that_does_not_fit_starts_none(kit: Kit, alice: User) -> None:
    other = builders.make_project("Other", "other", admin=alice)
    strange = builders.make_connection(other, "strange")
    with pytest.raises(Invalid, match="another project"):
        services.start_matrix(
            actor=kit.actor,
            pipeline=kit.pipeline,
            connections=[kit.connection, strange],
            dataset=kit.dataset,
            metric=kit.metric,
            compiler="labeled",
            params={},
            seed=0,
            max_calls=10,
        )
    assert not Run.objects.exists()


def test_the_openapi_document_knows_the_compile(as_alice: Client) -> None:
    answer = as_alice.get(reverse("api:schema"), {"format": "json"})
    assert answer.status_code == 200
    paths = answer.json()["paths"]
    found = paths["/api/projects/{project}/pipelines/{pipeline}/compile/"]["post"]
    reference = found["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    schema = answer.json()["components"]["schemas"][reference.rpartition("/")[2]]
    assert {"max_tokens", "teacher", "start_artifact", "preset"} <= set(schema["properties"])
    assert schema["required"] == ["connections", "dataset", "metric"]
    assert "/api/projects/{project}/runs/{run}/pause/" in paths
