"""Metrics for programs: list, read, make, change, versions."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from studio.accounts.models import Role, User
from studio.accounts.services import get_project
from studio.engine.metrics import METRICS
from studio.metrics import services
from studio.metrics.models import Metric
from studio.metrics.serializers import (
    CreateMetricSerializer,
    MetricKindSerializer,
    MetricSerializer,
    MetricVersionSerializer,
    UpdateMetricSerializer,
    find_judge,
)
from studio.metrics.versions import get_version, restore_version


@extend_schema(
    methods=["GET"],
    operation_id="projects_metrics_list",
    responses=MetricSerializer(many=True),
)
@extend_schema(methods=["POST"], request=CreateMetricSerializer, responses={201: MetricSerializer})
@api_view(["GET", "POST"])
def metrics(request: Request, project: str) -> Response:
    """List the metrics, or make one. 422 names the parameter that is wrong."""
    if request.method == "GET":
        found = get_project(user=request.user, slug=project)
        return Response(MetricSerializer(found.metrics.select_related("judge"), many=True).data)
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    said = _read(CreateMetricSerializer(data=request.data))
    made = services.create_metric(
        actor=_user(request),
        project=found,
        name=said["name"],
        kind=said["kind"],
        params=said.get("params", {}),
        judge=find_judge(found, said.get("judge")),
    )
    return Response(MetricSerializer(made).data, status=201)


@extend_schema(responses=MetricKindSerializer(many=True))
@api_view(["GET"])
def kinds(request: Request, project: str) -> Response:
    """What a metric may be, and what each kind needs, such as a language model."""
    get_project(user=request.user, slug=project)
    told = [
        {
            "name": kind.name,
            "title": kind.title,
            "sentence": kind.sentence,
            "needs": sorted(kind.needs),
        }
        for kind in METRICS.values()
    ]
    return Response(MetricKindSerializer(told, many=True).data)


@extend_schema(methods=["GET"], responses=MetricSerializer)
@extend_schema(methods=["PATCH"], request=UpdateMetricSerializer, responses=MetricSerializer)
@extend_schema(methods=["DELETE"], request=None, responses={204: None})
@api_view(["GET", "PATCH", "DELETE"])
def metric(request: Request, project: str, slug: str) -> Response:
    """One metric; PATCH makes a new version of it when it judges differently afterwards.

    409 when `base` is not its newest version, or a run that has not ended needs it (DELETE).
    """
    found = _find(request, project, slug, Role.VIEWER if request.method == "GET" else Role.AUTHOR)
    if request.method == "DELETE":
        services.delete_metric(actor=_user(request), metric=found)
        return Response(status=204)
    if request.method == "PATCH":
        said = _read(UpdateMetricSerializer(data=request.data))
        judge = find_judge(found.project, said["judge"]) if "judge" in said else found.judge
        found = services.update_metric(
            actor=_user(request),
            metric=found,
            name=said.get("name", found.name),
            params=said.get("params", found.params),
            judge=judge,
            message=said.get("message", ""),
            base=said.get("base"),
        )
    return Response(MetricSerializer(found).data)


@extend_schema(
    operation_id="projects_metrics_versions_list", responses=MetricVersionSerializer(many=True)
)
@api_view(["GET"])
def versions(request: Request, project: str, slug: str) -> Response:
    """Every version, the newest first."""
    found = _find(request, project, slug)
    rows = found.versions.select_related("judge", "created_by")
    return Response(MetricVersionSerializer(rows, many=True).data)


@extend_schema(responses=MetricVersionSerializer)
@api_view(["GET"])
def version(request: Request, project: str, slug: str, number: int) -> Response:
    """The metric as it was after one change."""
    return Response(
        MetricVersionSerializer(get_version(_find(request, project, slug), number)).data
    )


@extend_schema(request=None, responses=MetricSerializer)
@api_view(["POST"])
def restore(request: Request, project: str, slug: str, number: int) -> Response:
    """Make the metric what it was, as a new version."""
    found = _find(request, project, slug, Role.AUTHOR)
    restored = restore_version(actor=_user(request), metric=found, number=number)
    return Response(MetricSerializer(restored).data)


def _find(request: Request, project: str, slug: str, role: Role = Role.VIEWER) -> Metric:
    found = get_project(user=request.user, slug=project, role=role)
    return services.get_metric(project=found, slug=slug)


def _user(request: Request) -> User:
    assert isinstance(request.user, User)
    return request.user


def _read(said: Any) -> dict[str, Any]:
    said.is_valid(raise_exception=True)
    return dict(said.validated_data)
