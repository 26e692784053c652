"""The door to the prompt of a step that is being drawn."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from studio.errors import Invalid
from studio.pipelines.prompts import prompts_of
from studio.pipelines.requests import find_pipeline, read_body


@extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
@api_view(["POST"])
def prompts(request: Request, project: str, pipeline: str) -> Response:
    """What the step `node` would ask about `inputs`, in every format; nothing is saved or run."""
    find_pipeline(request, project, pipeline)
    body = read_body(request)
    inputs = body.get("inputs")
    if inputs is not None and not isinstance(inputs, dict):
        raise Invalid("The inputs must be an object: {field: value}.")
    return Response(prompts_of(body.get("node"), inputs).to_dict())
