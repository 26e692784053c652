"""Pages of runs: the list, the compile form, one run with its live progress."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from studio.accounts.models import Project, Role
from studio.accounts.services import get_project, may
from studio.engine.compilers import COMPILERS
from studio.engine.errors import EngineError
from studio.engine.example import Candidate
from studio.errors import Invalid, NotFound, StudioError
from studio.http import StudioRequest
from studio.pipelines.models import Pipeline
from studio.pipelines.services import get_pipeline, problems_of
from studio.runs import services
from studio.runs.charts import draw_chart
from studio.runs.comparison import WAYS, compare
from studio.runs.estimates import make_outlook
from studio.runs.forms import CompileForm
from studio.runs.models import Artifact, Run
from studio.runs.progress import read_progress
from studio.runs.states import State

PAGE = 25


@require_GET
def runs(request: StudioRequest, project: str) -> HttpResponse:
    """What workers did and do, newest first."""
    found = get_project(user=request.user, slug=project)
    kind, state = request.GET.get("kind", ""), request.GET.get("state", "")
    rows = found.runs.select_related(
        "version__pipeline", "connection", "dataset", "created_by", "project"
    ).defer("report")
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


@require_http_methods(["GET", "POST"])
def compile_pipeline(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Choose data, metric, LM, compiler and budget; see the estimate; start."""
    pipeline = get_pipeline(user=request.user, project=project, slug=slug, role=Role.AUTHOR)
    form = CompileForm(request.POST or None, pipeline=pipeline)
    if request.method == "POST" and form.is_valid():
        try:
            run = services.start_compile(
                actor=request.user,
                pipeline=pipeline,
                dataset=form.cleaned_data["dataset"],
                metric=form.cleaned_data["metric"],
                connection=form.cleaned_data["connection"],
                compiler=form.cleaned_data["compiler"],
                params=form.chosen_params.params(),
                seed=form.cleaned_data["seed"],
                max_calls=form.cleaned_data["max_calls"],
            )
        except Invalid as error:
            form.add_error(None, str(error))
        else:
            return redirect(run)
    context = {
        "project": pipeline.project,
        "pipeline": pipeline,
        "form": form,
        "compilers": COMPILERS,
        "problems": problems_of(pipeline.spec),
        "missing": _missing(pipeline.project),
    }
    return render(request, "runs/compile.html", context, status=422 if form.errors else 200)


@require_GET
def compile_estimate(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """What the form as it stands would take, as a fragment."""
    pipeline = get_pipeline(user=request.user, project=project, slug=slug, role=Role.AUTHOR)
    form = CompileForm(request.GET, pipeline=pipeline)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        try:
            context["outlook"] = _outlook(pipeline, form)
            context["max_calls"] = form.cleaned_data["max_calls"]
        except (StudioError, EngineError) as error:
            context["problem"] = str(error)
    return render(request, "runs/compile.html#estimate", context)


@require_GET
def run(request: StudioRequest, project: str, run: UUID) -> HttpResponse:
    """One run: its progress while it goes on, its result when it has ended."""
    found = get_run(request, project, run)
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
        "outputs": [field["name"] for field in _outputs(run.version.spec)],
        "inputs": [field["name"] for field in _ends(run.version.spec, "input")],
    }


def get_run(request: StudioRequest, project: str, pk: UUID) -> Run:
    """The run, if the user is a member of its project; raises `NotFound`."""
    found = get_project(user=request.user, slug=project)
    run = (
        found.runs.select_related(
            "project", "version__pipeline", "connection", "dataset", "metric", "created_by"
        )
        .filter(pk=pk)
        .first()
    )
    if run is None:
        raise NotFound(f"There is no such run in {found.name}.")
    return run


def _run_context(request: StudioRequest, run: Run) -> dict[str, Any]:
    final = State(run.state).is_final
    context: dict[str, Any] = {
        "project": run.project,
        "run": run,
        "final": final,
        "polled": False,
        "may_write": may(user=request.user, project=run.project, role=Role.AUTHOR),
    }
    if run.kind == Run.Kind.TRY:
        return context
    progress = read_progress(run)
    context |= {
        "progress": progress,
        "chart": draw_chart(progress.candidates),
        "compiler": COMPILERS.get(run.compiler),
    }
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


def _plain_hash(run: Run) -> str:
    from studio.pipelines.services import build

    plain: Candidate = build(run.version).candidate()
    return plain.hash


def _outlook(pipeline: Pipeline, form: CompileForm) -> Any:
    from studio.engine.graph import build

    return make_outlook(
        program=build(pipeline.spec),
        dataset=form.cleaned_data["dataset"],
        connection=form.cleaned_data["connection"],
        compiler=form.cleaned_data["compiler"],
        params=form.chosen_params.params(),
    )


def _missing(project: Project) -> list[tuple[str, str]]:
    """What has to be made before anything can be compiled: (sentence, address)."""
    needs = (
        (project.datasets, "a dataset with examples", "datasets:upload"),
        (project.metrics, "a metric", "metrics:new-metric"),
        (project.connections, "a language model", "lms:new-connection"),
    )
    return [
        (what, reverse(name, args=[project.slug]))
        for rows, what, name in needs
        if not rows.exists()
    ]


def _outputs(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return _ends(spec, "output")


def _ends(spec: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [field for node in spec["nodes"] if node["kind"] == kind for field in node["fields"]]
