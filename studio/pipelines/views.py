"""Pages for pipelines: the list, a new one, the canvas, and what comes in files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from studio.accounts.models import Role
from studio.accounts.services import get_project, may
from studio.errors import Invalid
from studio.http import StudioRequest
from studio.pipelines import services
from studio.pipelines.forms import NameForm, PipelineForm, ProgramForm, StateForm
from studio.pipelines.imports import import_pipeline, take_over_instructions
from studio.pipelines.models import Pipeline
from studio.pipelines.outline import outline as make_outline
from studio.pipelines.outline_page import outline_context
from studio.pipelines.palette import palette
from studio.pipelines.pictures import picture
from studio.pipelines.starts import STARTS, Start

_MOST_NOTES = 8
"""Messages that a page shows about one file."""


@require_GET
def pipelines(request: StudioRequest, project: str) -> HttpResponse:
    """What was drawn in this project."""
    found = get_project(user=request.user, slug=project)
    rows = [
        {
            "pipeline": pipeline,
            "problems": len(services.problems_of(pipeline.spec, pipeline.project)),
            "steps": [
                part for part in make_outline(pipeline.spec) if part.inputs and part.outputs
            ],
        }
        for pipeline in found.pipelines.select_related("project").order_by("-updated_at")
    ]
    context = {"project": found, "rows": rows, "may_write": _may_write(request, found)}
    return render(request, "pipelines/pipelines.html", context)


@require_http_methods(["GET", "POST"])
def new_pipeline(request: StudioRequest, project: str) -> HttpResponse:
    """Name it, choose what to begin with."""
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    form = PipelineForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_pipeline(actor=request.user, project=found, **form.cleaned_data)
        except Invalid as error:
            form.add_error("name", str(error))
        else:
            return redirect(made)
    context = {"project": found, "form": form, "starts": _starts(), "upload": ProgramForm()}
    return render(request, "pipelines/new.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def upload_program(request: StudioRequest, project: str) -> HttpResponse:
    """Make a pipeline of a saved program."""
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    if request.method != "POST":
        return redirect("pipelines:new-pipeline", project)
    form = ProgramForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            made = import_pipeline(
                actor=request.user,
                project=found,
                data=file.read(),
                name=form.cleaned_data["name"],
                filename=file.name,
            )
        except Invalid as error:
            form.add_error("file", str(error))
        else:
            messages.success(request, f"{made.pipeline.name} is drawn as the file says.")
            _tell(request, made.notes)
            return redirect("pipelines:outline", project, made.pipeline.slug)
    context = {"project": found, "form": PipelineForm(), "starts": _starts(), "upload": form}
    return render(request, "pipelines/new.html", context, status=422)


@require_GET
@ensure_csrf_cookie
def canvas(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Draw, try, and go on to compile."""
    pipeline = services.get_pipeline(user=request.user, project=project, slug=slug)
    context = {
        "project": pipeline.project,
        "pipeline": pipeline,
        "data": canvas_data(request, pipeline),
    }
    return render(request, "pipelines/canvas.html", context)


@require_http_methods(["GET", "POST"])
def upload_state(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Take over the instructions of a state that DSPy saved."""
    pipeline = services.get_pipeline(
        user=request.user, project=project, slug=slug, role=Role.AUTHOR
    )
    if request.method != "POST":
        return redirect("pipelines:outline", project, slug)
    form = StateForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            taken = take_over_instructions(
                actor=request.user,
                pipeline=pipeline,
                data=form.cleaned_data["file"].read(),
                base_revision=form.cleaned_data["revision"],
            )
        except Invalid as error:
            form.add_error("file", str(error))
        else:
            if taken.changed:
                messages.success(request, "The instructions are taken over.")
            else:
                messages.info(request, "The drawing says what the file says: nothing changed.")
            _tell(request, taken.notes)
            return redirect("pipelines:outline", project, slug)
    context = outline_context(request, pipeline, upload=form)
    return render(request, "pipelines/outline.html", context, status=422)


@require_POST
def rename(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Give it another name; its address stays."""
    pipeline = services.get_pipeline(
        user=request.user, project=project, slug=slug, role=Role.AUTHOR
    )
    form = NameForm(request.POST)
    if not form.is_valid():
        raise Invalid("A pipeline's name has one to 80 letters.")
    services.rename_pipeline(actor=request.user, pipeline=pipeline, name=form.cleaned_data["name"])
    messages.success(request, f"It is called {pipeline.name} now.")
    return redirect("pipelines:outline", project, slug)


def canvas_data(request: StudioRequest, pipeline: Pipeline) -> dict[str, Any]:
    """What the canvas reads from the page when it starts."""
    project = pipeline.project
    here = [project.slug, pipeline.slug]
    api = reverse("api:pipelines:pipeline", args=here)
    return {
        "project": project.slug,
        "pipeline": pipeline.slug,
        "name": pipeline.name,
        "spec": pipeline.spec,
        "revision": pipeline.revision,
        "problems": services.problems_of(pipeline.spec, pipeline.project),
        "may_write": _may_write(request, project),
        "palette": palette(project),
        "urls": {
            "pipeline": api,
            "try": f"{api}try/",
            "prompts": f"{api}prompts/",
            "code": f"{api}code/",
            "read_code": f"{api}read-code/",
            "runs": f"/api/projects/{project.slug}/runs/",
            "compile": _address("runs:compile", *here),
            "evaluate": _address("runs:evaluate", *here),
            "outline": reverse("pipelines:outline", args=here),
            "versions": reverse("api:pipelines:versions", args=here),
            "revisions": reverse("api:pipelines:revisions", args=here),
            "versions_page": reverse("pipelines:versions", args=here),
            "compare_versions": reverse("pipelines:compare-versions", args=here),
            "sign_in": reverse("accounts:sign-in"),
            "pipelines": reverse("pipelines:pipelines", args=[project.slug]),
            "new_connection": _address("lms:new-connection", project.slug),
        },
    }


def _starts() -> list[tuple[str, Start, SafeString]]:
    """What a new pipeline may begin with: the name, the words, the picture."""
    return [(name, start, picture(start.spec)) for name, start in STARTS.items()]


def _tell(request: StudioRequest, notes: Sequence[str]) -> None:
    """What was not taken over, as messages; a file may hold any number of such things."""
    for note in notes[:_MOST_NOTES]:
        messages.warning(request, note[:500])
    if len(notes) > _MOST_NOTES:
        messages.warning(request, f"And {len(notes) - _MOST_NOTES} more of the kind.")


def _address(name: str, *args: str) -> str:
    """The address of a page of an app above this one; empty where that app is not installed."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def _may_write(request: StudioRequest, project: Any) -> bool:
    return may(user=request.user, project=project, role=Role.AUTHOR)
