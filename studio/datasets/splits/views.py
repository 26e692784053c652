"""Pages of a dataset's splits: how it is split, splitting it anew, sealing the test split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from studio.accounts.models import Role
from studio.accounts.services import get_project, may
from studio.datasets.charts import SHOWN_LABELS, Bar, label_bars, split_bars
from studio.datasets.editing.changes import newest, restore
from studio.datasets.models import Dataset, Version
from studio.datasets.services import get_dataset, split_counts
from studio.datasets.splits import sealing
from studio.datasets.splits.forms import SplitForm, UnsealForm
from studio.datasets.splits.plans import Plan
from studio.datasets.splits.resplitting import look, make_plan, split_anew
from studio.errors import Conflict, Invalid, StudioError
from studio.http import StudioRequest

LIVE_ROWS = 20_000
"""Datasets of so many rows are looked at anew with every change of the form."""
SLOW_ROWS = 200_000
"""With more rows a look takes a moment."""
_OPENINGS = 50


@require_http_methods(["GET", "POST"])
def splits(request: StudioRequest, project: str, slug: str) -> HttpResponseBase:
    """The splits of a dataset; POST shows what would come of a choice, or does it."""
    found = get_project(user=request.user, slug=project)
    dataset = get_dataset(project=found, slug=slug)
    plan, status = None, 200
    if request.method == "POST":
        get_project(user=request.user, slug=project, role=Role.AUTHOR)
        form = SplitForm(request.POST, dataset=dataset)
        try:
            plan = _plan(form, dataset)
            if plan is not None and request.POST.get("action") == "split":
                done = _split(request, dataset, plan)
                if done is not None:
                    return done
        except Invalid as error:
            form.refuse(error)
        status = 422 if form.errors else 200
    else:
        form = SplitForm(dataset=dataset)
    context = {
        "project": found,
        "dataset": dataset,
        "form": form,
        "plan": plan,
        "live": dataset.row_count <= LIVE_ROWS,
        "slow": dataset.row_count > SLOW_ROWS,
        "may_write": may(user=request.user, project=found, role=Role.AUTHOR),
        "may_seal": may(user=request.user, project=found, role=Role.REVIEWER),
        "may_unseal": may(user=request.user, project=found, role=Role.ADMIN),
        "unseal": UnsealForm(),
        **_today(dataset),
        **_sealing(dataset),
    }
    if plan is not None:
        context |= _pictures(plan)
    part = "#workbench" if request.htmx and not request.htmx.boosted else ""
    return render(request, f"datasets/splits.html{part}", context, status=status)


@require_POST
def undo(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Take the last splitting back: a new version that is as the one before."""
    dataset = _dataset(request, project, slug)
    last = newest(dataset)
    try:
        if last.kind != Version.Kind.SPLIT or str(last.number) != request.POST.get("number"):
            raise Conflict("The dataset was changed since. Restore the version that you want.")
        restore(actor=request.user, dataset=dataset, number=last.number - 1)
    except StudioError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"As version {last.number - 1} was.")
    return redirect("datasets:splits", project, slug)


@require_POST
def seal(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Seal the test split."""
    dataset = _dataset(request, project, slug)
    try:
        sealing.seal(actor=request.user, dataset=dataset)
    except (Conflict, Invalid) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The test split is sealed: nobody is shown its rows.")
    return redirect("datasets:splits", project, slug)


@require_POST
def unseal(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Unseal the test split, with a reason."""
    dataset = _dataset(request, project, slug)
    try:
        sealing.unseal(actor=request.user, dataset=dataset, reason=request.POST.get("reason", ""))
    except (Conflict, Invalid) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The test split is not sealed any more. The log says so.")
    return redirect("datasets:splits", project, slug)


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table of labels."""

    bar: Bar
    before: Mapping[str, int]
    cells: tuple[tuple[str, int, int], ...]
    """For each split its name, its rows, and by how many they differ from before."""


def _dataset(request: StudioRequest, project: str, slug: str) -> Dataset:
    return get_dataset(project=get_project(user=request.user, slug=project), slug=slug)


def _plan(form: SplitForm, dataset: Dataset) -> Plan | None:
    if not form.is_valid() or (form.waits and "action" not in form.data):
        return None
    return make_plan(dataset, form.choice)


def _split(request: StudioRequest, dataset: Dataset, plan: Plan) -> HttpResponseBase | None:
    """The way on when it was done; None: the choices are others than those looked at."""
    if request.POST.get("checked") != f"{plan.number}-{plan.choice.hash}":
        messages.info(
            request,
            "The choices or the rows are others than those that you looked at. Look at what comes "
            "of them now, then split.",
        )
        return None
    try:
        made = split_anew(
            actor=request.user, dataset=dataset, choice=plan.choice, base=plan.number
        )
    except Conflict as error:
        messages.error(request, str(error))
        return None
    messages.success(request, f"{made.message}. {plan.moved:,} rows moved: version {made.number}.")
    there = redirect("datasets:splits", dataset.project.slug, dataset.slug)
    return HttpResponseClientRedirect(there.url) if request.htmx else there


def _today(dataset: Dataset) -> dict[str, Any]:
    labels = sealing.visible_labels(dataset)
    last = newest(dataset)
    known = dataset.report.get("duplicates")
    if known is None and 0 < dataset.row_count <= LIVE_ROWS:
        known = look(dataset)
    return {
        "bar": split_bars(split_counts(dataset)),
        "label_name": labels.get("column", ""),
        "lines": _lines(labels.get("counts", {}), {}),
        "more_labels": max(0, len(labels.get("counts", {})) - SHOWN_LABELS),
        "duplicates": known,
        "undo": last if last.kind == Version.Kind.SPLIT else None,
    }


def _pictures(plan: Plan) -> dict[str, Any]:
    return {
        "plan_bar": split_bars(plan.after),
        "plan_sizes": [
            (split, plan.before[split], plan.after[split], plan.after[split] - plan.before[split])
            for split in plan.after
        ],
        "plan_lines": _lines(plan.labels, plan.labels_before),
        "plan_more_labels": max(0, len(plan.labels) - SHOWN_LABELS),
        "checked": f"{plan.number}-{plan.choice.hash}",
    }


def _lines(
    counts: Mapping[str, Mapping[str, int]], before: Mapping[str, Mapping[str, int]]
) -> list[Line]:
    lines = []
    for bar in label_bars({"counts": counts}):
        old = before.get(bar.label, {})
        cells = tuple(
            (part.split, part.count, part.count - old.get(part.split, part.count))
            for part in bar.parts
        )
        lines.append(Line(bar, old, cells))
    return lines


def _sealing(dataset: Dataset) -> dict[str, Any]:
    runs = {run.pk: run for run in dataset.runs.select_related("project")[:500]}
    log = dataset.openings.select_related("created_by")[:_OPENINGS]
    return {
        "opened": sealing.count_openings(dataset),
        "openings": [(one, runs.get(one.run) if one.run else None) for one in log],
    }
