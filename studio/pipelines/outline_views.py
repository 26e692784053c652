"""The outline: a pipeline in words, and every edit of it as a plain form."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from studio.accounts.models import Role
from studio.engine.errors import EngineError
from studio.engine.graph import check, edits
from studio.engine.graph.edits import At, Spec
from studio.errors import Conflict, Invalid, NotFound, StudioError
from studio.http import StudioRequest
from studio.numerals import read_whole
from studio.pipelines import outline as words
from studio.pipelines import outline_undo, services
from studio.pipelines.edit_services import Edit, Edited, edit_pipeline
from studio.pipelines.models import Pipeline
from studio.pipelines.outline_edits import STEP_OPS, read_edit
from studio.pipelines.outline_forms import unfolded
from studio.pipelines.outline_page import (
    Refused,
    Shown,
    outline_context,
    query,
    shown_steps,
)
from studio.pipelines.revisions import spec_at

_MOST_REVISION = 2**31 - 1


@require_GET
def outline(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """The steps of a pipeline in the order in which values flow."""
    pipeline = services.get_pipeline(user=request.user, project=project, slug=slug)
    at = _read_at(request.GET)
    opened = request.GET.getlist("open")
    unfold = frozenset(request.GET.get("unfold", "").split(","))
    context = outline_context(request, pipeline, at=at, opened=opened, unfold=unfold)
    one = request.GET.get("section", "")
    if request.htmx and one:
        found = next((step for step in context["shown"] if step.section.id == one), None)
        if found is None:
            raise Invalid("That step is gone: reload the page.")
        return render(request, "pipelines/outline.html#step", {**context, "step": found})
    return render(request, "pipelines/outline.html", context)


@require_POST
def edit(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """One edit: whatever a form of the outline asks for."""
    pipeline = services.get_pipeline(
        user=request.user, project=project, slug=slug, role=Role.AUTHOR
    )
    post = request.POST
    base = _revision(post, "now", "revision")
    at = _read_at(post)
    try:
        before = _made_of(pipeline, _revision(post, "began", "now", "revision"))
        asked = read_edit(post, before, pipeline.project)
        edited = edit_pipeline(
            actor=request.user, pipeline=pipeline, base_revision=base, edit=asked
        )
    except (Conflict, Invalid, NotFound, EngineError) as error:
        pipeline.refresh_from_db()
        return _refused(request, pipeline, at, error)
    return _done(request, edited, asked, before)


@require_POST
def history(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Undo or redo."""
    pipeline = services.get_pipeline(
        user=request.user, project=project, slug=slug, role=Role.AUTHOR
    )
    act = outline_undo.redo if request.POST.get("op") == "redo" else outline_undo.undo
    base = _revision(request.POST, "now", "revision")
    at = _read_at(request.POST)
    try:
        saved = act(
            session=request.session, actor=request.user, pipeline=pipeline, base_revision=base
        )
    except (Conflict, Invalid) as error:
        pipeline.refresh_from_db()
        return _refused(request, pipeline, at, error)
    said = "Done again." if act is outline_undo.redo else "The last change is undone."
    at = _way_left(saved, at)
    if not request.htmx:
        messages.success(request, said)
        return redirect(_address(saved, at))
    context = outline_context(request, saved, at=at, opened=request.POST.getlist("open"))
    return render(request, "pipelines/outline.html#follows", {**context, "said": said})


def _done(request: StudioRequest, edited: Edited, asked: Edit, before: Spec) -> HttpResponse:
    """The page after an edit, at the step that it was about."""
    pipeline = edited.pipeline
    said = asked.said if edited.changed else "Nothing was changed."
    node = _place(pipeline, asked, before)
    unfold: frozenset[str] = frozenset()
    if "form" in request.POST:
        unfold = unfolded(edits.level_at(before, asked.at), asked.nodes[0], request.POST)
    if not request.htmx:
        messages.success(request, said)
        if edited.others:
            messages.warning(request, _in_the_meantime(edited))
        is_new = node and node not in asked.nodes
        stays = node and (is_new or asked.nodes[:1] == (node,))
        more = {"open": node, "unfold": ",".join(sorted(unfold))} if stays else {}
        place = words.anchor(node) if node else "steps"
        return redirect(f"{_address(pipeline, asked.at, **more)}#{place}")
    opened = {*request.POST.getlist("open"), *([node] if node not in asked.nodes else [])}
    context = outline_context(request, pipeline, at=asked.at, opened=opened, unfold=unfold)
    if not edited.others:
        context["shown"] = _left_alone(context["shown"], asked, before, pipeline, opened)
    context |= {"said": said, "others": edited.others, "by": edited.by}
    return render(request, "pipelines/outline.html#follows", context)


