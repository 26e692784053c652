"""How the API tells problems."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import Http404
from django.test import Client
from rest_framework import exceptions

from studio.api import answer_problem
from studio.engine.errors import GraphError, LMTimeout
from studio.errors import Conflict, Invalid, NotAllowed, NotFound, StudioError


class Problem:
    """A problem as the engine has them."""

    def to_dict(self) -> dict[str, str]:
        return {"code": "cycle", "message": "Round and round."}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (StudioError("So."), 400, "error"),
        (NotAllowed("So."), 403, "not-allowed"),
        (NotFound("So."), 404, "not-found"),
        (Conflict("So."), 409, "conflict"),
        (Invalid("So."), 422, "invalid"),
        (LMTimeout("So."), 422, "invalid"),
        (exceptions.NotAuthenticated("So."), 401, "not-authenticated"),
        (exceptions.MethodNotAllowed("GET", "So."), 405, "method-not-allowed"),
    ],
)
def test_every_refusal_has_a_message_a_code_and_its_status(
    error: Exception, status: int, code: str
) -> None:
    answer = answer_problem(error, {})
    assert answer is not None
    assert answer.status_code == status
    assert answer.data == {"message": "So.", "code": code}


def test_problems_and_more_come_along() -> None:
    error = Conflict("So.", problems=[Problem(), {"code": "x"}], revision=7)
    answer = answer_problem(error, {})
    assert answer is not None
    assert answer.data == {
        "message": "So.",
        "code": "conflict",
        "revision": 7,
        "problems": [{"code": "cycle", "message": "Round and round."}, {"code": "x"}],
    }


def test_the_problems_of_a_graph_come_along() -> None:
    answer = answer_problem(GraphError("So.", problems=(Problem(),)), {})
    assert answer is not None
    assert answer.status_code == 422
    assert answer.data["problems"] == [{"code": "cycle", "message": "Round and round."}]


def test_fields_that_are_not_valid_are_listed_flat() -> None:
    error = exceptions.ValidationError({"inputs": {"message": ["Missing."]}, "label": ["Long."]})
    answer = answer_problem(error, {})
    assert answer is not None
    assert answer.data["code"] == "invalid"
    assert answer.data["problems"] == [
        {"field": "inputs.message", "message": "Missing."},
        {"field": "label", "message": "Long."},
    ]


def test_a_missing_page_is_a_sentence() -> None:
    answer = answer_problem(Http404(), {})
    assert answer is not None
    assert answer.status_code == 404
    assert answer.data["code"] == "not-found"


def test_our_own_mistakes_are_not_dressed_up() -> None:
    assert answer_problem(ZeroDivisionError(), {}) is None


def test_who_has_not_signed_in_gets_401_as_json(db: Any, client: Client) -> None:
    answer = client.get("/api/schema/", headers={"Accept": "application/json"})
    assert answer.status_code == 401
    assert answer.json()["code"] == "not-authenticated"


def test_the_openapi_document_lists_our_addresses(as_alice: Client) -> None:
    answer = as_alice.get("/api/schema/?format=json")
    assert answer.status_code == 200
    paths = answer.json()["paths"]
    assert "/api/projects/{project}/runs/{run}/" in paths
    assert "/api/projects/{project}/pipelines/{pipeline}/" in paths


def test_an_address_of_the_api_that_does_not_exist_is_404(as_alice: Client) -> None:
    assert as_alice.get("/api/nothing/").status_code == 404
