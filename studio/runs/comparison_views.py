"""Several evaluations beside a baseline."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from studio.accounts.models import Project
from studio.accounts.services import get_project
from studio.errors import Invalid, NotFound
from studio.http import StudioRequest
from studio.runs.evaluations.charts import SCORES, differences
from studio.runs.evaluations.exports import ends_of
from studio.runs.evaluations.finding import in_full
from studio.runs.evaluations.paired import MOST, Comparison, Flip, compare_runs, flips
from studio.runs.evaluations.results import Results, interval_of
from studio.runs.evaluations.slices import columns_of_run, cut, read_cells
from studio.runs.evaluations.summary import words_of_data, words_of_metric
from studio.runs.models import Run

PAGE = 25


@require_GET
def compare(request: StudioRequest, project: str) -> HttpResponse:
    """`?base=` and up to five times `?run=`; of the rows that flipped those `?of=` and `?way=`."""
    found = get_project(user=request.user, slug=project)
    runs = _runs(found, request)
    context: dict[str, Any] = {"project": found, "runs": runs, "most": MOST}
    try:
        comparison = compare_runs(runs)
    except Invalid as error:
        context["problem"] = str(error)
        return render(request, "runs/evaluations_compared.html", context, status=error.status)
    base = comparison.base
    scale = differences(one.difference for one in comparison.others)
    context |= {
        "comparison": comparison,
        "pipeline": base.run.version.pipeline,
        "data": words_of_data(base.run),
        "metric": words_of_metric(base.run),
        "scale": SCORES,
        "difference_scale": scale,
        "zero": scale.place(0.0),
        "lanes": [
            (entry, entry.results.mean, SCORES.lane(entry.results.mean, entry.letter))
            for entry in comparison.entries
        ],
        "against": [
            (one, scale.lane(one.difference, f"{one.entry.letter} minus {base.letter}"))
            for one in comparison.others
        ],
        "query": _address(runs, request),
        "slice_columns": columns_of_run(base.run),
        **_flips(request, comparison),
        **_slices(request, comparison),
    }
    return render(request, "runs/evaluations_compared.html", context)


def _runs(project: Project, request: StudioRequest) -> list[Run]:
    """The baseline first. Raises `NotFound` for those that are not there."""
    asked = list(dict.fromkeys([*request.GET.getlist("base")[:1], *request.GET.getlist("run")]))
    asked = asked[: MOST + 2]
    rows = project.runs.select_related(
        "version__pipeline",
        "connection",
        "dataset",
        "metric",
        "metric_version",
        "created_by",
        "project",
    )
    try:
        found = {str(run.pk): run for run in rows.filter(pk__in=asked)}
    except ValidationError:
        found = {}
    if missing := [pk for pk in asked if pk not in found]:
        raise NotFound(f"There is no evaluation {missing[0][:40]} in {project.name}.")
    return [found[pk] for pk in asked]


def _address(runs: list[Run], request: StudioRequest) -> str:
    """What the pages of the rows that flipped have in common."""
    kept = {name: request.GET[name] for name in ("of", "way", "by") if request.GET.get(name)}
    named = {"base": str(runs[0].pk), "run": [str(run.pk) for run in runs[1:]], **kept}
    return urlencode(named, doseq=True) + "&"


def _flips(request: StudioRequest, comparison: Comparison) -> dict[str, Any]:
    of, way = request.GET.get("of", ""), request.GET.get("way", "")
    way = way if way in ("better", "worse") else ""
    letters = [one.entry.letter for one in comparison.others]
    place = letters.index(of) if of in letters else 0
    found = flips(comparison, place, way)
    visible = _visible(comparison.base.run, found)
    page = Paginator(visible, PAGE).get_page(request.GET.get("page"))
    inputs, outputs = ends_of(comparison.base.run)
    return {
        "of": letters[place],
        "chosen": comparison.others[place],
        "way": way,
        "page": page,
        "hidden": len(found) - len(visible),
        "inputs": inputs,
        "outputs": outputs,
        "flipped": _in_full(comparison, list(page.object_list)),
    }


def _visible(run: Run, found: list[Flip]) -> list[Flip]:
    seen = Results(tuple(one.base for one in found)).seen_by_people(run).by_example
    return [one for one in found if one.base.example in seen]


def _in_full(comparison: Comparison, page: list[Flip]) -> list[dict[str, Any]]:
    """The rows of a page with the answers of all evaluations."""
    columns = []
    for place, entry in enumerate(comparison.entries):
        rows = [one.base if not place else one.others[place - 1] for one in page]
        shown = in_full(entry.run, [row for row in rows if row is not None])
        columns.append({one.result.example: one for one in shown})
    return [
        {
            "first": columns[0][one.base.example],
            "cells": [(column.get(one.base.example)) for column in columns],
            "example": one.base.example,
        }
        for one in page
    ]


def _slices(request: StudioRequest, comparison: Comparison) -> dict[str, Any]:
    """The means of every evaluation in every slice of a column, as the baseline's rows cut it."""
    by = request.GET.get("by", "")[:200]
    base = comparison.base
    visible = base.results.seen_by_people(base.run)
    cells = read_cells(base.run, visible, by) if by else None
    if cells is None:
        return {"by": ""}
    how, slicer, names = cut(list(cells.values()))
    parts: dict[str, set[str]] = {name: set() for name in names}
    for example, cell in cells.items():
        parts.setdefault(slicer(cell), set()).add(example)
    table = []
    for name, examples in parts.items():
        if not examples:
            continue
        means = [interval_of(entry.results.only(examples).rows) for entry in comparison.entries]
        table.append((name, len(examples), means))
    return {"by": by, "how": how, "slice_table": table}