def _left_alone(
    shown: list[Shown], asked: Edit, before: Spec, pipeline: Pipeline, opened: Collection[str]
) -> list[Shown]:
    """The steps, those marked that look as they did: what is being typed in them stays."""
    try:
        old = shown_steps(before, asked.at, check(before), pipeline.project, opened)
    except EngineError:
        return shown
    was = {step.section.id: step for step in old}
    return [
        replace(step, kept=step.section.id not in asked.nodes and was.get(step.section.id) == step)
        for step in shown
    ]


def _refused(request: StudioRequest, pipeline: Pipeline, at: At, error: Exception) -> HttpResponse:
    """The page again, with what was typed and the reason; the form now stands on what is saved."""
    post = request.POST
    node = post.get("node", "") if post.get("op", "save").partition(":")[0] in STEP_OPS else ""
    at = _way_left(pipeline, at)
    is_there = node and node in _ids(pipeline, at)
    conflict = error if isinstance(error, Conflict) else None
    refused = Refused(node, str(error), post) if is_there and "form" in post else None
    context = outline_context(
        request, pipeline, at=at, opened=post.getlist("open"), refused=refused
    )
    context |= {
        "error": "" if refused and not conflict else str(error),
        "conflict": conflict,
        "again": _again(post) if conflict and is_there else [],
        "began": post.get("began") or post.get("revision", ""),
    }
    status = error.status if isinstance(error, StudioError) else 422
    template = "pipelines/outline.html#follows" if request.htmx else "pipelines/outline.html"
    return render(request, template, context, status=status)


def _again(post: QueryDict) -> list[tuple[str, str]]:
    """What was sent, to be sent again for the newer revision."""
    mine = ("csrfmiddlewaretoken", "revision", "now", "began")
    return [(key, str(value)) for key in post if key not in mine for value in post.getlist(key)]


def _in_the_meantime(edited: Edited) -> str:
    told = " ".join(edited.others)
    return (
        f"{edited.by or 'Somebody'} has saved in the meantime; your change is made to that. {told}"
    )


def _place(pipeline: Pipeline, asked: Edit, before: Spec) -> str:
    """The node that the page shows next: the new one, or the one that the edit was about."""
    now = _ids(pipeline, asked.at)
    if asked.nodes[:1] and asked.nodes[0] in now and len(asked.nodes) == 1:
        return asked.nodes[0]
    known = {node["id"] for node in edits.level_at(before, asked.at)["nodes"]}
    return next((id_ for id_ in reversed(now) if id_ not in known), "")


def _ids(pipeline: Pipeline, at: At) -> list[str]:
    spec = words.readable(pipeline.spec)
    return [node["id"] for node in edits.level_at(spec, at)["nodes"]] if spec else []


def _way_left(pipeline: Pipeline, at: At) -> At:
    """As much of the way as there still is."""
    spec = words.readable(pipeline.spec)
    for length in range(len(at), 0, -1):
        try:
            edits.level_at(spec or {"nodes": []}, at[:length])
        except EngineError:
            continue
        return at[:length]
    return edits.TOP


def _made_of(pipeline: Pipeline, revision: int) -> Spec:
    """What the form was made of; what is saved now, when that is not kept any more."""
    spec = words.readable(spec_at(pipeline, revision)) or words.readable(pipeline.spec)
    if spec is None:
        raise Invalid("What is saved is no pipeline that can be edited: restore a version.")
    return spec


def _revision(post: QueryDict, *names: str) -> int:
    """The first of these numbers that the form names. Raises `Invalid` when it names none."""
    text = next((str(post[name]) for name in names if post.get(name)), "")
    revision = read_whole(text, _MOST_REVISION)
    if revision is None:
        raise Invalid("The form does not say which revision it was made of: reload the page.")
    return revision


def _read_at(values: QueryDict) -> At:
    try:
        return edits.read_at(values.get("at", ""))
    except EngineError as error:
        raise Invalid(str(error)) from None


def _address(pipeline: Pipeline, at: At, **more: Any) -> str:
    url = reverse("pipelines:outline", args=[pipeline.project.slug, pipeline.slug])
    return url + query(edits.write_at(at), **more)
