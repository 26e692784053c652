"""Trying a pipeline from its outline: a plain form, and the run's own page or part of it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from studio.accounts.models import Role
from studio.datasets.models import Split
from studio.datasets.services import columns_of, get_dataset
from studio.datasets.table import Table
from studio.engine.errors import EngineError, ParseError
from studio.engine.graph.nodes import node_fields
from studio.engine.signature import Field
from studio.errors import Invalid, NotFound
from studio.http import StudioRequest
from studio.lms.services import get_connection
from studio.numerals import read_whole
from studio.pipelines.models import Pipeline
from studio.pipelines.services import get_pipeline
from studio.runs import services

_OPEN = (Split.TRAIN, Split.DEV)
"""The held-out part stays sealed: whoever tries things on it has seen it."""


@require_POST
def try_from_outline(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Run the pipeline, as it is saved, on what was typed or on a row of a dataset."""
    pipeline = get_pipeline(user=request.user, project=project, slug=slug, role=Role.AUTHOR)
    post = request.POST
    fields = _inputs(pipeline)
    inputs = _row(pipeline, fields, post) if post.get("dataset") else _typed(fields, post)
    run = services.start_try(
        actor=request.user,
        pipeline=pipeline,
        connection=get_connection(project=pipeline.project, slug=post.get("connection", "")),
        inputs=inputs,
        until=post.get("until-here") or post.get("until", ""),
    )
    if request.htmx:
        return render(request, "runs/_outline_tried.html", {"run": run})
    return redirect(run)


def _inputs(pipeline: Pipeline) -> list[Field]:
    """The fields of the pipeline's input. Raises `Invalid` when they cannot be read."""
    spec: dict[str, Any] = pipeline.spec
    try:
        ends = [node for node in spec["nodes"] if node["kind"] == "input"]
        return [field for node in ends[:1] for field in node_fields(node)]
    except (EngineError, KeyError, TypeError) as error:
        raise Invalid(f"The pipeline’s inputs cannot be read yet: {error}") from None


def _typed(fields: list[Field], post: QueryDict) -> dict[str, Any]:
    """What was typed, each text read as its field's type; what was left empty is not given."""
    inputs = {}
    for field in fields:
        text = post.get(f"input.{field.name}", "").replace("\r\n", "\n")
        if not text.strip() and not (field.required and field.type.kind == "str"):
            continue
        try:
            inputs[field.name] = field.read(text)
        except ParseError as error:
            raise Invalid(str(error)) from None
    return inputs


def _row(pipeline: Pipeline, fields: list[Field], post: QueryDict) -> dict[str, Any]:
    """The inputs out of a row of a dataset."""
    dataset = get_dataset(project=pipeline.project, slug=post.get("dataset", ""))
    number = read_whole(post.get("row"))
    if number is None:
        raise Invalid("Say which row: a whole number, such as 1.")
    row = Table(dataset).get(number)
    if row is None:
        raise NotFound(f"{dataset.name} has no row {number}.")
    if row.split not in _OPEN:
        raise Invalid(
            f"Row {row.number} is held out for the test: take one of the train or dev split."
        )
    columns = columns_of(dataset, fields)
    inputs = {}
    for field in fields:
        cell = row.values.get(columns[field.name]) if field.name in columns else None
        if cell is not None:
            try:
                inputs[field.name] = field.read(cell)
            except ParseError as error:
                raise Invalid(f"Row {row.number}: {error}") from None
    return inputs
