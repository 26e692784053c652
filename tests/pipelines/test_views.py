"""The pages of pipelines."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Project
from studio.pipelines.outline import outline
from tests.builders import make_client, make_pipeline, make_project, make_spec, make_user

pytestmark = pytest.mark.django_db


def canvas_data(html: str) -> dict[str, Any]:
    """What the page hands to the canvas."""
    found = re.search(r'<script id="canvas-data" type="application/json">(.*?)</script>', html)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_an_empty_list_says_how_to_begin(as_alice: Client, project: Project) -> None:
    html = as_alice.get("/p/support/pipelines/").content.decode()
    assert "Nothing is drawn yet" in html
    assert "/p/support/pipelines/new/" in html


def test_the_list_names_steps_and_problems(as_alice: Client, project: Project) -> None:
    make_pipeline(project)
    make_pipeline(project, "draft", spec={**make_spec(), "edges": []})
    html = as_alice.get("/p/support/pipelines/").content.decode()
    assert "Ready" in html
    assert "2 problems" in html
    assert "classify" in html


def test_a_new_pipeline_opens_on_the_canvas(as_alice: Client, project: Project) -> None:
    answer = as_alice.post("/p/support/pipelines/new/", {"name": "Triage", "start": "two-steps"})
    assert answer.headers["Location"] == "/p/support/pipelines/triage/"
    data = canvas_data(as_alice.get("/p/support/pipelines/triage/").content.decode())
    assert len(data["spec"]["nodes"]) == 4
    assert (data["revision"], data["may_write"]) == (1, True)


@pytest.mark.parametrize(
    "form", [{}, {"name": "", "start": "empty"}, {"name": "x" * 81, "start": "empty"}]
)
def test_a_bad_form_is_shown_again(
    as_alice: Client, project: Project, form: dict[str, str]
) -> None:
    assert as_alice.post("/p/support/pipelines/new/", form).status_code == 422
    assert not project.pipelines.exists()


def test_a_viewer_sees_the_canvas_and_cannot_make_one(db: None) -> None:
    viewer = make_user("viewer")
    make_pipeline(make_project(slug="other", viewer=viewer))
    client = make_client(viewer)
    html = client.get("/p/other/pipelines/triage/").content.decode()
    assert canvas_data(html)["may_write"] is False
    assert client.get("/p/other/pipelines/new/").status_code == 403
    assert client.post("/p/other/pipelines/triage/rename/", {"name": "x"}).status_code == 403


def test_a_stranger_gets_404(as_charlie: Client, project: Project) -> None:
    make_pipeline(project)
    for page in ("", "new/", "triage/", "triage/outline/"):
        assert as_charlie.get(f"/p/support/pipelines/{page}").status_code == 404


def test_a_script_in_a_name_stays_text(as_alice: Client, project: Project) -> None:
    spec = make_spec()
    spec["nodes"][1]["name"] = "</script><script>alert(1)</script>"
    make_pipeline(project, spec=spec, name="<b>Triage</b>")
    for page in ("", "triage/", "triage/outline/"):
        html = as_alice.get(f"/p/support/pipelines/{page}").content.decode()
        assert "<script>alert(1)" not in html
        assert "<b>Triage" not in html
    assert canvas_data(as_alice.get("/p/support/pipelines/triage/").content.decode())


def test_the_outline_reads_in_the_order_of_the_values(as_alice: Client, project: Project) -> None:
    spec = make_spec()
    spec["nodes"].reverse()
    make_pipeline(project, spec=spec)
    assert [part.name for part in outline(spec)] == ["input", "classify", "output"]
    html = as_alice.get("/p/support/pipelines/triage/outline/").content.decode()
    assert 'from <span class="mono">classify.category</span>' in html
    assert "Ready to compile" in html


@pytest.mark.parametrize(
    "spec",
    [{}, {"version": 1, "nodes": 3, "edges": []}, {**make_spec(), "edges": []}],
    ids=["empty", "broken", "unwired"],
)
def test_pages_of_a_broken_spec_open(
    as_alice: Client, project: Project, spec: dict[str, Any]
) -> None:
    make_pipeline(project, spec=spec)
    for page in ("", "triage/", "triage/outline/"):
        assert as_alice.get(f"/p/support/pipelines/{page}").status_code == 200


def test_a_rename_shows_the_new_name(as_alice: Client, project: Project) -> None:
    make_pipeline(project)
    answer = as_alice.post("/p/support/pipelines/triage/rename/", {"name": "Sorting"}, follow=True)
    assert "It is called Sorting now." in answer.content.decode()
