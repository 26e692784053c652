"""Pages of releases: what is in force, what was before, going back."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from studio.accounts.models import Project, Role
from studio.accounts.services import get_project, may
from studio.errors import NotFound
from studio.http import StudioRequest
from studio.reviews import releases as services
from studio.reviews.models import Release, Review
from studio.reviews.snippets import curl_snippet, python_snippet
from studio.reviews.states import State

_HISTORY = 20


@require_GET
def releases(request: StudioRequest, project: str) -> HttpResponse:
    """Every label with what it points to, its history, and how to call it."""
    found = get_project(user=request.user, slug=project)
    approved = Review.objects.filter(project=found, state=State.APPROVED, artifact__releases=None)
    context = {
        "project": found,
        "labels": [_label(request, found, rows) for rows in _by_label(found)],
        "waiting": approved.select_related("artifact__version__pipeline", "project"),
        "may_release": may(user=request.user, project=found, role=Role.REVIEWER),
        "may_evaluate": may(user=request.user, project=found, role=Role.AUTHOR),
    }
    return render(request, "reviews/releases.html", context)


@require_POST
def release(request: StudioRequest, project: str, pk: int) -> HttpResponse:
    """Point a label to the artifact of an approved review."""
    found = get_project(user=request.user, slug=project)
    review = found.reviews.select_related("artifact__version").filter(pk=pk).first()
    if review is None:
        raise NotFound(f"There is no such review in {found.name}.")
    made = services.release(
        actor=request.user,
        artifact=review.artifact,
        label=request.POST.get("label") or "production",
    )
    messages.success(request, f"{made.label} of {made.pipeline} is {made.artifact} now.")
    return redirect("reviews:releases", project)


@require_POST
def roll_back(request: StudioRequest, project: str, pk: int) -> HttpResponse:
    """Point a label to what an earlier release pointed to."""
    found = get_project(user=request.user, slug=project)
    earlier = found.releases.select_related("artifact__version", "artifact__project").filter(pk=pk)
    to = earlier.first()
    if to is None:
        raise NotFound(f"There is no such release in {found.name}.")
    made = services.roll_back(actor=request.user, to=to)
    messages.success(request, f"{made.label} of {made.pipeline} is {made.artifact} again.")
    return redirect("reviews:releases", project)


def _by_label(project: Project) -> list[list[Release]]:
    rows = project.releases.select_related(
        "pipeline", "artifact__connection", "artifact__review", "released_by"
    ).order_by("pipeline__name", "pipeline_id", "label", "-released_at", "-pk")
    return [
        list(group) for _, group in groupby(rows, key=lambda row: (row.pipeline_id, row.label))
    ]


def _label(request: StudioRequest, project: Project, rows: list[Release]) -> dict[str, Any]:
    now = rows[0]
    path = reverse("api:serving:predict", args=[project.slug, now.pipeline.slug, now.label])
    fields = [
        field["name"]
        for node in now.artifact.content["spec"]["nodes"]
        if node["kind"] == "input"
        for field in node["fields"]
    ]
    url = request.build_absolute_uri(path)
    body = {"inputs": dict.fromkeys(fields, "…")}
    return {
        "now": now,
        "earlier": rows[1:_HISTORY],
        "curl": curl_snippet(url, body),
        "python": python_snippet(url, body),
        "calls": now.calls.count(),
    }
