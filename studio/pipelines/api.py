"""The canvas' door: read, save and check a drawing, and what may be drawn."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from studio.accounts.models import Role
from studio.accounts.services import get_project
from studio.errors import Invalid
from studio.pipelines import services
from studio.pipelines.models import Pipeline
from studio.pipelines.palette import palette as make_palette
from studio.pipelines.requests import find_pipeline, read_base, read_body, user_of


@extend_schema(methods=["GET"], responses=OpenApiTypes.OBJECT)
@extend_schema(methods=["PUT"], request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
@api_view(["GET", "PUT"])
def pipeline(request: Request, project: str, pipeline: str) -> Response:
    """Read a pipeline, or save it over the revision that the drawing began with."""
    if request.method == "GET":
        return Response(as_json(find_pipeline(request, project, pipeline)))
    found = find_pipeline(request, project, pipeline, Role.AUTHOR)
    body = read_body(request)
    base = read_base(body, what="A save")
    if "spec" not in body:
        raise Invalid("A save needs the spec: send {“spec”: …, “base_revision”: n}.")
    saved = services.save_pipeline(
        actor=user_of(request), pipeline=found, spec=body["spec"], base_revision=base
    )
    return Response(as_json(saved))


@extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
@api_view(["POST"])
def check(request: Request, project: str, pipeline: str) -> Response:
    """The problems of a spec, without saving it."""
    found = find_pipeline(request, project, pipeline)
    body = read_body(request)
    return Response({"problems": services.problems_of(body.get("spec"), found.project)})


@extend_schema(responses=OpenApiTypes.OBJECT)
@api_view(["GET"])
def palette(request: Request, project: str) -> Response:
    """What the canvas may add, and the language models to try it on."""
    return Response(make_palette(get_project(user=user_of(request), slug=project)))


def as_json(pipeline: Pipeline) -> dict[str, Any]:
    """A drawing as the canvas reads it."""
    return {
        "name": pipeline.name,
        "spec": pipeline.spec,
        "revision": pipeline.revision,
        "problems": services.problems_of(pipeline.spec, pipeline.project),
    }
