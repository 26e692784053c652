"""The door to a drawing as code, and back; nothing is saved, and no code is ever run."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from studio.engine.errors import EngineError
from studio.engine.graph.code.problems import CodeError
from studio.engine.graph.code.read import from_python
from studio.engine.graph.code.write import to_python
from studio.engine.saving.dspy_code import to_dspy
from studio.errors import Invalid
from studio.pipelines.requests import find_pipeline, read_body
from studio.pipelines.services import problems_of, require_savable


@extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
@api_view(["POST"])
def code(request: Request, project: str, pipeline: str) -> Response:
    """The drawing `spec` as Python of the engine and of DSPy, or why it cannot be written."""
    find_pipeline(request, project, pipeline)
    spec = read_body(request).get("spec")
    require_savable(spec)
    python, python_problem = _written(to_python, spec)
    dspy, dspy_problem = _written(to_dspy, spec)
    return Response(
        {
            "python": python,
            "python_problem": python_problem,
            "dspy": dspy,
            "dspy_problem": dspy_problem,
        }
    )


@extend_schema(request=OpenApiTypes.OBJECT, responses=OpenApiTypes.OBJECT)
@api_view(["POST"])
def read_code(request: Request, project: str, pipeline: str) -> Response:
    """The drawing that the code in `text` makes of `spec`, with its problems."""
    found = find_pipeline(request, project, pipeline)
    body = read_body(request)
    text, base = body.get("text"), body.get("spec")
    if not isinstance(text, str):
        raise Invalid("The text of the code is missing: send {“text”: …, “spec”: …}.")
    if base is not None:
        require_savable(base)
    try:
        spec = from_python(text, base)
    except CodeError as error:
        problems = [problem.to_dict() for problem in error.problems]
        raise Invalid(_sayable(str(error)), problems=_all_sayable(problems)) from None
    require_savable(spec)
    return Response({"spec": spec, "problems": problems_of(spec, found.project)})


def _written(write: Any, spec: Any) -> tuple[str, str]:
    """The text, or a sentence why there is none."""
    try:
        return write(spec), ""
    except EngineError as error:
        return "", _sayable(str(error))


def _all_sayable(problems: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**problem, "message": _sayable(problem["message"])} for problem in problems]


def _sayable(text: str) -> str:
    """The text as an answer can hold it: halves of surrogate pairs have no UTF-8."""
    return text.encode(errors="replace").decode()
