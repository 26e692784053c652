"""The canvas' door to what was saved before: versions, revisions, and the way back to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from studio.accounts.models import Role
from studio.errors import Invalid
from studio.numerals import read_whole
from studio.pipelines import versions as services
from studio.pipelines.api import as_json
from studio.pipelines.models import Pipeline, PipelineVersion, Revision
from studio.pipelines.requests import find_pipeline, read_base, read_body, user_of
from studio.pipelines.revisions import get_revision, revisions_of

MOST_LISTED = 100
_AT_ONCE = 10
_BEFORE = OpenApiParameter(
    "before", int, description="Only those with a smaller number: the next page of the list."
)


@extend_schema(
    methods=["GET"],
    operation_id="projects_pipelines_versions_list",
    parameters=[_BEFORE],
    responses=OpenApiTypes.OBJECT,
)
@extend_schema(methods=["POST"], request=OpenApiTypes.OBJECT, responses={201: OpenApiTypes.OBJECT})
@api_view(["GET", "POST"])
def versions(request: Request, project: str, pipeline: str) -> Response:
    """The newest hundred versions, or the next one: the drawing as it is saved, with a message."""
    found = find_pipeline(request, project, pipeline)
    if request.method == "POST":
        message = read_body(request).get("message", "")
        if not isinstance(message, str):
            raise Invalid("The message of a version is a text.")
        made = services.save_version(actor=user_of(request), pipeline=found, message=message)
        told = services.get_version(found, made.number)
        return Response(_version(told, services.current_version(found)), status=201)
    listed = services.versions_of(found)
    before = request.query_params.get("before", "")
    if before:
        listed = listed.filter(number__lt=_number(before))
    current = services.current_version(found)
    # A few at a time: a hundred large drawings at once would fill the memory.
    few = listed[: MOST_LISTED + 1].iterator(chunk_size=_AT_ONCE)
    newest = [_version(version, current) for version in few]
    return Response({"versions": newest[:MOST_LISTED], "more": len(newest) > MOST_LISTED})


@extend_schema(responses=OpenApiTypes.OBJECT)
@api_view(["GET"])
def version(request: Request, project: str, pipeline: str, number: int) -> Response:
    """A version with its spec."""
    found = find_pipeline(request, project, pipeline)
    asked = services.get_version(found, number)
    told = _version(asked, services.current_version(found))
    return Response({**told, "spec": asked.spec})


@extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
@api_view(["POST"])
def restore_version(request: Request, project: str, pipeline: str, number: int) -> Response:
    """Draw what a version holds, as a new revision and a new version."""
    found = find_pipeline(request, project, pipeline, Role.AUTHOR)
    return _restore(services.restore_version, request, found, number)


@extend_schema(operation_id="projects_pipelines_revisions_list", responses=OpenApiTypes.OBJECT)
@api_view(["GET"])
def revisions(request: Request, project: str, pipeline: str) -> Response:
    """What was saved lately, newest first; the oldest ones are let go of."""
    found = find_pipeline(request, project, pipeline)
    few = revisions_of(found).iterator(chunk_size=_AT_ONCE)
    return Response({"revisions": [_revision(one) for one in few]})


@extend_schema(responses=OpenApiTypes.OBJECT)
@api_view(["GET"])
def revision(request: Request, project: str, pipeline: str, number: int) -> Response:
    """A revision with its spec."""
    asked = get_revision(find_pipeline(request, project, pipeline), number)
    return Response({**_revision(asked), "spec": asked.spec})


@extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
@api_view(["POST"])
def restore_revision(request: Request, project: str, pipeline: str, number: int) -> Response:
    """Draw what a revision held, as a new revision and a new version."""
    found = find_pipeline(request, project, pipeline, Role.AUTHOR)
    return _restore(services.restore_revision, request, found, number)


def _restore(
    bring_back: Callable[..., services.Restored], request: Request, pipeline: Pipeline, number: int
) -> Response:
    base = read_base(read_body(request), what="A restore")
    restored = bring_back(
        actor=user_of(request), pipeline=pipeline, number=number, base_revision=base
    )
    made, kept = restored.version, restored.kept
    told = {
        "version": made.number if made else None,
        "kept": kept.number if kept else None,
    }
    return Response({**as_json(restored.pipeline), **told})


def _version(version: PipelineVersion, current: PipelineVersion | None) -> dict[str, Any]:
    return {
        "number": version.number,
        "message": version.message,
        "by": version.created_by.username if version.created_by else "",
        "at": version.created_at.isoformat(),
        "hash": version.hash,
        "nodes": services.count_nodes(version.spec),
        "is_current": current is not None and current.pk == version.pk,
        "restored_from": version.restored_from,
        "runs": version.run_count,  # type: ignore[attr-defined]
        "artifacts": version.artifact_count,  # type: ignore[attr-defined]
    }


def _revision(revision: Revision) -> dict[str, Any]:
    return {
        "number": revision.number,
        "by": revision.saved_by.username if revision.saved_by else "",
        "at": revision.saved_at.isoformat(),
        "nodes": services.count_nodes(revision.spec),
    }


def _number(text: str) -> int:
    number = read_whole(text)
    if number is None:
        raise Invalid("before is the number of a version.")
    return number
