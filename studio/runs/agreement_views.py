"""Pages on which a metric is held against people: its history, one comparison, labelling."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from studio.accounts.models import Project, Role
from studio.accounts.services import get_project, may
from studio.engine.errors import EngineError
from studio.errors import Invalid, NotFound
from studio.http import StudioRequest
from studio.metrics.models import Agreement, Metric
from studio.metrics.scales import SCALES, scale_of
from studio.metrics.services import get_metric
from studio.numerals import read_whole
from studio.runs import agreements as services
from studio.runs.metric_rows import COLUMN, Sources, choose, read_rows

LABELLED = 50
"""Rows that are labelled one after the other."""
_SHOWN = 50
_CHOICE = ("rows_dataset", "rows_split", "rows_source")


@require_http_methods(["GET", "POST"])
def agreements(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """How each version agreed with people; POST asks a worker for another comparison."""
    role = Role.VIEWER if request.method == "GET" else Role.AUTHOR
    found, metric = _find(request, project, slug, role)
    said = request.GET if request.method == "GET" else request.POST
    chosen = _chosen(found, metric, said)
    verdicts = said.get("verdicts", "")
    context: dict[str, Any] = {**_about(request, found, metric, chosen), "verdicts": verdicts}
    if chosen is not None:
        columns = [(f"{COLUMN}{name}", f"Column “{name}”") for name in chosen.dataset.columns]
        context["choices"] = [(services.HERE, "Labelled here"), *columns[:200]]
    if chosen is not None and verdicts:
        try:
            if request.method == "POST":
                made = services.ask(
                    actor=request.user, metric=metric, chosen=chosen, verdicts=verdicts
                )
                return redirect("runs:agreement", found.slug, metric.slug, made.pk)
            context["found"] = services.find(metric, chosen, verdicts)
        except (EngineError, Invalid, NotFound) as error:
            context["error"] = str(error)
    rows = metric.agreements.select_related("version", "created_by").all()[:_SHOWN]
    context["agreements"] = rows
    template = "metrics/agreements.html#ask" if request.htmx else "metrics/agreements.html"
    return render(request, template, context, status=422 if "error" in context else 200)


@require_GET
def agreement(request: StudioRequest, project: str, slug: str, pk: int) -> HttpResponse:
    """One comparison: how far it is, accuracy, κ, who said what, and where they differ."""
    found, metric = _find(request, project, slug)
    one = services.get_agreement(metric, pk)
    if one.state == Agreement.State.WAITING:
        services.kick(one.pk)
    scale = SCALES[one.scale]
    differing = services.disagreements(one) if one.state == Agreement.State.DONE else []
    context = {
        **_about(request, found, metric, None),
        "agreement": one,
        "total": one.rows.count(),
        "done": one.rows.exclude(reason="").count(),
        "table": _table(one),
        "labels": [label.title for label in scale.labels],
        "scale": scale,
        "differing": [
            (row, scale.labels[scale.index(row.human)], scale.labels[scale.index(row.judged or 0)])
            for row in differing[:_SHOWN]
        ],
        "more": max(0, len(differing) - _SHOWN),
        "unscored": one.rows.filter(judged=None).exclude(reason="")[:10],
        "waits": one.state == Agreement.State.WAITING,
    }
    template = "metrics/agreement.html"
    if request.htmx and "live" in request.GET:
        template += "#state"
    return render(request, template, context)


@require_POST
def retry_agreement(request: StudioRequest, project: str, slug: str, pk: int) -> HttpResponse:
    """Go on with a comparison that failed."""
    found, metric = _find(request, project, slug, Role.AUTHOR)
    services.retry(actor=request.user, agreement=services.get_agreement(metric, pk))
    return redirect("runs:agreement", found.slug, metric.slug, pk)


@require_http_methods(["GET", "POST"])
def label_rows(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Up to fifty answers one after the other, each with a person's verdict."""
    role = Role.VIEWER if request.method == "GET" else Role.AUTHOR
    found, metric = _find(request, project, slug, role)
    said = request.GET if request.method == "GET" else request.POST
    chosen = _chosen(found, metric, said)
    context = _about(request, found, metric, chosen)
    if chosen is None:
        return render(request, "metrics/label.html", context)
    try:
        rows = read_rows(
            chosen, metric_field=str(metric.params.get("field") or ""), limit=LABELLED
        )
    except (Invalid, NotFound) as error:
        return render(request, "metrics/label.html", {**context, "error": str(error)}, status=422)
    given = services.given_here(metric, rows)
    at = _place(said.get("at", ""), given)
    if request.method == "POST":
        keys = [services.row_key(row) for row in rows]
        key = request.POST.get("key", "")
        if key not in keys:
            messages.error(request, "This answer has changed since it was shown; look again.")
            return redirect(f"{request.path}?{urlencode(_query(chosen))}")
        at, value = keys.index(key), _value(request.POST.get("value", ""))
        services.label(actor=request.user, metric=metric, row=rows[at], value=value)
        given[at] = value
        following = min(at + 1, len(rows) - 1)
        # Whether all have one is told once, after the last.
        if value is not None and all(one is not None for one in given):
            messages.success(request, f"All {len(rows)} answers have a verdict.")
            query = urlencode({**_query(chosen), "verdicts": services.HERE})
            return redirect(f"{reverse('runs:agreements', args=[found.slug, slug])}?{query}")
        query = urlencode({**_query(chosen), "at": following if value is not None else at})
        return redirect(f"{request.path}?{query}")
    scale = scale_of(metric.params)
    context |= {
        "rows": rows,
        "row": rows[at] if rows else None,
        "key": services.row_key(rows[at]) if rows else "",
        "at": at,
        "number": at + 1,
        "last": len(rows) - 1,
        "given": sum(one is not None for one in given),
        "before": max(0, at - 1),
        "next": at + 1,
        "scale": scale,
        "verdict": given[at] if rows else None,
        "rubric": str(metric.params.get("rubric") or ""),
        "may_label": may(user=request.user, project=found, role=Role.AUTHOR),
    }
    return render(request, "metrics/label.html", context)


