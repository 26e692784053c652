"""The doors for programs: run a pipeline once, and look at a run."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from studio.accounts.models import Role, User
from studio.accounts.services import get_project
from studio.errors import Invalid, NotFound
from studio.lms.services import get_connection
from studio.pipelines.services import get_pipeline
from studio.runs import services
from studio.runs.models import Run
from studio.runs.progress import elapsed_of


@extend_schema(request=OpenApiTypes.OBJECT, responses={202: OpenApiTypes.OBJECT})
@api_view(["POST"])
def try_pipeline(request: Request, project: str, pipeline: str) -> Response:
    """Run the pipeline, as it was saved last, on one set of inputs."""
    user = _user(request)
    found = get_pipeline(user=user, project=project, slug=pipeline, role=Role.AUTHOR)
    body = request.data
    if not isinstance(body, dict) or not isinstance(body.get("inputs"), dict):
        raise Invalid('Send {"inputs": {…}, "connection": "…"}.')
    connection = get_connection(project=found.project, slug=str(body.get("connection", "")))
    run = services.start_try(
        actor=user, pipeline=found, connection=connection, inputs=body["inputs"]
    )
    return Response(
        {"run": str(run.pk), "state": run.state, "url": run.get_absolute_url()}, status=202
    )


@extend_schema(responses=OpenApiTypes.OBJECT)
@api_view(["GET"])
def run(request: Request, project: str, run: UUID) -> Response:
    """How a run stands, and what it ended in."""
    return Response(as_json(_get(request, project, run)))


@extend_schema(request=None, responses=OpenApiTypes.OBJECT)
@api_view(["POST"])
def cancel(request: Request, project: str, run: UUID) -> Response:
    """Stop a run."""
    found = services.cancel(actor=_user(request), run=_get(request, project, run))
    return Response(as_json(found))


def as_json(run: Run) -> dict[str, Any]:
    """A run as the API tells it."""
    elapsed = elapsed_of(run)
    return {
        "run": str(run.pk),
        "kind": run.kind,
        "state": run.state,
        "pipeline": run.version.pipeline.slug,
        "version": run.version.number,
        "calls": run.calls,
        "max_calls": run.max_calls,
        "cost": run.cost,
        "seconds": elapsed.total_seconds() if elapsed else None,
        "report": run.report,
        "error": run.error,
        "url": run.get_absolute_url(),
    }


def _get(request: Request, project: str, pk: UUID) -> Run:
    found = get_project(user=_user(request), slug=project)
    run = found.runs.select_related("project", "version__pipeline").filter(pk=pk).first()
    if run is None:
        raise NotFound(f"There is no such run in {found.name}.")
    return run


def _user(request: Request) -> User:
    assert isinstance(request.user, User)
    return request.user
