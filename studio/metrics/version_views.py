"""Pages of a metric's versions: the list, the difference between two, going back."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from studio.accounts.models import Role
from studio.accounts.services import get_project, may
from studio.engine.metrics import METRICS
from studio.errors import Invalid
from studio.http import StudioRequest
from studio.metrics.models import Metric
from studio.metrics.services import get_metric
from studio.metrics.versions import changes, get_version, restore_version
from studio.numerals import read_whole

PAGE = 50


@require_GET
def versions(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Every version, newest first, and what differs between two of them."""
    found = get_project(user=request.user, slug=project)
    metric = get_metric(project=found, slug=slug)
    to = _number(request.GET.get("to"), metric.number)
    since = _number(request.GET.get("from"), max(1, to - 1))
    before, after = get_version(metric, since), get_version(metric, to)
    rows = metric.versions.select_related("judge", "created_by")
    context = {
        "project": found,
        "metric": metric,
        "kind": METRICS.get(metric.kind),
        "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "before": before,
        "after": after,
        "changes": changes(before, after),
        "used": _used(metric),
        "may_write": may(user=request.user, project=found, role=Role.AUTHOR),
    }
    return render(request, "metrics/versions.html", context)


@require_POST
def restore(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Make the metric what it was in a version, as a new one."""
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    metric = get_metric(project=found, slug=slug)
    number = _number(request.POST.get("number"), 0)
    try:
        restored = restore_version(actor=request.user, metric=metric, number=number)
    except Invalid as error:
        messages.error(request, f"Version {number} cannot be restored: {error}")
        return redirect("metrics:versions", found.slug, metric.slug)
    if restored.number == metric.number:
        messages.info(request, f"{metric.name} is as it was in version {number} already.")
    else:
        messages.success(request, f"Version {number} is restored as version {restored.number}.")
    return redirect("metrics:versions", found.slug, metric.slug)


def _used(metric: Metric) -> dict[int, int]:
    """How many runs used each version."""
    found: dict[int, int] = {}
    for number in metric.runs.values_list("metric_version__number", flat=True):
        if number is not None:
            found[number] = found.get(number, 0) + 1
    return found


def _number(text: str | None, otherwise: int) -> int:
    """A whole number out of an address; what is none is as if it were not there."""
    number = read_whole(text)
    return otherwise if number is None else number
