"""What the outline shows: the steps of one level, those that are being edited with their forms."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from django.http import QueryDict
from django.urls import NoReverseMatch, reverse

from studio.accounts.models import Project, Role
from studio.accounts.services import may
from studio.engine.errors import EngineError
from studio.engine.graph import NODE_KINDS, Problem, check, edits
from studio.engine.graph.edits import At, Spec
from studio.engine.modules import MODULES
from studio.errors import NotFound
from studio.http import StudioRequest
from studio.pipelines import outline as words
from studio.pipelines.forms import StateForm
from studio.pipelines.models import Pipeline
from studio.pipelines.outline_forms import MOST_OPTIONS, StepForm, step_form, unfolded
from studio.pipelines.outline_undo import can_undo, trail

_MOST_OPEN = 50
WAYS = tuple((way, f"arrow-{way}") for way in ("left", "right", "up", "down"))
"""Where a step may move, with the icons."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One step of the page."""

    section: words.Section
    form: StepForm | None = None
    """There when it is being edited."""
    error: str = ""
    """Why what was typed could not be saved."""
    unfold: frozenset[str] = frozenset()
    """The parts of the form that are open."""
    kept: bool = False
    """The page that asks has it as it is: it is left alone there."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A form that could not be taken, to be shown again with what was typed."""

    node: str
    error: str
    posted: QueryDict


def outline_context(
    request: StudioRequest,
    pipeline: Pipeline,
    *,
    at: At = edits.TOP,
    opened: Collection[str] = (),
    unfold: frozenset[str] = frozenset(),
    refused: Refused | None = None,
    upload: StateForm | None = None,
) -> dict[str, Any]:
    """Everything of the page. Raises `NotFound` when the way leads to no pipeline."""
    project = pipeline.project
    here = [project.slug, pipeline.slug]
    may_write = may(user=request.user, project=project, role=Role.AUTHOR)
    problems = check(pipeline.spec)
    spec = words.readable(pipeline.spec)
    at_text = edits.write_at(at)
    context: dict[str, Any] = {
        "project": project,
        "pipeline": pipeline,
        "may_write": may_write,
        "upload": upload or StateForm(initial={"revision": pipeline.revision}),
        "problems": words.troubles(problems),
        "at": at_text,
        "edit_url": reverse("pipelines:outline-edit", args=here),
        "history_url": reverse("pipelines:outline-history", args=here),
        "try_url": _address("runs:outline-try", *here),
        "versions_url": _address("pipelines:versions", *here),
        "canvas_url": pipeline.get_absolute_url() + on_canvas(at),
        "canvas_way": pipeline.get_absolute_url() + on_canvas(at, ""),
        "can_undo": may_write and can_undo(request.session, pipeline),
        "can_redo": may_write and bool(trail(request.session, pipeline).redo),
        "shown": [],
        "ways": WAYS,
    }
    if spec is None:
        return context
    try:
        level = edits.level_at(spec, at)
        context["crumbs"] = words.crumbs(spec, at)
    except EngineError as error:
        raise NotFound(str(error)) from None
    shown = shown_steps(spec, at, problems, project, opened if may_write else (), refused)
    return context | {
        "shown": [replace(one, unfold=one.unfold | unfold) if one.form else one for one in shown],
        "notes": level.get("notes", []),
        "kinds": kind_groups(),
        "missing_ends": [
            kind
            for kind in ("input", "output")
            if not any(node["kind"] == kind for node in level["nodes"])
        ],
        "modules": [row for row in project.modules.all() if row.kind in MODULES],
        "tries": tries(project, spec),
    }


def shown_steps(
    spec: Spec,
    at: At,
    problems: tuple[Problem, ...],
    project: Project,
    opened: Collection[str],
    refused: Refused | None = None,
) -> list[Shown]:
    """The steps of a level, the opened ones with their forms."""
    level = edits.level_at(spec, at)
    lms = tuple((row.slug, f"{row.name} ({row.model})") for row in project.connections.all())
    left, options = _MOST_OPEN, MOST_OPTIONS
    shown = []
    for section in words.sections(spec, at, problems):
        wrong = refused if refused and refused.node == section.id else None
        form = None
        if wrong or (section.id in opened and left > 0 and options > 0):
            posted = wrong.posted if wrong else None
            form = step_form(level, section.id, lms, posted, max(options, 1))
            left, options = left - 1, options - form.options
        used = unfolded(level, section.id, wrong.posted) if wrong else frozenset()
        shown.append(Shown(section, form, wrong.error if wrong else "", used))
    return shown


def kind_groups() -> list[tuple[str, list[tuple[str, str, str]]]]:
    """The kinds of steps by the heads of the palette: name, title, sentence."""
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for name in MODULES:
        kind = NODE_KINDS[name]
        groups.setdefault(kind.group, []).append((name, kind.title, kind.summary))
    return list(groups.items())


def tries(project: Project, spec: Spec) -> dict[str, Any]:
    """What trying the pipeline takes: its inputs, an LM, perhaps a row of a dataset."""
    ends = [node for node in spec["nodes"] if node["kind"] == "input"]
    return {
        "inputs": [row for node in ends[:1] for row in edits.rows_of(node)],
        "connections": list(project.connections.all()),
        "datasets": list(project.datasets.all()),
        "steps": [
            node["name"] for node in spec["nodes"] if not edits.is_end(node) and node["name"]
        ],
    }


def on_canvas(at: At, node: str | None = None) -> str:
    """The end of the canvas' address that shows a level, and one of its nodes.

    With an empty node: what its id is written behind.
    """
    words = [quote(word, safe="") for pair in at for word in pair]
    words += [] if node is None else [quote(node, safe="")]
    return f"#/{'/'.join(words)}" if words else ""


def query(at: str, **more: str) -> str:
    """The end of an address that leads to a level."""
    values = {"at": at, **more}
    text = urlencode({key: value for key, value in values.items() if value})
    return f"?{text}" if text else ""


def _address(name: str, *args: str) -> str:
    """The address of a page of an app above this one; empty where that app is not installed."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
