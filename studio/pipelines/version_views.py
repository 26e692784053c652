"""Pages of what was saved before: versions, two states beside each other, and the way back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import Truncator
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from studio.accounts.models import Role
from studio.accounts.services import may
from studio.engine.graph.diff import diff_specs
from studio.errors import Conflict, Invalid
from studio.http import StudioRequest
from studio.numerals import read_whole
from studio.pipelines import versions as services
from studio.pipelines.comparing import NOW, compare, read_state
from studio.pipelines.models import Pipeline
from studio.pipelines.pictures import LOOKS, diff_picture
from studio.pipelines.revisions import revisions_of
from studio.pipelines.services import get_pipeline

_A_PAGE = 50
_LISTED = 30
"""So many versions, and so many revisions, can be chosen from a list."""
_LONGEST_CHOICE = 40
"""Letters of a message in that list."""


@require_http_methods(["GET", "POST"])
def versions(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """The versions of a pipeline, its last revisions, and the form that saves a version."""
    pipeline = get_pipeline(user=request.user, project=project, slug=slug)
    message, problem = request.POST.get("message", ""), ""
    if request.method == "POST":
        try:
            made = services.save_version(actor=request.user, pipeline=pipeline, message=message)
        except Invalid as error:
            problem = str(error)
        else:
            messages.success(request, f"The board is kept as version {made.number}.")
            return redirect("pipelines:versions", project, slug)
    listed = services.versions_of(pipeline).defer("spec")
    current = services.current_version(pipeline)
    context = {
        **_context(request, pipeline),
        "page": Paginator(listed, _A_PAGE).get_page(request.GET.get("page")),
        "revisions": revisions_of(pipeline).defer("spec"),
        "current": current,
        "message": message,
        "problem": problem,
        "longest": services.LONGEST_MESSAGE,
    }
    return render(request, "pipelines/versions.html", context, status=422 if problem else 200)


@require_GET
def compare_page(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """What differs between two states, in words and as a picture."""
    pipeline = get_pipeline(user=request.user, project=project, slug=slug)
    before = read_state(pipeline, request.GET.get("from") or _usual(pipeline))
    after = read_state(pipeline, request.GET.get("to") or NOW)
    changes = diff_specs(before.spec, after.spec)
    context = {
        **_context(request, pipeline),
        "before": before,
        "after": after,
        "comparison": compare(changes),
        "picture": diff_picture(before.spec, after.spec, changes),
        "looks": [LOOKS[mark] for mark in ("added", "removed", "changed")],
        "states": [state for state in (before, after) if state.key != NOW],
        "choices": _choices(pipeline, before.key, after.key),
    }
    template = "pipelines/compare.html#comparison" if request.htmx else "pipelines/compare.html"
    return render(request, template, context)


@require_POST
def restore(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Draw what a version or a revision holds."""
    pipeline = get_pipeline(user=request.user, project=project, slug=slug, role=Role.AUTHOR)
    state = read_state(pipeline, request.POST.get("state", ""))
    base = read_whole(request.POST.get("base_revision"))
    if state.key == NOW or base is None:
        raise Invalid("A restore names a version or a revision, and the revision of the page.")
    bring_back = (
        services.restore_revision if state.key.startswith("r") else services.restore_version
    )
    try:
        restored = bring_back(
            actor=request.user,
            pipeline=pipeline,
            number=int(state.key.lstrip("r")),
            base_revision=base,
        )
    except Conflict as error:
        messages.warning(request, f"{error} Nothing was restored: look at what is new first.")
        query = urlencode({"from": state.key, "to": NOW})
        return redirect(f"{reverse('pipelines:compare-versions', args=[project, slug])}?{query}")
    if restored.version is None:
        messages.info(request, f"The board shows {state.label} already: nothing changed.")
    else:
        told = f"The board shows {state.label} again."
        if restored.kept:
            told += f" What was there before is version {restored.kept.number}."
        messages.success(request, told)
    return redirect("pipelines:versions", project, slug)


def _usual(pipeline: Pipeline) -> str:
    """What the board is compared with when nobody said: the newest version, or revision."""
    newest = pipeline.versions.values_list("number", flat=True).first()
    if newest is not None:
        return str(newest)
    last = pipeline.revisions.exclude(number=pipeline.revision).first()
    return f"r{last.number}" if last else NOW


def _choices(pipeline: Pipeline, *chosen: str) -> list[tuple[str, str]]:
    """Keys and labels of the states to choose from; those that are chosen are always there."""
    found = {NOW: f"The board now (revision {pipeline.revision})"}
    for number, message in pipeline.versions.values_list("number", "message")[:_LISTED]:
        told = Truncator(message).chars(_LONGEST_CHOICE)
        found[str(number)] = f"Version {number}{': ' if told else ''}{told}"
    for number in pipeline.revisions.values_list("number", flat=True)[:_LISTED]:
        found[f"r{number}"] = f"Revision {number}"
    for key in chosen:
        found.setdefault(
            key, f"{'Revision' if key.startswith('r') else 'Version'} {key.lstrip('r')}"
        )
    return list(found.items())


def _context(request: StudioRequest, pipeline: Pipeline) -> dict[str, Any]:
    project = pipeline.project
    return {
        "project": project,
        "pipeline": pipeline,
        "may_write": may(user=request.user, project=project, role=Role.AUTHOR),
    }
