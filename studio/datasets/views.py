"""The pages of datasets: the list, and one dataset with its rows."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from studio.accounts.models import Role
from studio.accounts.services import get_project, may
from studio.datasets import chores, services
from studio.datasets.browsing.filtering import OPERATORS
from studio.datasets.browsing.pages import PAGE_ROWS
from studio.datasets.browsing.row_table import columns_at, hidden_columns, make_table
from studio.datasets.browsing.wishes import read_address
from studio.datasets.charts import label_bars, split_bars
from studio.datasets.models import Chore, Dataset, Split, Upload
from studio.datasets.splits import sealing
from studio.errors import Invalid, StudioError
from studio.http import StudioRequest
from studio.numerals import read_whole

PAGE_DATASETS = 50


@require_GET
def datasets(request: StudioRequest, project: str) -> HttpResponse:
    """All datasets of a project, and uploads that wait for somebody."""
    found = get_project(user=request.user, slug=project)
    page = Paginator(Dataset.objects.filter(project=found), PAGE_DATASETS).get_page(
        request.GET.get("page")
    )
    context = {
        "project": found,
        "page": page,
        "rows": [(dataset, split_bars(services.split_counts(dataset))) for dataset in page],
        "uploads": found.uploads.exclude(
            state__in=[Upload.State.IMPORTED, Upload.State.REFUSED]
        ).order_by("-created_at"),
        "may_write": may(user=request.user, project=found, role=Role.AUTHOR),
    }
    return render(request, "datasets/list.html", context)


@require_GET
def dataset(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """One dataset: what is in it, and its rows."""
    found = get_project(user=request.user, slug=project)
    data = services.get_dataset(project=found, slug=slug)
    problem, params = "", request.GET
    goes_on = bool(request.htmx) and read_whole(params.get("have"), 9_999) is not None
    have = min(int(params["have"]), PAGE_ROWS) if goes_on else 0
    columns = columns_at(data, params.get("version", ""))
    try:
        address = read_address(params, columns)
    except Invalid as error:
        problem, params = str(error), QueryDict()
        address = read_address(params, columns)
    table = make_table(data, address, have=have, hidden=hidden_columns(data))
    is_newest = address.version in (None, data.number)
    may_write = may(user=request.user, project=found, role=Role.AUTHOR)
    context = {
        "project": found,
        "dataset": data,
        "table": table,
        "address": address,
        "problem": problem,
        "all_columns": columns,
        "operators": OPERATORS.items(),
        "splits": [
            (split.value, split.label) for split in Split if sealing.may_see(data, split.value)
        ],
        "hidden_note": sealing.HIDDEN if data.sealed and address.split == Split.TEST else "",
        "is_newest": is_newest,
        "may_write": may_write,
        "may_edit": may_write and is_newest,
        "goes_on": goes_on,
    }
    if goes_on:
        return render(request, "datasets/detail.html#more", context)
    context["index"] = _index(data)
    if request.htmx and not request.htmx.boosted:
        return render(request, "datasets/detail.html#rows", context)
    context |= {
        "split_bars": split_bars(services.split_counts(data)),
        "label_bars": label_bars(sealing.visible_labels(data)),
        "mapping": data.mapping.items(),
        "runs": data.runs.count(),
    }
    return render(request, "datasets/detail.html", context)


def _index(data: Dataset) -> Chore | None:
    """The chore that makes the search fast, while it is not done; asked for by whoever looks."""
    if data.row_count <= chores.AT_ONCE_ROWS:
        return None
    chore = chores.ask(data, Chore.Kind.INDEX)
    return None if chore.state == Chore.State.DONE else chore


@require_POST
def delete(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Removes a dataset, or says why not."""
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    data = services.get_dataset(project=found, slug=slug)
    try:
        services.delete_dataset(actor=request.user, dataset=data)
    except StudioError as error:
        messages.error(request, str(error))
        return redirect(data)
    messages.success(request, f"“{data.name}” is deleted.")
    return redirect("datasets:datasets", project)