def _find(
    request: StudioRequest, project: str, slug: str, role: Role = Role.VIEWER
) -> tuple[Project, Metric]:
    found = get_project(user=request.user, slug=project, role=role)
    return found, get_metric(project=found, slug=slug)


def _chosen(project: Project, metric: Metric, said: QueryDict) -> Sources | None:
    return choose(
        project,
        dataset=said.get("rows_dataset", ""),
        split=said.get("rows_split", ""),
        source=said.get("rows_source", ""),
        wanted=str(metric.params.get("field") or ""),
    )


def _about(
    request: StudioRequest, project: Project, metric: Metric, chosen: Sources | None
) -> dict[str, Any]:
    return {
        "project": project,
        "metric": metric,
        "chosen": chosen,
        "query": urlencode(_query(chosen)) if chosen else "",
        "may_write": may(user=request.user, project=project, role=Role.AUTHOR),
    }


def _query(chosen: Sources) -> dict[str, str]:
    return dict(zip(_CHOICE, (chosen.dataset.slug, chosen.split, chosen.source), strict=True))


def _place(text: str, given: list[float | None]) -> int:
    """The row that is asked for; else the first without a verdict."""
    place = read_whole(text)
    if place is not None and place < len(given):
        return place
    return next((at for at, value in enumerate(given) if value is None), 0)


def _value(text: str) -> float | None:
    if text == "":
        return None
    try:
        return float(text)
    except ValueError:
        raise Invalid("A verdict is a number.") from None


def _table(one: Agreement) -> list[dict[str, Any]]:
    """The confusion matrix, each cell with its share of the row in five shades."""
    scale = SCALES[one.scale]
    matrix = one.result.get("matrix", [])
    return [
        {
            "title": label.title,
            "total": sum(counts),
            "cells": [
                {"count": count, "shade": _shade(count, sum(counts)), "same": column == place}
                for column, count in enumerate(counts)
            ],
        }
        for place, (label, counts) in enumerate(zip(scale.labels, matrix, strict=False))
    ]


def _shade(count: int, total: int) -> int:
    return 0 if not count else min(4, 1 + int(3.99 * count / total))
