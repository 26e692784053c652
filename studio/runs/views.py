"""Pages of runs: the list, one run with its live progress, several as a matrix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from studio.accounts.models import Role
from studio.accounts.services import get_project, may
from studio.datasets.models import Split
from studio.datasets.splits.sealing import Hidden
from studio.engine.compilers import COMPILERS
from studio.engine.example import Candidate
from studio.errors import NotFound
from studio.http import StudioRequest
from studio.runs import services
from studio.runs.charts import draw_lineage, draw_race
from studio.runs.comparison import WAYS, Pair, compare
from studio.runs.evaluations.asked import Asked
from studio.runs.matrix import draw_scatter, read_matrix
from studio.runs.meters import read_meters
from studio.runs.models import Artifact, Run
from studio.runs.progress import read_progress
from studio.runs.states import State

PAGE = 25
ASKED_PAGE = 50


@require_GET
def runs(request: StudioRequest, project: str) -> HttpResponse:
    """What workers did and do, newest first."""
    found = get_project(user=request.user, slug=project)
    kind, state = request.GET.get("kind", ""), request.GET.get("state", "")
    rows = found.runs.select_related(
        "version__pipeline", "connection", "dataset", "created_by", "project"
    ).defer("report", "live")
    if kind in Run.Kind.values:
        rows = rows.filter(kind=kind)
    if state in State.values:
        rows = rows.filter(state=state)
    context = {
        "project": found,
        "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "kinds": Run.Kind.choices,
        "states": State.choices,
        "kind": kind,
        "state": state,
        "query": f"kind={kind}&state={state}&",
        "pipelines": found.pipelines.all()[:20],
        "may_write": may(user=request.user, project=found, role=Role.AUTHOR),
    }
    return render(request, "runs/list.html", context)


@require_GET
def run(request: StudioRequest, project: str, run: UUID) -> HttpResponse:
    """One run: its progress while it goes on, its result when it has ended."""
    found = get_run(request, project, run)
    if Asked.of(found) is not None:
        from studio.runs.evaluation_views import evaluation_page

        return evaluation_page(request, found)
    context = _run_context(request, found)
    if request.htmx and "live" in request.GET:
        return render(request, "runs/run.html#live", {**context, "polled": True})
    return render(request, "runs/run.html", context)


@require_POST
def cancel(request: StudioRequest, project: str, run: UUID) -> HttpResponse:
    """Stop a run."""
    found = get_run(request, project, run)
    services.cancel(actor=request.user, run=found)
    messages.success(request, "The run is being stopped; what was scored is kept.")
    return redirect(found)


@require_POST
def pause(request: StudioRequest, project: str, run: UUID) -> HttpResponse:
    """Put a run aside."""
    found = get_run(request, project, run)
    services.pause(actor=request.user, run=found)
    return _as_it_is_now(request, found)


@require_POST
def resume(request: StudioRequest, project: str, run: UUID) -> HttpResponse:
    """Have a paused run go on."""
    found = get_run(request, project, run)
    services.resume(actor=request.user, run=found)
    return _as_it_is_now(request, found)


@require_GET
def asked(request: StudioRequest, project: str, run: UUID) -> HttpResponse:
    """What LMs were asked since the event `after`; a fragment that asks for what follows."""
    found = get_run(request, project, run)
    context = asked_context(found, request.GET.get("after", "0"))
    return render(request, "runs/_asked.html", context)


@require_GET
def matrix(request: StudioRequest, project: str, matrix: UUID) -> HttpResponse:
    """The same compile for several LMs: score, cost and latency side by side."""
    found = get_project(user=request.user, slug=project)
    table = read_matrix(found, matrix)
    if table is None:
        raise NotFound(f"There is no such matrix in {found.name}.")
    context = {
        "project": found,
        "matrix": table,
        "scatters": [draw_scatter(table, axis) for axis in ("cost", "latency")],
    }
    if request.htmx and "live" in request.GET:
        return render(request, "runs/matrix.html#live", context)
    return render(request, "runs/matrix.html", context)


@require_GET
def rows(request: StudioRequest, project: str, run: UUID) -> HttpResponse:
    """The held-out rows of a run, those that went one way; a fragment."""
    found = get_run(request, project, run)
    return render(request, "runs/_rows.html", rows_context(request, found))


def rows_context(request: StudioRequest, run: Run) -> dict[str, Any]:
    """The held-out rows that got better, worse, or stayed, one page of them."""
    found = compare(
        run,
        _plain_hash(run),
        run.report.get("compared", ""),
        split=run.report.get("split", "test"),
    )
    way = request.GET.get("way", "")
    if way not in WAYS:
        way = next((one for one in ("worse", "better", "same") if found.having(one)), "same")
    page = Paginator(found.having(way), PAGE).get_page(request.GET.get("page"))
    return {
        "run": run,
        "project": run.project,
        "way": way,
        "counts": found.counts,
        "page": page,
        "hidden": _hidden(run, page),
        "outputs": [field["name"] for field in _outputs(run.version.spec)],
        "inputs": [field["name"] for field in _ends(run.version.spec, "input")],
    }


def get_run(request: StudioRequest, project: str, pk: UUID) -> Run:
    """The run, if the user is a member of its project; raises `NotFound`."""
    found = get_project(user=request.user, slug=project)
    run = (
        found.runs.select_related(
            *("project", "version__pipeline", "connection", "dataset", "metric", "created_by"),
            "metric_version",
            *("teacher", "proposer", "teacher_artifact", "start_artifact"),
        )
        .defer(
            *("version__spec", "teacher_artifact__content", "teacher_artifact__report"),
            *("start_artifact__content", "start_artifact__report"),
        )
        .filter(pk=pk)
        .first()
    )
    if run is None:
        raise NotFound(f"There is no such run in {found.name}.")
    return run


def _hidden(run: Run, page: Iterable[Pair]) -> set[int | None]:
    """Numbers of the rows that stand in a sealed test split: of these only scores are shown."""
    if run.dataset is None or not run.dataset.sealed:
        return set()
    hidden = Hidden(run.dataset)
    return {
        pair.number
        for pair in page
        if pair.after.split == Split.TEST or (pair.number and hidden.number(pair.number))
    }


def _as_it_is_now(request: StudioRequest, run: Run) -> HttpResponse:
    """The run after somebody has touched it: its part of the page, or the page."""
    if not request.htmx:
        return redirect(run)
    run.refresh_from_db()
    context = {**_run_context(request, run), "polled": True, "redraw": True}
    return render(request, "runs/run.html#live", context)


def _run_context(request: StudioRequest, run: Run) -> dict[str, Any]:
    final = State(run.state).is_final
    context: dict[str, Any] = {
        "project": run.project,
        "run": run,
        "final": final,
        "polled": False,
        "phase": (phase := phase_of(run)),
        "redraw": request.GET.get("was", "") != phase,
        "may_write": may(user=request.user, project=run.project, role=Role.AUTHOR),
    }
    if run.kind == Run.Kind.TRY:
        return context
    progress = read_progress(run)
    whole = "all" in request.GET
    context |= {
        "progress": progress,
        "meters": read_meters(run, progress.elapsed, int(progress.planned.get("calls") or 0)),
        "race": draw_race(progress, whole=whole),
        "whole": whole,
        "lineage": draw_lineage(progress.candidates),
        "compiler": COMPILERS.get(run.compiler),
    }
    if not _is_polled(request):
        context |= asked_context(run, "0")
    if run.report.get("difference"):
        artifact = Artifact.objects.filter(
            project=run.project, hash=run.report["artifact"]
        ).first()
        context |= {
            "artifact": artifact,
            "review": getattr(artifact, "review", None) if artifact else None,
            "rows": rows_context(request, run),
        }
    return context


def phase_of(run: Run) -> str:
    """What the buttons depend on: they are drawn anew only when it changes."""
    wish = "cancel" if run.cancel_requested else "pause" if run.pause_requested else ""
    return f"{run.state}-{wish}"


def _is_polled(request: StudioRequest) -> bool:
    """Whether only the part that changes is asked for."""
    return bool(request.htmx) and "live" in request.GET


def asked_context(run: Run, after: str) -> dict[str, Any]:
    """A page of what LMs were asked after that event."""
    known = int(after) if after.isdecimal() and len(after) < 10 else 0
    events = list(run.events.filter(kind="asked", number__gt=known)[: ASKED_PAGE + 1])
    shown = events[:ASKED_PAGE]
    return {
        "run": run,
        "project": run.project,
        "questions": shown,
        "after": shown[-1].number if shown else known,
        "more_asked": len(events) > ASKED_PAGE,
        "final": State(run.state).is_final,
    }


def _plain_hash(run: Run) -> str:
    from studio.pipelines.services import build

    plain: Candidate = build(run.version).candidate()
    return plain.hash


def _outputs(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return _ends(spec, "output")


def _ends(spec: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [field for node in spec["nodes"] if node["kind"] == kind for field in node["fields"]]
