"""Served calls that become rows of a dataset."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Project
from studio.reviews.models import Release
from studio.serving.models import Call
from tests.builders import (
    make_artifact,
    make_client,
    make_dataset,
    make_pipeline,
    make_user,
    make_version,
    rows_of,
)


@pytest.fixture
def call(project: Project) -> Call:
    """An answered call of a release."""
    version = make_version(make_pipeline(project))
    artifact = make_artifact(project, version=version)
    release = Release.objects.create(
        project=project, pipeline=version.pipeline, label="production", artifact=artifact
    )
    return Call.objects.create(
        release=release,
        inputs={"message": "Where is it?"},
        outputs={"category": "billing"},
        seconds=0.1,
    )


def url_of(call: Call) -> str:
    """Of the page that adds it."""
    return f"/p/support/calls/{call.pk}/to-dataset/"


def form(**said: Any) -> dict[str, Any]:
    """What the page sends."""
    return {
        "dataset": "messages", "split": "train", "action": "add",
        "input:message": "Where is it?", "output:category": "shipping", **said,
    }  # fmt: skip


def test_a_call_is_corrected_and_added(as_alice: Client, project: Project, call: Call) -> None:
    dataset = make_dataset(project)
    listed = as_alice.get("/p/support/keys/").content.decode()
    assert url_of(call) in listed
    assert "billing</textarea>" in as_alice.get(url_of(call)).content.decode()
    assert as_alice.post(url_of(call), form()).status_code == 302
    assert rows_of(dataset)[-1].values == {"message": "Where is it?", "category": "shipping"}
    assert "From a call of" in dataset.versions.get(number=2).message


def test_a_call_that_failed_is_given_an_answer(
    as_alice: Client, project: Project, call: Call
) -> None:
    dataset = make_dataset(project)
    Call.objects.filter(pk=call.pk).update(outputs={}, error="The LM is down.")
    assert as_alice.post(url_of(call), form()).status_code == 302
    assert rows_of(dataset)[-1].values["category"] == "shipping"


def test_calls_of_other_projects_are_not_there(
    as_charlie: Client, project: Project, call: Call
) -> None:
    make_dataset(project)
    assert as_charlie.get(url_of(call)).status_code == 404
    vera = make_user("vera")
    project.memberships.create(user=vera, role="viewer")
    viewer = make_client(vera)
    assert viewer.get(url_of(call)).status_code == 403
    assert url_of(call) not in viewer.get("/p/support/keys/").content.decode()


def test_another_projects_call_cannot_be_named(
    as_alice: Client, alice: Any, project: Project, call: Call
) -> None:
    other = Project.objects.create(name="Other", slug="other")
    other.memberships.create(user=alice, role="admin")
    assert as_alice.get(f"/p/other/calls/{call.pk}/to-dataset/").status_code == 404
