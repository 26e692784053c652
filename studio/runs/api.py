"""The doors for programs: run a pipeline once, compile it, look at a run, stop or pause it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from studio.accounts.models import Project, Role
from studio.accounts.services import get_project
from studio.datasets.services import get_dataset
from studio.errors import Invalid, NotFound
from studio.lms.models import Connection
from studio.lms.services import get_connection
from studio.metrics.services import get_metric
from studio.numerals import read_whole
from studio.pipelines.requests import read_body, user_of
from studio.pipelines.services import get_pipeline
from studio.runs import services, tries
from studio.runs.artifacts import find_artifact
from studio.runs.checks import check_compiler
from studio.runs.examples import find_examples
from studio.runs.models import Artifact, Run
from studio.runs.serializers import CompileRequest


@extend_schema(request=OpenApiTypes.OBJECT, responses={202: OpenApiTypes.OBJECT})
@api_view(["POST"])
def try_pipeline(request: Request, project: str, pipeline: str) -> Response:
    """Run the pipeline, as it was saved last, on one set of inputs.

    `until` is the step that it ends at, `given` are values in the place of steps; both may be
    left out.
    """
    user = user_of(request)
    found = get_pipeline(user=user, project=project, slug=pipeline, role=Role.AUTHOR)
    body = read_body(request)
    if not isinstance(body.get("inputs"), dict):
        raise Invalid('Send {"inputs": {…}, "connection": "…"}.')
    connection = get_connection(project=found.project, slug=str(body.get("connection", "")))
    run = services.start_try(
        actor=user,
        pipeline=found,
        connection=connection,
        inputs=body["inputs"],
        until=body.get("until") or "",
        given=body.get("given"),
    )
    return Response(
        {"run": str(run.pk), "state": run.state, "url": run.get_absolute_url()}, status=202
    )


@extend_schema(responses=OpenApiTypes.OBJECT)
@api_view(["GET"])
def last_try(request: Request, project: str, pipeline: str) -> Response:
    """The viewer's own last try that has ended: its inputs, its connection, the run."""
    user = user_of(request)
    found = get_pipeline(user=user, project=project, slug=pipeline)
    run = tries.last_try(user=user, pipeline=found)
    if run is None:
        return Response({})
    return Response(
        {
            "inputs": run.params.get("inputs", {}),
            "connection": run.connection.slug if run.connection else "",
            "run": str(run.pk),
        }
    )


@extend_schema(responses=OpenApiTypes.OBJECT)
@api_view(["GET"])
def examples(request: Request, project: str, pipeline: str) -> Response:
    """Rows of a dataset as inputs of the pipeline: those of train and dev, a page at a time."""
    found = get_pipeline(user=user_of(request), project=project, slug=pipeline)
    asked = request.query_params
    offset = read_whole(asked.get("offset") or "0")
    if offset is None:
        raise Invalid("offset says how many rows to leave out: send a whole number.")
    return Response(
        find_examples(
            found,
            dataset=asked.get("dataset", ""),
            text=asked.get("text", ""),
            offset=offset,
        )
    )


@extend_schema(request=CompileRequest, responses={202: OpenApiTypes.OBJECT})
@api_view(["POST"])
def compile_pipeline(request: Request, project: str, pipeline: str) -> Response:
    """Compile the pipeline, as it was saved last, for each of the language models."""
    user = user_of(request)
    found = get_pipeline(user=user, project=project, slug=pipeline, role=Role.AUTHOR)
    asked = CompileRequest(data=request.data)
    asked.is_valid(raise_exception=True)
    runs = services.start_matrix(
        actor=user, pipeline=found, **_chosen(found.project, asked.validated_data)
    )
    told = [as_json(one) for one in runs]
    return Response({"matrix": told[0]["matrix"], "runs": told}, status=202)


@extend_schema(responses=OpenApiTypes.OBJECT)
@api_view(["GET"])
def run(request: Request, project: str, run: UUID) -> Response:
    """How a run stands, and what it ended in."""
    return Response(as_json(_get(request, project, run)))


@extend_schema(request=None, responses=OpenApiTypes.OBJECT)
@api_view(["POST"])
def cancel(request: Request, project: str, run: UUID) -> Response:
    """Stop a run."""
    found = services.cancel(actor=user_of(request), run=_get(request, project, run))
    return Response(as_json(found))


@extend_schema(request=None, responses=OpenApiTypes.OBJECT)
@api_view(["POST"])
def pause(request: Request, project: str, run: UUID) -> Response:
    """Put a run aside; what it has done is kept."""
    found = services.pause(actor=user_of(request), run=_get(request, project, run))
    return Response(as_json(found))


@extend_schema(request=None, responses=OpenApiTypes.OBJECT)
@api_view(["POST"])
def resume(request: Request, project: str, run: UUID) -> Response:
    """Go on with a paused run where it was."""
    found = services.resume(actor=user_of(request), run=_get(request, project, run))
    return Response(as_json(found))


def as_json(run: Run) -> dict[str, Any]:
    """A run as the API tells it."""
    return {
        "run": str(run.pk),
        "kind": run.kind,
        "state": run.state,
        "pipeline": run.version.pipeline.slug,
        "version": run.version.number,
        "compiler": run.compiler,
        "connection": run.connection.slug if run.connection else None,
        "matrix": str(run.matrix) if run.matrix else None,
        "calls": run.calls,
        "max_calls": run.max_calls,
        "tokens": run.tokens,
        "max_tokens": run.max_tokens,
        "cost": run.cost,
        "max_cost": run.max_cost,
        "seconds": run.seconds,
        "max_seconds": run.max_seconds,
        "saved": run.saved,
        "live": run.live,
        "report": run.report,
        "error": run.error,
        "url": run.get_absolute_url(),
    }


def _chosen(project: Project, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The options of `start_matrix`: names become rows of this project, or `NotFound`."""

    def connection(name: str) -> Connection | None:
        return get_connection(project=project, slug=name) if name else None

    def artifact(hash_: str) -> Artifact | None:
        return find_artifact(project, hash_) if hash_ else None

    params = check_compiler(asked["compiler"], asked["params"], asked["preset"])
    same = ("compiler", "seed", "max_calls", "max_tokens", "max_cost", "max_seconds", "reuse")
    return {
        **{name: asked[name] for name in same},
        "params": params,
        "dataset": get_dataset(project=project, slug=asked["dataset"]),
        "metric": get_metric(project=project, slug=asked["metric"]),
        "connections": [
            get_connection(project=project, slug=slug) for slug in asked["connections"]
        ],
        "teacher": connection(asked["teacher"]),
        "proposer": connection(asked["proposer"]),
        "teacher_artifact": artifact(asked["teacher_artifact"]),
        "start_artifact": artifact(asked["start_artifact"]),
    }


def _get(request: Request, project: str, pk: UUID) -> Run:
    found = get_project(user=user_of(request), slug=project)
    run = (
        found.runs.select_related("project", "version__pipeline", "connection")
        .filter(pk=pk)
        .first()
    )
    if run is None:
        raise NotFound(f"There is no such run in {found.name}.")
    return run
