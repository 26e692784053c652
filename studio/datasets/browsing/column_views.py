"""The page of a dataset's columns, and the button that has a failed chore done again."""

from __future__ import annotations

from django.db.models import BigAutoField
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from studio.accounts.services import get_project
from studio.datasets import chores, services
from studio.datasets.browsing.profiles import PROFILES, about_of
from studio.datasets.charts import column_charts
from studio.datasets.models import Chore, Dataset
from studio.errors import NotFound
from studio.http import StudioRequest
from studio.numerals import read_whole


@require_GET
def columns(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """What every column looks like; while that is found out, how far it is."""
    found = get_project(user=request.user, slug=project)
    data = services.get_dataset(project=found, slug=slug)
    chore = chores.ask(data, Chore.Kind.INDEX, about_of(data))
    shown = chore if chore.state == Chore.State.DONE else _last(data)
    context = {
        "project": found,
        "dataset": data,
        "chore": chore,
        "shown": shown,
        "of_what": PROFILES[about_of(data)],
        "columns": column_charts(shown.result, data) if shown else [],
    }
    part = "#columns" if request.htmx and not request.htmx.boosted else ""
    return render(request, f"datasets/columns.html{part}", context)


@require_POST
def again(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Do a chore that failed once more; every member may have it done."""
    found = get_project(user=request.user, slug=project)
    data = services.get_dataset(project=found, slug=slug)
    pk = read_whole(request.POST.get("chore"), BigAutoField.MAX_BIGINT) or 0
    chore = Chore.objects.filter(pk=pk, dataset=data).first()
    if chore is None:
        raise NotFound("There is nothing like that to do again.")
    chores.retry(chore)
    there = request.POST.get("next", "")
    if chore.about in PROFILES:
        return redirect("datasets:columns", project, slug)
    return redirect(data.get_absolute_url() + (there if there.startswith("?") else ""))


def _last(dataset: Dataset) -> Chore | None:
    """The profile of the newest version that has one."""
    done = Chore.objects.filter(
        dataset=dataset,
        kind=Chore.Kind.INDEX,
        about=about_of(dataset),
        state=Chore.State.DONE,
        number__lt=dataset.number,
    )
    return done.order_by("-number").first()
