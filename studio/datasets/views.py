"""The pages of datasets: list, upload, mapping, one dataset."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from studio.accounts.models import Project, Role
from studio.accounts.services import get_project, role_of
from studio.datasets import services, uploads, working
from studio.datasets.charts import Bar, label_bars, split_bars
from studio.datasets.examining import shorten
from studio.datasets.forms import MappingForm, UploadForm
from studio.datasets.models import Dataset, Row, Split, Upload
from studio.datasets.storage import MEGABYTE, max_upload, refuse_large
from studio.engine.codec import canonical_json
from studio.errors import Invalid, NotAllowed, StudioError
from studio.http import StudioRequest

PAGE_ROWS = 50
PAGE_DATASETS = 50
SHOWN_COLUMNS = 40
SHOWN_CELL = 400


def _may_write(request: StudioRequest, project: Project) -> bool:
    role = role_of(user=request.user, project=project)
    return role is not None and role.rank >= Role.AUTHOR.rank


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
        "may_write": _may_write(request, found),
    }
    return render(request, "datasets/list.html", context)


@csrf_exempt
@require_http_methods(["GET", "POST"])
def upload(request: StudioRequest, project: str) -> HttpResponseBase:
    """Takes a file.

    Looking for the CSRF token reads the whole body, so who may upload and how much is asked
    before; `_upload` is protected as every other view.
    """
    get_project(user=request.user, slug=project, role=Role.AUTHOR)
    try:
        # The form around the file takes some of it.
        refuse_large(int(request.headers.get("Content-Length") or 0) - MEGABYTE)
    except Invalid as error:
        return render(request, "datasets/upload.html", _upload_context(str(error)), status=413)
    return _upload(request, project)


@csrf_protect
def _upload(request: StudioRequest, project: str) -> HttpResponseBase:
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    if request.method != "POST":
        return render(request, "datasets/upload.html", _upload_context(""))
    form = UploadForm(request.POST, request.FILES)
    try:
        if not form.is_valid():
            raise Invalid(str(form.errors["file"][0]))
        made = uploads.receive_upload(
            actor=request.user, project=found, file=form.cleaned_data["file"]
        )
    except Invalid as error:
        return render(
            request, f"datasets/upload.html{_part(request, 'form')}", _upload_context(str(error)),
            status=422,
        )  # fmt: skip
    return _go(request, made.get_absolute_url())


def _upload_context(error: str) -> dict[str, Any]:
    return {"form": UploadForm(), "error": error, "megabytes": max_upload() // MEGABYTE}


@require_http_methods(["GET", "POST"])
def map_upload(request: StudioRequest, project: str, token: str) -> HttpResponseBase:
    """Where an upload becomes a dataset: shows what would come of it, changes it, keeps it."""
    found = get_project(user=request.user, slug=project)
    made = uploads.get_upload(project=found, token=token)
    form, status = None, 200
    if request.method == "POST":
        action = request.POST.get("action")
        if action == "discard":
            uploads.discard(actor=request.user, upload=made)
            messages.success(request, f"“{made.filename}” was thrown away.")
            return redirect("datasets:datasets", project)
        form, status = _choose_or_keep(request, made, keep=action == "keep")
        if form is None and not request.htmx:
            return redirect(made)
    elif made.waits_for_work:
        working.start(made)  # a lost message or worker costs a few seconds, not the upload
    made.refresh_from_db()
    if made.state == Upload.State.IMPORTED:
        # The dataset may be gone by now; the list is where it would be.
        there = made.dataset or reverse("datasets:datasets", args=[project])
        return _go(request, there if isinstance(there, str) else there.get_absolute_url())
    if made.state == Upload.State.READY and form is None:
        form = MappingForm(upload=made, signatures=working.signatures_of(found))
    context = _map_context(request, found, made, form)
    return render(
        request, f"datasets/map.html{_part(request, 'workbench')}", context, status=status
    )


def _choose_or_keep(
    request: StudioRequest, made: Upload, *, keep: bool
) -> tuple[MappingForm | None, int]:
    """(None, 200) when it was done, else the form with what is wrong and a status."""
    if made.state in (Upload.State.IMPORTING, Upload.State.IMPORTED):
        return None, 200  # the second click
    if not _may_write(request, made.project):
        raise NotAllowed("Only authors, reviewers and admins of the project may do this.")
    form = MappingForm(request.POST, upload=made, signatures=working.signatures_of(made.project))
    if not form.is_valid():
        return form, 422
    changed = replace(form.choices, name=form.old.name) != form.old
    try:
        if changed or not keep:
            uploads.choose(actor=request.user, upload=made, choices=form.choices)
            if keep:
                messages.info(
                    request, "You changed the choices. Look at what comes of them, then keep it."
                )
        else:
            uploads.keep(
                actor=request.user,
                upload=made,
                name=form.choices.name,
                checked=request.POST.get("checked", ""),
                leave_out=request.POST.get("leave_out") == "yes",
            )
    except (Invalid, NotAllowed) as error:
        form.add_error(None, str(error))
        return form, error.status
    return None, 200


def _map_context(
    request: StudioRequest, project: Project, made: Upload, form: MappingForm | None
) -> dict[str, Any]:
    report = made.report
    columns = list(report.get("columns") or made.format.get("columns", []))
    context: dict[str, Any] = {
        "project": project,
        "upload": made,
        "encoding": "Windows-1252" if made.format["encoding"] == "cp1252" else "",
        "form": form,
        "report": report,
        "may_write": _may_write(request, project),
        "checked": uploads.choices_hash(made),
        "columns": columns[:SHOWN_COLUMNS],
        "more_columns": max(0, len(columns) - SHOWN_COLUMNS),
        "preview": [
            [row.get(column, "") for column in columns[:SHOWN_COLUMNS]]
            for row in report.get("preview", [])
        ],
        "live": made.size <= working.inline_limit(),
    }
    if report:
        context["splits"] = split_bars(report["splits"])
        context["labels"] = label_bars(report.get("labels", {}))
    return context


@require_GET
def dataset(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """One dataset: what is in it, and its rows."""
    found = get_project(user=request.user, slug=project)
    data = services.get_dataset(project=found, slug=slug)
    split = request.GET.get("split", "")
    split = split if split in Split.values else ""
    text = request.GET.get("q", "").replace("\0", "").strip()[:200]
    rows = services.find_rows(data, split=split, text=text)
    page = Paginator(rows, PAGE_ROWS).get_page(request.GET.get("page"))
    shown = [column for column in data.columns if column != _split_column(data)]
    columns = shown[:SHOWN_COLUMNS]
    context = {
        "project": found,
        "dataset": data,
        "split": split,
        "splits": Split,
        "q": text,
        "page": page,
        "query": urlencode({"q": text, "split": split}) + "&",
        "columns": columns,
        "more_columns": len(shown) - len(columns),
        "rows": [(row, _cells(row, columns)) for row in page],
        "split_bars": split_bars(services.split_counts(data)),
        "label_bars": _labels_of(data),
        "mapping": data.mapping.items(),
        "runs": data.runs.count(),
        "may_write": _may_write(request, found),
    }
    return render(request, f"datasets/detail.html{_part(request, 'rows')}", context)


def _split_column(data: Dataset) -> str:
    """The column that the splits came from: the table has one for them already."""
    chosen = data.report.get("choices", {})
    return str(chosen.get("split_column", "")) if chosen.get("split_by") == "column" else ""


def _labels_of(data: Dataset) -> list[Bar]:
    return label_bars(data.report.get("labels", {}))


def _cells(row: Row, columns: list[str]) -> list[str]:
    return [_cell(row.values.get(column)) for column in columns]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return shorten(value if isinstance(value, str) else canonical_json(value), SHOWN_CELL)


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


def _part(request: StudioRequest, name: str) -> str:
    """The partial that htmx asks for, or the whole page."""
    return f"#{name}" if request.htmx and not request.htmx.boosted else ""


def _go(request: StudioRequest, url: str) -> HttpResponse:
    """To another page, also out of a partial."""
    return HttpResponseClientRedirect(url) if request.htmx else HttpResponseRedirect(url)
