"""Metrics tried on rows by programs."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Project
from tests import builders

URL = "/api/projects/support/try-metric/"
FIELD = {"field": "category"}


def send(client: Client, **body: Any) -> Any:
    return client.post(URL, body, content_type="application/json")


@pytest.fixture
def dataset(project: Project) -> Any:
    builders.make_pipeline(project)
    return builders.make_dataset(project)


def test_a_stored_metric_and_one_that_is_not(
    as_alice: Client, project: Project, dataset: Any
) -> None:
    builders.make_metric(project, params=FIELD)
    told = send(as_alice, metric="exact", dataset="messages", answers="gold").json()
    assert told["mean"] == 1.0
    assert [row["number"] for row in told["rows"]] == [1, 2, 4, 5]
    assert told["rows"][0]["inputs"] == {"message": builders.MESSAGES[0][0]}
    assert told["rows"][0]["milliseconds"] >= 0
    params = {"field": "category", "pattern": "^b"}
    told = send(as_alice, kind="regex", params=params, dataset="messages").json()
    assert [row["score"] for row in told["rows"]] == [1.0, 0.0, 0.0, 1.0]


def test_a_judge_is_asked_only_when_said(as_alice: Client, project: Project, dataset: Any) -> None:
    builders.make_connection(project, model="echo")
    body = {"kind": "lm_judge", "params": {"rubric": "Fits."}, "judge": "scripted"}
    told = send(as_alice, dataset="messages", **body).json()
    assert (told["calls"], told["most_calls"], told["mean"]) == (4, 8, None)
    assert told["rows"][0]["score"] is None
    assert send(as_alice, dataset="messages", ask=True, **body).json()["mean"] == 1.0


def test_a_line_that_fails_is_told(as_alice: Client, dataset: Any) -> None:
    code = "def score(example, prediction):\n    return 1 / 0"
    told = send(as_alice, kind="python", params={"code": code}, dataset="messages").json()
    assert told["rows"][0]["line"] == 2
    assert "ZeroDivisionError" in told["rows"][0]["problem"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"dataset": "messages"}, 422),
        ({"dataset": "nothing", "kind": "exact_match", "params": FIELD}, 404),
        ({"dataset": "messages", "metric": "nothing"}, 404),
        ({"dataset": "messages", "kind": "vibes"}, 422),
        ({"dataset": "messages", "kind": "exact_match", "params": {"field": "a\0"}}, 400),
        ({"dataset": "messages", "kind": "exact_match", "params": FIELD, "answers": "x"}, 422),
        ({"dataset": "messages", "kind": "exact_match", "params": FIELD, "split": "all"}, 400),
        ({"dataset": "messages", "kind": "exact_match", "params": FIELD, "skip": -1}, 400),
        ({"dataset": "messages", "kind": "exact_match", "params": FIELD, "rows": 5}, 400),
    ],
)
def test_what_is_wrong_is_told(
    as_alice: Client, dataset: Any, body: dict[str, Any], status: int
) -> None:
    answer = send(as_alice, **body)
    assert answer.status_code == status
    assert answer.json()["message"]


def test_a_sealed_test_split_stays_sealed(as_alice: Client, dataset: Any) -> None:
    body = {"dataset": "messages", "kind": "exact_match", "params": FIELD, "split": "test"}
    assert len(send(as_alice, **body).json()["rows"]) == 2
    dataset.sealed = True
    dataset.save()
    assert send(as_alice, **body).status_code == 422


def test_a_stranger_tries_nothing(as_charlie: Client, client: Client, dataset: Any) -> None:
    body = {"dataset": "messages", "kind": "exact_match", "params": FIELD}
    assert send(as_charlie, **body).status_code == 404
    assert send(client, **body).status_code in (401, 403)
