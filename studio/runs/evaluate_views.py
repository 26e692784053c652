"""Start an evaluation: the form with its estimate, the list of a pipeline's, and going on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from studio.accounts.models import Project, Role
from studio.accounts.services import get_project, may
from studio.engine.errors import EngineError
from studio.errors import Invalid, NotFound, StudioError
from studio.http import StudioRequest
from studio.pipelines.models import Pipeline
from studio.pipelines.services import get_pipeline, problems_of
from studio.runs.compile_views import missing_for_runs
from studio.runs.evaluate_forms import CapsForm, EvaluateForm, initial_data
from studio.runs.evaluations.asked import Asked
from studio.runs.evaluations.outlook import evaluation_cautions, make_evaluation_outlook
from studio.runs.evaluations.paired import MOST
from studio.runs.evaluations.starting import go_on, start_evaluation
from studio.runs.evaluations.subjects import find_subject, program_of_subject
from studio.runs.evaluations.summary import summarise
from studio.runs.models import Run
from studio.runs.openings import notice
from studio.runs.views import get_run

PAGE = 25


@require_http_methods(["GET", "POST"])
def evaluate_pipeline(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """The form; `?run=` opens it as that run was, `?subject=` and `?dataset=` with a choice made.

    Without JavaScript the button `preview` shows the estimate.
    """
    pipeline = get_pipeline(user=request.user, project=project, slug=slug, role=Role.AUTHOR)
    missing = missing_for_runs(pipeline.project)
    problems = problems_of(pipeline.spec, pipeline.project)
    has_versions = pipeline.versions.exists()
    context: dict[str, Any] = {
        "project": pipeline.project,
        "pipeline": pipeline,
        "missing": missing,
        "problems": problems,
        "stuck": bool(missing) or (bool(problems) and not has_versions),
    }
    if context["stuck"]:
        return render(request, "runs/evaluate.html", context)
    started = request.method == "POST" and "preview" not in request.POST
    if request.method == "POST":
        form = EvaluateForm(request.POST, pipeline=pipeline)
    else:
        form = EvaluateForm(_initial(request, pipeline), pipeline=pipeline)
    if started and form.is_valid():
        try:
            return redirect(start_evaluation(actor=request.user, **form.options()))
        except Invalid as error:
            form.refuse(error)
    context |= {"form": form, "tell": started, **_estimate(pipeline, form)}
    failed = started and bool(form.problems)
    return render(request, "runs/evaluate.html", context, status=422 if failed else 200)


@require_GET
def evaluate_estimate(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """What the form as it stands would take; a fragment."""
    pipeline = get_pipeline(user=request.user, project=project, slug=slug, role=Role.AUTHOR)
    form = EvaluateForm(request.GET, pipeline=pipeline)
    context = {
        "project": pipeline.project,
        "pipeline": pipeline,
        "form": form,
        **_estimate(pipeline, form),
    }
    return render(request, "runs/_evaluate_estimate.html", context)


@require_GET
def choose_pipeline(request: StudioRequest, project: str) -> HttpResponse:
    """Which pipeline to evaluate on `?dataset=`; with only one there is nothing to choose."""
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    pipelines = list(found.pipelines.order_by("name")[:200])
    context = {"project": found, "pipelines": pipelines, "dataset": request.GET.get("dataset", "")}
    return render(request, "runs/evaluate_choose.html", context)


@require_GET
def evaluations(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """The evaluations of a pipeline, newest first."""
    pipeline = get_pipeline(user=request.user, project=project, slug=slug)
    rows = pipeline.project.runs.filter(
        kind=Run.Kind.EVALUATE, version__pipeline=pipeline
    ).select_related(
        "version__pipeline",
        "connection",
        "dataset",
        "metric",
        "metric_version",
        "created_by",
        "project",
    )
    page = Paginator(rows.defer("version__spec", "live"), PAGE).get_page(request.GET.get("page"))
    context = {
        "project": pipeline.project,
        "pipeline": pipeline,
        "page": page,
        "lines": [summarise(run) for run in page.object_list],
        "most": MOST,
        "may_write": may(user=request.user, project=pipeline.project, role=Role.AUTHOR),
    }
    return render(request, "runs/evaluations.html", context)


@require_POST
def raise_caps(request: StudioRequest, project: str, run: UUID) -> HttpResponse:
    """Let an evaluation that has reached a cap go on."""
    found = get_run(request, project, run)
    form = CapsForm(request.POST)
    if not form.is_valid():
        told = [str(error) for errors in form.errors.values() for error in errors]
        raise Invalid(" ".join(told), problems=told)
    go_on(
        actor=request.user,
        run=found,
        max_calls=form.cleaned_data["max_calls"],
        max_cost=form.cleaned_data["max_cost"],
    )
    messages.success(request, "It goes on where it was; no row is answered twice.")
    return redirect(found)


def _initial(request: StudioRequest, pipeline: Pipeline) -> dict[str, Any]:
    """What the form opens with; raises `NotFound` for what the address names and is not there."""
    subject = request.GET.get("subject", "")
    if subject:
        find_subject(pipeline, subject)
    run = None
    if pk := request.GET.get("run"):
        run = _run_of(pipeline.project, pipeline, pk)
    return initial_data(pipeline, run=run, subject=subject, dataset=request.GET.get("dataset", ""))


def _run_of(project: Project, pipeline: Pipeline, pk: str) -> Run:
    try:
        run = project.runs.filter(
            pk=pk, kind=Run.Kind.EVALUATE, version__pipeline=pipeline
        ).first()
    except ValidationError:
        run = None
    if run is None or Asked.of(run) is None:
        raise NotFound(f"There is no such evaluation of {pipeline}.")
    return run


def _estimate(pipeline: Pipeline, form: EvaluateForm) -> dict[str, Any]:
    if not form.is_valid():
        return {}
    options = form.options()
    asked: Asked = options["asked"]
    told = {}
    if "test" in asked.judged_on:
        told["opening"] = notice(options["dataset"], pipeline)
    try:
        outlook = make_evaluation_outlook(
            program=program_of_subject(options["subject"], pipeline),
            **{
                name: options[name]
                for name in ("dataset", "metric", "connection", "asked", "number")
            },
        )
    except (StudioError, EngineError) as error:
        return {**told, "problem": str(error)}
    return {
        **told,
        "outlook": outlook,
        "cautions": evaluation_cautions(
            outlook, max_calls=options["max_calls"], max_cost=options["max_cost"]
        ),
    }
