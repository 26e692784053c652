"""The rows beside a metric's settings: what it says of each while somebody writes."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from studio.accounts.models import Project, Role
from studio.accounts.services import get_project, may
from studio.engine.codec import content_hash
from studio.engine.errors import EngineError
from studio.engine.metrics import METRICS
from studio.engine.metrics.python import find_problem
from studio.errors import Invalid, NotAllowed, NotFound
from studio.http import StudioRequest
from studio.metrics.forms import JudgeForm
from studio.metrics.parts import PartsForm, settings_form
from studio.metrics.views import sentences
from studio.numerals import read_whole
from studio.runs.metric_rows import (
    COLUMN,
    ROWS,
    Sources,
    choose,
    columns_by_field,
    outputs_of,
    read_rows,
    stands_for,
)
from studio.runs.metric_tries import Tried, judge_rows

_MOST_SKIPPED = 10_000_000


@require_POST
def metric_rows(request: StudioRequest, project: str, kind: str) -> HttpResponse:
    """Ten rows with what the metric says of them, its settings as they stand in the form.

    A part of a page for htmx: the results alone while somebody writes, or with the choice of rows
    when that changes. Without JavaScript a page of its own.
    """
    found = get_project(user=request.user, slug=project)
    if kind not in METRICS:
        raise NotFound(f"There is no kind of metric “{kind}”.")
    chosen = choose(
        found,
        dataset=request.POST.get("rows_dataset", ""),
        split=request.POST.get("rows_split", ""),
        source=request.POST.get("rows_source", ""),
        wanted=request.POST.get("field", ""),
    )
    context: dict[str, Any] = {
        "project": found,
        "kind": METRICS[kind],
        "chosen": chosen,
        "most": ROWS,
        "may_ask": may(user=request.user, project=found, role=Role.AUTHOR),
    }
    if chosen is not None:
        context |= _judged(request, found, kind, chosen)
    if request.htmx and context.get("is_known"):
        return HttpResponse(status=204)
    trial, rows = context.get("trial"), context.get("rows", ())
    context["tried"] = trial.tried if trial else [Tried(row) for row in rows]
    if not request.htmx:
        context["kept"] = _kept(request)
        return render(request, "metrics/rows_page.html", context)
    context["editor"] = {
        "lines": json.dumps(context.get("lines", [])),
        "names": json.dumps(context.get("names", {})),
    }
    part = "result" if request.htmx.target == "rows-result" else "panel"
    return render(request, f"metrics/rows.html#{part}", context)


def _judged(
    request: StudioRequest, project: Project, kind: str, chosen: Sources
) -> dict[str, Any]:
    """The rows, and what is said of them: scores, or what is wrong with the settings."""
    form = settings_form(kind, request.POST)
    judge = JudgeForm(request.POST, project=project, kind=kind)
    told = [sentence for one in (form, judge) if not one.is_valid() for sentence in sentences(one)]
    params = {} if told else form.params()
    target = str(params.get("field") or request.POST.get("field", ""))
    context = _about(chosen, target, _skip(request))
    try:
        context["rows"] = rows = read_rows(chosen, metric_field=target, skip=context["skip"])
    except (Invalid, NotFound) as error:
        return {**context, "error": str(error)}
    context["more"] = len(rows) == ROWS
    if isinstance(form, PartsForm) and form.is_step:
        return context
    if told:
        return {**context, "error": " ".join(told)}
    connection, ask = judge.cleaned_data.get("judge"), "ask" in request.POST
    rows_of = [chosen.dataset.fingerprint, chosen.split, chosen.source, context["skip"]]
    wish = content_hash([kind, params, connection.pk if connection else None, rows_of])
    if not ask and request.POST.get("rows_asked") == wish:
        # What a judge said of these settings stands there, and nobody has changed them.
        return {**context, "is_known": True}
    try:
        verdict = judge_rows(
            actor=request.user,
            project=project,
            kind=kind,
            params=params,
            judge=connection,
            rows=rows,
            ask=ask,
        )
    except (EngineError, Invalid, NotAllowed) as error:
        return {**context, "error": str(error), "lines": _code_lines(request)}
    asked = wish if verdict.asks and verdict.trial else ""
    context |= {"verdict": verdict, "trial": verdict.trial, "asked": asked}
    return {**context, "lines": verdict.trial.lines if verdict.trial else []}


def _about(chosen: Sources, target: str, skip: int) -> dict[str, Any]:
    """What the editor completes, and what a column is taken for."""
    named = columns_by_field(chosen.dataset, chosen.fields)
    answers = outputs_of(named, chosen, target)
    return {
        "skip": skip,
        "next": skip + ROWS,
        "before": max(0, skip - ROWS),
        "names": {"example": sorted(named), "prediction": sorted({*answers, target} - {""})},
        "stands_for": stands_for(chosen, target) if chosen.source.startswith(COLUMN) else "",
    }


def _code_lines(request: StudioRequest) -> list[dict[str, Any]]:
    """Where code cannot be read, for the editor."""
    problem = find_problem(request.POST["code"]) if "code" in request.POST else None
    if problem is None or problem.line is None:
        return []
    return [{"line": problem.line, "message": problem.message}]


def _skip(request: StudioRequest) -> int:
    """How many rows stand before the ten; other rows begin at the first."""
    if request.htmx.target == "rows-panel" and "ask" not in request.POST:
        return 0
    return min(read_whole(request.POST.get("rows_skip")) or 0, _MOST_SKIPPED)


def _kept(request: StudioRequest) -> list[tuple[str, str]]:
    """The settings that were posted, to be posted again."""
    return [
        (name, value)
        for name, values in request.POST.lists()
        if not name.startswith("rows_") and name not in ("csrfmiddlewaretoken", "ask")
        for value in values
    ]
