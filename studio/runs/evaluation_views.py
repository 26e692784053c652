"""One evaluation: its progress, its rows, its slices, a row in full, and files to take away."""

from __future__ import annotations

import math
from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from studio.accounts.models import Role
from studio.accounts.services import may
from studio.datasets.writing import csv_lines, jsonl_lines
from studio.errors import Conflict, NotFound
from studio.http import StudioRequest, download
from studio.runs.evaluations.asked import Asked
from studio.runs.evaluations.charts import SCORES
from studio.runs.evaluations.exports import columns_of, ends_of, table_rows, whole_rows
from studio.runs.evaluations.finding import (
    CHANGING,
    COLUMNS,
    SORTS,
    Wish,
    find,
    in_full,
)
from studio.runs.evaluations.paired import comparable
from studio.runs.evaluations.results import STATES, Results, read_results
from studio.runs.evaluations.slices import FEWEST, Slices, columns_of_run, read_slices
from studio.runs.evaluations.subjects import words_of_run
from studio.runs.evaluations.summary import words_of_data, words_of_metric
from studio.runs.meters import read_meters
from studio.runs.models import Run
from studio.runs.progress import elapsed_of
from studio.runs.states import State
from studio.runs.views import get_run, phase_of

PAGE = 50
_A_SECOND = 5_000
"""Answers for each of which the page waits a second longer: it reads all of them each time."""


def evaluation_page(request: StudioRequest, run: Run) -> HttpResponse:
    """An evaluation: htmx asks for its parts `live`, `rows` and `slices` by themselves."""
    part = request.GET.get("part_of", "") if request.htmx else ""
    results = read_results(run)
    context = _context(request, run, results)
    if part == "live":
        answer = render(request, "runs/evaluation.html#live", {**context, "polled": True})
        if context["still"]:
            answer["HX-Refresh"] = "true"  # the whole page: its rows and buttons have changed too
        return answer
    context |= _rows(request, run, results)
    template = {"rows": "#rows", "slices": "#slices"}.get(part, "")
    return render(request, f"runs/evaluation.html{template}", context)


@require_GET
def result_row(request: StudioRequest, project: str, run: UUID, example: str) -> HttpResponse:
    """One row with every step of every answer; by htmx a fragment."""
    found = _evaluation(request, project, run)
    shown_rows = in_full(found, [_row(found, example)])
    inputs, outputs = ends_of(found)
    context = {
        "project": found.project,
        "run": found,
        "shown": shown_rows[0],
        "inputs": inputs,
        "outputs": outputs,
        "what": words_of_run(found),
        "several": len(shown_rows[0].answers) > 1,
        "may_write": may(user=request.user, project=found.project, role=Role.AUTHOR),
    }
    template = "runs/evaluation_row.html"
    return render(request, f"{template}#steps" if request.htmx else template, context)


@require_GET
def export(request: StudioRequest, project: str, run: UUID, kind: str) -> StreamingHttpResponse:
    """A file with a line for each answer: `csv`, or `jsonl` with every step."""
    found = _evaluation(request, project, run)
    if kind == "csv":
        lines, type_ = csv_lines(columns_of(found), table_rows(found)), "text/csv"
    elif kind == "jsonl":
        lines, type_ = jsonl_lines(whole_rows(found)), "application/x-ndjson"
    else:
        raise NotFound("An evaluation can be taken away as csv or jsonl.")
    name = f"{found.version.pipeline.slug}-{found.params['split']}-{str(found.pk)[:8]}.{kind}"
    return download(request, lines, name=name, content_type=type_)


def _evaluation(request: StudioRequest, project: str, pk: UUID) -> Run:
    run = get_run(request, project, pk)
    if Asked.of(run) is None:
        raise NotFound("This run is no evaluation of one program.")
    return run


def _row(run: Run, example: str) -> Any:
    result = read_results(run).by_example.get(example)
    if result is None:
        raise NotFound("This evaluation has no such row.")
    if not Results((result,)).seen_by_people(run).rows:
        raise Conflict("The test split is sealed, so its rows are not shown.")
    return result


def _context(request: StudioRequest, run: Run, results: Results) -> dict[str, Any]:
    final = State(run.state).is_final
    plan = run.report.get("plan") or {}
    asked = Asked.of(run)
    repeats = asked.repeats if asked else 1
    total = int(plan.get("rows") or 0) * repeats
    phase = phase_of(run)
    return {
        "project": run.project,
        "run": run,
        "asked": asked,
        "final": final,
        # At a cap nothing moves until somebody has typed a higher one.
        "still": final or (run.state == State.PAUSED and "stopped" in run.report),
        "suggested": _suggested(run, results, total),
        "phase": phase,
        "redraw": request.GET.get("was", "") != phase,
        "may_write": may(user=request.user, project=run.project, role=Role.AUTHOR),
        "what": words_of_run(run),
        "data": words_of_data(run),
        "metric": words_of_metric(run),
        "plan": plan,
        "results": results,
        "mean": results.mean,
        "lane": SCORES.lane(results.mean, "Score"),
        "scale": SCORES,
        "total": total,
        "missing": max(0, total - results.answers),
        "meters": read_meters(run, elapsed_of(run)),
        "other": comparable(run),
        "every": _every(results, 3 if run.state == State.PAUSED else 1),
        "every_rows": _every(results, 3),
    }


def _every(results: Results, least: int) -> str:
    """How often a page asks again that reads all answers."""
    return f"{max(least, results.answers // _A_SECOND)}s"


def _suggested(run: Run, results: Results, total: int) -> int:
    """A cap on calls that the rest fits under, by what the answers so far took."""
    each = run.calls / max(1, results.answers)
    return max(run.calls + 1, run.max_calls, math.ceil(1.1 * each * total))


def _rows(request: StudioRequest, run: Run, results: Results) -> dict[str, Any]:
    visible = results.seen_by_people(run)
    wish = Wish.read(request.GET)
    slices = read_slices(run, visible, wish.by) if wish.by else None
    found = find(run, visible, wish, slices)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    inputs, outputs = ends_of(run)
    asked = Asked.of(run)
    return {
        "wish": wish,
        "page": page,
        "shown_rows": in_full(run, list(page.object_list)),
        "counts": visible.counts,
        "changing": sum(row.same is False for row in visible.rows),
        "visible": len(visible.rows),
        "sealed": len(results.rows) - len(visible.rows),
        "states": [*STATES.items(), *_changing(asked)],
        "columns": [name for name in COLUMNS if name not in wish.hide],
        "choices": COLUMNS,
        "sorts": SORTS,
        "inputs": inputs,
        "outputs": outputs,
        "several": bool(asked and asked.repeats > 1),
        "slices": slices,
        "slice_lanes": _lanes(slices),
        "whole": SCORES.lane(visible.mean, "All rows"),
        "slice_columns": columns_of_run(run),
        "fewest": FEWEST,
    }


def _changing(asked: Asked | None) -> list[tuple[str, str]]:
    return [(CHANGING, "Not the same each time")] if asked and asked.repeats > 1 else []


def _lanes(slices: Slices | None) -> list[tuple[Any, Any]]:
    if slices is None:
        return []
    return [(one, SCORES.lane(one.mean, one.name)) for one in slices.slices]
