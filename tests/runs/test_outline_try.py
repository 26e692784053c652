"""Trying a pipeline from its outline."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Project
from studio.datasets.models import Split
from studio.runs.models import Run
from tests.builders import (
    make_client,
    make_connection,
    make_dataset,
    make_pipeline,
    make_project,
    make_user,
)

pytestmark = pytest.mark.django_db

DOOR = "/p/support/pipelines/triage/outline/try/"


@pytest.fixture(autouse=True)
def _drawn(request: pytest.FixtureRequest) -> None:
    if "project" in request.fixturenames:
        project = request.getfixturevalue("project")
        make_pipeline(project)
        make_connection(project)


def send(client: Client, form: dict[str, str], *, htmx: bool = False) -> Any:
    """Press Run."""
    headers = {"hx-request": "true"} if htmx else {}
    return client.post(DOOR, {"connection": "scripted", **form}, headers=headers)


def test_what_was_typed_is_tried(as_alice: Client, project: Project) -> None:
    answer = send(as_alice, {"input.message": "Where is\r\nit?"})
    run = Run.objects.get()
    assert answer.headers["Location"] == run.get_absolute_url()
    assert run.params["inputs"] == {"message": "Where is\nit?"}


def test_htmx_gets_the_link_and_what_polls(as_alice: Client, project: Project) -> None:
    html = send(as_alice, {"input.message": "x"}, htmx=True).content.decode()
    assert f'href="{Run.objects.get().get_absolute_url()}"' in html
    assert "?live" in html


def test_it_may_end_at_a_step(as_alice: Client, project: Project) -> None:
    send(as_alice, {"until": "classify", "input.message": "x"})
    assert Run.objects.get().params["until"] in ("n2", "classify")
    form = {"input.message": "x", "until": "", "until-here": "classify"}
    assert send(as_alice, form).status_code == 302
    assert send(as_alice, {"until": "nowhere", "input.message": "x"}).status_code == 422


def test_a_row_of_a_dataset_is_tried(as_alice: Client, project: Project) -> None:
    make_dataset(project, splits=[Split.TRAIN] * 5 + [Split.TEST])
    assert send(as_alice, {"dataset": "messages", "row": "2"}).status_code == 302
    assert Run.objects.get().params["inputs"]["message"].startswith("My parcel")


@pytest.mark.parametrize(
    ("form", "status", "says"),
    [
        ({"connection": "gone"}, 404, "no language model"),
        ({"dataset": "gone", "row": "1"}, 404, "no dataset"),
        ({"dataset": "messages", "row": "x"}, 422, "Say which row"),
        ({"dataset": "messages", "row": "99"}, 404, "no row 99"),
        ({"dataset": "messages", "row": "6"}, 422, "held out"),
        ({"input.message": "x" * 600_000}, 422, "the most that a try takes"),
    ],
)
def test_a_bad_try_gets_a_sentence(
    as_alice: Client, project: Project, form: dict[str, str], status: int, says: str
) -> None:
    make_dataset(project, splits=[Split.TRAIN] * 5 + [Split.TEST])
    answer = send(as_alice, form)
    assert answer.status_code == status
    assert says in answer.content.decode()
    assert not Run.objects.exists()


@pytest.mark.parametrize("spec", [{}, {"version": 1, "nodes": 3, "edges": []}])
def test_what_is_no_pipeline_is_not_tried(as_alice: Client, project: Project, spec: Any) -> None:
    project.pipelines.update(spec=spec)
    assert send(as_alice, {"input.message": "x"}).status_code == 422


def test_viewers_and_strangers_may_not(db: None) -> None:
    viewer = make_user("viewer")
    project = make_project(viewer=viewer)
    make_pipeline(project)
    assert send(make_client(viewer), {}).status_code == 403
    assert send(make_client(make_user("stranger")), {}).status_code == 404
