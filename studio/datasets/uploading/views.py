"""The pages of a file that is to become a dataset: upload, mapping, what is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from studio.accounts.models import Project, Role
from studio.accounts.services import get_project, may
from studio.datasets import services
from studio.datasets.charts import label_bars, split_bars
from studio.datasets.models import Dataset, Upload
from studio.datasets.reading.problems import KINDS
from studio.datasets.uploading import problem_files, receiving, uploads, working
from studio.datasets.uploading.forms import MappingForm, UploadForm
from studio.datasets.uploading.looking import signatures_of
from studio.datasets.uploading.storage import (
    MEGABYTE,
    max_upload,
    refuse_large,
    telling_full_disks,
)
from studio.errors import Invalid, NoRoom, NotAllowed
from studio.http import StudioRequest, download

SHOWN_COLUMNS = 40
SHOWN_ARRIVING = 5
PAGE_PROBLEMS = 50
KIND_TITLES = {
    "csv": "a table of text", "json": "JSON", "jsonl": "JSON lines", "parquet": "Parquet",
    "xlsx": "an Excel workbook",
}  # fmt: skip
ENCODINGS = {"cp1252": "Windows-1252", "utf-8-sig": "UTF-8"}


@csrf_exempt
@require_http_methods(["GET", "POST"])
def upload(request: StudioRequest, project: str) -> HttpResponseBase:
    """Takes a file; with `?into=` its rows go into a dataset that is there already.

    Looking for the CSRF token reads the whole body, so who may upload and how much is asked
    before; `_upload` is protected as every other view.
    """
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    target = _target(request, found)
    try:
        # The form around the file takes some of it.
        refuse_large(int(request.headers.get("Content-Length") or 0) - MEGABYTE)
    except Invalid as error:
        context = _upload_context(request, found, target, str(error))
        return render(request, "datasets/upload.html", context, status=413)
    try:
        with telling_full_disks():
            return _upload(request, found, target)
    except NoRoom as error:
        return render(
            request, f"datasets/upload.html{_part(request, 'form')}",
            _upload_context(request, found, target, str(error)), status=error.status,
        )  # fmt: skip


@csrf_protect
def _upload(request: StudioRequest, project: Project, target: Dataset | None) -> HttpResponseBase:
    if request.method != "POST":
        context = _upload_context(request, project, target, "")
        return render(request, "datasets/upload.html", context)
    form = UploadForm(request.POST, request.FILES)
    try:
        if not form.is_valid():
            raise Invalid(str(form.errors["file"][0]))
        made = receiving.receive_upload(
            actor=request.user, project=project, file=form.cleaned_data["file"], target=target
        )
    except Invalid as error:
        return render(
            request, f"datasets/upload.html{_part(request, 'form')}",
            _upload_context(request, project, target, str(error)), status=422,
        )  # fmt: skip
    return _go(request, made.get_absolute_url())


def _target(request: StudioRequest, project: Project) -> Dataset | None:
    slug = request.GET.get("into", "")
    return services.get_dataset(project=project, slug=slug) if slug else None


def _upload_context(
    request: StudioRequest, project: Project, target: Dataset | None, error: str
) -> dict[str, Any]:
    arriving = project.uploads.filter(
        state=Upload.State.ARRIVING, created_by=request.user, target=target
    )
    return {
        "arriving": arriving.order_by("-created_at")[:SHOWN_ARRIVING],
        "project": project,
        "target": target,
        "form": UploadForm(),
        "error": error,
        "megabytes": max_upload() // MEGABYTE,
        "piece": receiving.PIECE,
    }


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
        form = MappingForm(upload=made, signatures=signatures_of(found))
    part = _part(request, "problems" if "kind" in request.GET else "workbench")
    context = _map_context(request, found, made, form)
    return render(request, f"datasets/map.html{part}", context, status=status)


def _choose_or_keep(
    request: StudioRequest, made: Upload, *, keep: bool
) -> tuple[MappingForm | None, int]:
    """(None, 200) when it was done, else the form with what is wrong and a status."""
    if made.state in (Upload.State.IMPORTING, Upload.State.IMPORTED):
        return None, 200  # the second click
    if not _may_write(request, made.project):
        raise NotAllowed("Only authors, reviewers and admins of the project may do this.")
    if made.state != Upload.State.READY:
        messages.info(request, "The file is still being checked. Look at the result, then go on.")
        return None, 200
    form = MappingForm(request.POST, upload=made, signatures=signatures_of(made.project))
    if not form.is_valid():
        return form, 422
    changed = bool(form.cut) or replace(form.choices, name=form.old.name) != form.old
    try:
        if form.cut:
            uploads.cut_anew(actor=request.user, upload=made, cut=form.cut, name=form.choices.name)
        elif changed or not keep:
            uploads.choose(actor=request.user, upload=made, choices=form.choices)
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
    if keep and changed:
        messages.info(
            request, "You changed the choices. Look at what comes of them, then keep it."
        )
    return None, 200


def _map_context(
    request: StudioRequest, project: Project, made: Upload, form: MappingForm | None
) -> dict[str, Any]:
    report = made.report
    columns = uploads.columns_of(made)
    shown = columns[:SHOWN_COLUMNS]
    is_text = made.format.get("kind") not in ("parquet", "xlsx")
    encoding = made.format.get("encoding", "") if is_text else ""
    context: dict[str, Any] = {
        "project": project,
        "upload": made,
        "kind_title": KIND_TITLES.get(made.format.get("kind", ""), ""),
        "encoding": ENCODINGS.get(encoding, encoding.upper()),
        "form": form,
        "report": report,
        "may_write": _may_write(request, project),
        "checked": uploads.choices_hash(made),
        "columns": shown,
        "more_columns": len(columns) - len(shown),
        "preview": [
            (row, [row["cells"].get(column, {}) for column in shown])
            for row in report.get("preview", [])
        ],
        "live": made.size <= working.inline_limit(),
    }
    if report:
        context["splits"] = split_bars(report["splits"])
        context["labels"] = label_bars(report.get("labels", {}))
        context |= _problems_context(request, made)
    return context


def _problems_context(request: StudioRequest, made: Upload) -> dict[str, Any]:
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else ""
    found = problem_files.listing(made.token, made.report, kind)
    pages: Paginator[Any] = Paginator(found, PAGE_PROBLEMS)  # type: ignore[arg-type]
    page = pages.get_page(request.GET.get("page"))
    return {"kind": kind, "page": page, "query": urlencode({"kind": kind}) + "&"}


@require_GET
def upload_problems(request: StudioRequest, project: str, token: str) -> StreamingHttpResponse:
    """All that is wrong with the rows, as CSV, for whoever made the file."""
    found = get_project(user=request.user, slug=project)
    made = uploads.get_upload(project=found, token=token)
    kind = request.GET.get("kind", "")
    lines = problem_files.as_csv(made.token, kind if kind in KINDS else "")
    return download(request, lines, name="problems.csv", content_type="text/csv")


def _may_write(request: StudioRequest, project: Project) -> bool:
    return may(user=request.user, project=project, role=Role.AUTHOR)


def _part(request: StudioRequest, name: str) -> str:
    """The partial that htmx asks for, or the whole page."""
    return f"#{name}" if request.htmx and not request.htmx.boosted else ""


def _go(request: StudioRequest, url: str) -> HttpResponse:
    """To another page, also out of a partial."""
    return HttpResponseClientRedirect(url) if request.htmx else HttpResponseRedirect(url)
