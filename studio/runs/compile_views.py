"""The compile form: choose data, LMs, compiler and budget; see what it would take; start."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from studio.accounts.models import Project, Role
from studio.engine.errors import EngineError
from studio.engine.graph import build
from studio.errors import Invalid, NotFound, StudioError
from studio.http import StudioRequest
from studio.pipelines.models import Pipeline
from studio.pipelines.services import get_pipeline, problems_of
from studio.runs import services
from studio.runs.choosing import advice, compiler_groups
from studio.runs.estimates import Bar, Caps, cautions, make_outlook
from studio.runs.forms import CompileForm
from studio.runs.leaks import Leaks
from studio.runs.models import Artifact, Run
from studio.runs.openings import notice
from studio.runs.prefill import initial_data
from studio.runs.roles import released_artifact


@require_http_methods(["GET", "POST"])
def compile_pipeline(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """The form; `?run=` opens it as that run was, `?artifact=` to improve that artifact.

    Without JavaScript the button `preview` shows the settings and the estimate.
    """
    pipeline = get_pipeline(user=request.user, project=project, slug=slug, role=Role.AUTHOR)
    missing = missing_for_runs(pipeline.project)
    problems = problems_of(pipeline.spec, pipeline.project)
    context: dict[str, Any] = {
        "project": pipeline.project,
        "pipeline": pipeline,
        "problems": problems,
        "missing": missing,
    }
    if missing or problems:
        return render(request, "runs/compile.html", context)
    started = request.method == "POST" and "preview" not in request.POST
    if request.method == "POST":
        form = CompileForm(request.POST, pipeline=pipeline)
    else:
        run, artifact = _asked_for(request, pipeline)
        form = CompileForm(initial_data(pipeline, run=run, start=artifact), pipeline=pipeline)
        context["improved"] = artifact
    if started and form.is_valid():
        try:
            return _start(request, pipeline, form)
        except Invalid as error:
            form.refuse(error)
            context["fix_url"] = error.extra.get("url")
    context |= {"form": form, "groups": compiler_groups(), "advice": advice(), "tell": started}
    context |= _estimate(pipeline, form)
    failed = started and bool(form.problems)
    return render(request, "runs/compile.html", context, status=422 if failed else 200)


@require_GET
def compile_estimate(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """What the form as it stands would take; with it what a new choice changes on the form."""
    pipeline = get_pipeline(user=request.user, project=project, slug=slug, role=Role.AUTHOR)
    form = CompileForm(request.GET, pipeline=pipeline)
    filled = request.GET.get("filled", "")
    context: dict[str, Any] = {
        "project": pipeline.project,
        "pipeline": pipeline,
        "form": form,
        "new_compiler": filled.partition("/")[0] != form.kind.name,
        "new_preset": filled != form.settings.filled,
        "new_settings": filled != form.settings.filled and not form.settings.form.is_bound,
        **_estimate(pipeline, form),
    }
    return render(request, "runs/_estimated.html", context)


def _start(request: StudioRequest, pipeline: Pipeline, form: CompileForm) -> HttpResponse:
    students = form.students()
    if len(students) == 1:
        return redirect(
            services.start_compile(
                actor=request.user, pipeline=pipeline, connection=students[0], **form.options()
            )
        )
    runs = services.start_matrix(
        actor=request.user, pipeline=pipeline, connections=students, **form.options()
    )
    messages.success(request, f"{len(runs)} compiles are queued, one for each language model.")
    return redirect("runs:matrix", pipeline.project.slug, runs[0].matrix)


def _estimate(pipeline: Pipeline, form: CompileForm) -> dict[str, Any]:
    """The outlooks of all students, and what does not go together with the caps."""
    if not form.is_valid():
        return {}
    options = form.options()
    names = ("dataset", "metric", "compiler", "params", "teacher", "teacher_artifact", "proposer")
    choice = {name: options[name] for name in names}
    try:
        program = build(pipeline.spec)
        release = released_artifact(pipeline, program)
        leaks = Leaks(program, options["dataset"])
        outlooks = [
            make_outlook(program=program, connection=student, release=release, **choice)
            for student in form.students()
        ]
    except (StudioError, EngineError) as error:
        return {"problem": str(error)}
    caps = Caps(
        calls=options["max_calls"],
        tokens=options["max_tokens"],
        dollars=options["max_cost"],
        seconds=options["max_seconds"],
    )
    return {
        "opening": notice(options["dataset"], pipeline),
        "leaks": leaks,
        "outlooks": outlooks,
        "outlook": outlooks[0],
        "bar": Bar.of(outlooks[0].calls, options["max_calls"]),
        "total": sum(outlook.calls.expected for outlook in outlooks),
        "cautions": list(
            dict.fromkeys(caution for outlook in outlooks for caution in cautions(outlook, caps))
        ),
    }


def _asked_for(request: StudioRequest, pipeline: Pipeline) -> tuple[Run | None, Artifact | None]:
    """The run and the artifact that the address names; raises `NotFound`."""
    project = pipeline.project
    artifact = None
    if hash_ := request.GET.get("artifact"):
        artifact = Artifact.objects.filter(project=project, hash=hash_).first()
        if artifact is None:
            raise NotFound(f"There is no such artifact in {project.name}.")
    run = _compile_of(artifact) if artifact else None
    if pk := request.GET.get("run"):
        try:
            run = project.runs.filter(pk=pk, kind=Run.Kind.COMPILE).first()
        except ValidationError:
            run = None
        if run is None:
            raise NotFound(f"There is no such compile in {project.name}.")
    return run, artifact


def _compile_of(artifact: Artifact) -> Run | None:
    """The compile that the artifact, or the one it was edited from, came out of."""
    one: Artifact | None = artifact
    while one is not None:
        if one.run is not None and one.run.kind == Run.Kind.COMPILE:
            return one.run
        one = one.parent
    return None


def missing_for_runs(project: Project) -> list[tuple[str, str]]:
    """What has to be made before anything can be compiled or evaluated: (sentence, address)."""
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
