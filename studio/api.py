"""The one door for programs: addresses, how problems are told, the OpenAPI document.

Each app that has an API keeps its addresses as `api_urlpatterns` in its `urls.py`; they stand
under `/api/projects/<project>/` here and are named `api:<app>:<name>`.
"""

from __future__ import annotations

from typing import Any

from django.urls import include, path
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.views import SpectacularAPIView
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from studio.datasets import urls as datasets
from studio.engine.errors import EngineError
from studio.errors import Invalid, StudioError
from studio.metrics import urls as metrics
from studio.pipelines import urls as pipelines
from studio.runs import urls as runs
from studio.serving import urls as serving


class SessionSignInScheme(SessionScheme):  # type: ignore[no-untyped-call]
    """What the OpenAPI document says of it."""

    target_class = "studio.http.SessionSignIn"


def answer_problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every refusal as `{"message", "code", "problems"?, …}` with its status.

    Returns None for errors that are ours: Django then answers 500 and logs them.
    """
    if isinstance(error, EngineError):
        error = Invalid(str(error), problems=list(getattr(error, "problems", ())))
    if isinstance(error, StudioError):
        set_rollback()
        body: dict[str, Any] = {"message": str(error), "code": error.code, **error.extra}
        if error.problems:
            body["problems"] = [as_json(problem) for problem in error.problems]
        return Response(body, status=error.status)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, ValidationError):
        response.data = {
            "message": "The request is not valid.",
            "code": "invalid",
            "problems": field_problems(error.detail),
        }
    else:
        code = error.get_codes() if isinstance(error, APIException) else "not-found"
        detail = getattr(error, "detail", "") or "There is no such thing here."
        response.data = {"message": str(detail), "code": str(code).replace("_", "-")}
    return response


def as_json(problem: Any) -> Any:
    """A problem as JSON: by its own `to_dict`, or as it is."""
    return problem.to_dict() if hasattr(problem, "to_dict") else problem


def field_problems(detail: Any, field: str = "") -> list[dict[str, str]]:
    """DRF's nested details as a flat list of `{"field", "message"}`."""
    if isinstance(detail, dict):
        return [
            problem
            for name, inner in detail.items()
            for problem in field_problems(inner, f"{field}.{name}" if field else str(name))
        ]
    if isinstance(detail, list):
        return [problem for inner in detail for problem in field_problems(inner, field)]
    return [{"field": field, "message": str(detail)}]


app_name = "api"
urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    *(
        path("projects/<slug:project>/", include((app.api_urlpatterns, app.app_name)))
        for app in (datasets, metrics, pipelines, runs, serving)
    ),
]
