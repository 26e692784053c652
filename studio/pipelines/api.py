"""The canvas' door: read, save and check a drawing, and what may be drawn."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import RequestDataTooBig
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from studio.accounts.models import Role, User
from studio.accounts.services import get_project
from studio.errors import Invalid
from studio.pipelines import services
from studio.pipelines.models import Pipeline
from studio.pipelines.palette import palette as make_palette

_MOST_BODY = 2 * services.MOST_BYTES
"""A spec with escapes and spaces is longer on the wire."""


@extend_schema(methods=["GET"], responses=OpenApiTypes.OBJECT)
@extend_schema(methods=["PUT"], request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
@api_view(["GET", "PUT"])
def pipeline(request: Request, project: str, pipeline: str) -> Response:
    """Read a pipeline, or save it over the revision that the drawing began with."""
    user = _user(request)
    if request.method == "GET":
        return Response(_answer(services.get_pipeline(user=user, project=project, slug=pipeline)))
    found = services.get_pipeline(user=user, project=project, slug=pipeline, role=Role.AUTHOR)
    body = read_body(request)
    base = body.get("base_revision")
    if not isinstance(base, int) or isinstance(base, bool) or not 0 <= base < 2**31:
        raise Invalid("A save names its base_revision, a whole number: the revision it read.")
    if "spec" not in body:
        raise Invalid("A save needs the spec: send {“spec”: …, “base_revision”: n}.")
    saved = services.save_pipeline(
        actor=user, pipeline=found, spec=body["spec"], base_revision=base
    )
    return Response(_answer(saved))


@extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
@api_view(["POST"])
def check(request: Request, project: str, pipeline: str) -> Response:
    """The problems of a spec, without saving it."""
    services.get_pipeline(user=_user(request), project=project, slug=pipeline)
    body = read_body(request)
    return Response({"problems": services.problems_of(body.get("spec"))})


@extend_schema(responses=OpenApiTypes.OBJECT)
@api_view(["GET"])
def palette(request: Request, project: str) -> Response:
    """What the canvas may add, and the language models to try it on."""
    return Response(make_palette(get_project(user=_user(request), slug=project)))


def read_body(request: Request) -> dict[str, Any]:
    """The body as a JSON object. Raises `Invalid` with a sentence for anything else."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > _MOST_BODY:
        raise Invalid(f"The request is {int(length):,} bytes long; {_MOST_BODY:,} is the most.")
    try:
        body = json.loads(request.body)
    except RequestDataTooBig:
        raise Invalid(f"The request is too long; {_MOST_BODY:,} bytes is the most.") from None
    except (ValueError, RecursionError):
        raise Invalid("The request is not JSON: send a JSON object in UTF-8.") from None
    if not isinstance(body, dict):
        raise Invalid("The request must be a JSON object.")
    return body


def _answer(pipeline: Pipeline) -> dict[str, Any]:
    return {
        "name": pipeline.name,
        "spec": pipeline.spec,
        "revision": pipeline.revision,
        "problems": services.problems_of(pipeline.spec),
    }


def _user(request: Request) -> User:
    assert isinstance(request.user, User)
    return request.user
