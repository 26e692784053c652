"""Metrics for programs."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Membership, Project, Role
from studio.engine.metrics import METRICS
from studio.metrics.models import Metric
from tests import builders

URL = "/api/projects/support/metrics/"
FIELD = {"field": "category"}


def send(client: Client, method: str, url: str, body: Any = None) -> Any:
    return getattr(client, method)(url, body, content_type="application/json")


def test_a_metric_is_made_read_changed_and_deleted(as_alice: Client, project: Project) -> None:
    body = {"name": "Right category", "kind": "exact_match", "params": FIELD}
    made = send(as_alice, "post", URL, body)
    assert made.status_code == 201
    assert made.json()["slug"] == "right-category"
    url = f"{URL}right-category/"
    changed = send(as_alice, "patch", url, {"params": {"field": "answer"}, "message": "why"})
    assert (changed.json()["number"], changed.json()["params"]) == (2, {"field": "answer"})
    assert changed.json()["name"] == "Right category"
    listed = as_alice.get(f"{url}versions/").json()
    assert [(one["number"], one["message"]) for one in listed] == [(2, "why"), (1, "")]
    assert listed[0]["created_by"] == "alice"
    assert as_alice.get(f"{url}versions/1/").json()["params"] == FIELD
    restored = send(as_alice, "post", f"{url}versions/1/restore/")
    assert (restored.json()["number"], restored.json()["params"]) == (3, FIELD)
    assert [one["slug"] for one in as_alice.get(URL).json()] == ["right-category"]
    assert as_alice.delete(url).status_code == 204
    assert as_alice.get(url).status_code == 404


def test_the_kinds_are_listed(as_bob: Client, project: Project) -> None:
    told = as_bob.get("/api/projects/support/metric-kinds/").json()
    assert [kind["name"] for kind in told] == list(METRICS)
    assert next(kind for kind in told if kind["name"] == "lm_judge")["needs"] == ["lm"]


def test_a_judge_is_named_by_its_short_name(as_alice: Client, project: Project) -> None:
    builders.make_connection(project, model="echo")
    body = {"name": "Polite", "kind": "lm_judge", "params": {"rubric": "Polite?"}}
    assert send(as_alice, "post", URL, body).status_code == 422
    assert send(as_alice, "post", URL, {**body, "judge": "nobody"}).status_code == 404
    made = send(as_alice, "post", URL, {**body, "judge": "scripted"})
    assert made.json()["judge"] == "scripted"
    patched = send(as_alice, "patch", f"{URL}polite/", {"name": "Kind"})
    assert (patched.json()["judge"], patched.json()["number"]) == ("scripted", 1)


def test_a_change_on_top_of_somebody_else_s_is_refused(as_alice: Client, project: Project) -> None:
    builders.make_metric(project, params=FIELD)
    send(as_alice, "patch", f"{URL}exact/", {"params": {"field": "a"}, "base": 1})
    answer = send(as_alice, "patch", f"{URL}exact/", {"params": {"field": "b"}, "base": 1})
    assert answer.status_code == 409
    assert answer.json()["version"] == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x", "kind": "vibes"},
        {"name": "x", "kind": "exact_match", "params": {"colour": "red"}},
        {"name": "x", "kind": "exact_match", "params": {"field": 1}},
        {"name": "x", "kind": "exact_match", "params": [1]},
        {"name": "x", "kind": "exact_match", "params": {"field": "a\0b"}},
        {"name": "x", "kind": "exact_match", "params": {"field": "\ud800"}},
        {"name": "x" * 81, "kind": "exact_match", "params": FIELD},
        {"name": " ", "kind": "exact_match", "params": FIELD},
        {"name": "x", "kind": "python", "params": {"code": "def score("}},
        {"name": "x", "kind": "composite", "params": {"parts": "[]"}},
        {"name": "x", "kind": "exact_match", "params": FIELD, "weight": 1},
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_stored(
    as_alice: Client, project: Project, body: dict[str, Any]
) -> None:
    answer = send(as_alice, "post", URL, body)
    assert answer.status_code in (400, 422)
    assert answer.json()["message"]
    assert not Metric.objects.exists()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", ""),
        ("post", ""),
        ("get", "exact/"),
        ("patch", "exact/"),
        ("delete", "exact/"),
        ("get", "exact/versions/"),
        ("get", "exact/versions/1/"),
        ("post", "exact/versions/1/restore/"),
    ],
)
def test_who_may_do_what(
    as_charlie: Client, client: Client, project: Project, method: str, path: str
) -> None:
    viewer = builders.make_user("viewer")
    Membership.objects.create(project=project, user=viewer, role=Role.VIEWER)
    builders.make_metric(project, params=FIELD)
    body = {"name": "x", "kind": "exact_match", "params": FIELD}
    assert send(client, method, f"{URL}{path}", body).status_code in (401, 403)
    assert send(as_charlie, method, f"{URL}{path}", body).status_code == 404
    status = send(builders.make_client(viewer), method, f"{URL}{path}", body).status_code
    assert status == (200 if method == "get" else 403)
    assert Metric.objects.get().number == 1


def test_a_metric_that_a_run_needs_is_not_deleted(as_alice: Client, project: Project) -> None:
    metric = builders.make_metric(project, params=FIELD)
    builders.make_run(project, metric=metric, state="queued")
    assert as_alice.delete(f"{URL}exact/").status_code == 409


def test_versions_that_are_not_there_are_not_found(as_alice: Client, project: Project) -> None:
    builders.make_metric(project, params=FIELD)
    assert as_alice.get(f"{URL}exact/versions/9/").status_code == 404
    assert as_alice.get(f"{URL}exact/versions/99999999999/").status_code == 404
