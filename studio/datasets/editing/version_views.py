"""The versions of a dataset: the list, what differs between two of them, going back to one."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from studio.accounts.models import Role
from studio.accounts.services import get_project, may
from studio.datasets import services
from studio.datasets.charts import split_bars
from studio.datasets.editing.changes import get_version, restore
from studio.datasets.editing.diffing import KINDS, Difference, between
from studio.datasets.editing.versions import compare, with_runs
from studio.datasets.editing.views import number_of, tell_undo
from studio.datasets.models import Dataset
from studio.datasets.splits.sealing import Hidden
from studio.datasets.uploading.judging import text_of
from studio.errors import Conflict
from studio.http import StudioRequest
from studio.wording import Piece, word_diff

PAGE_VERSIONS = 25
PAGE_ROWS = 50
MOST_READ = 20_000
"""Differing rows that are looked at for one page, while some kind of them is looked for."""
SHOWN_CELL = 1_000
_CONTEXT = 200
_KINDS: dict[type, str] = {str: "text", bool: "yes or no", int: "number", float: "number"}


@require_GET
def versions(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """All versions, the newest first."""
    found = get_project(user=request.user, slug=project)
    data = services.get_dataset(project=found, slug=slug)
    listed = data.versions.select_related("created_by")
    page = Paginator(listed, PAGE_VERSIONS).get_page(request.GET.get("page"))
    context = {
        "project": found,
        "dataset": data,
        "page": page,
        "rows": [(one, split_bars(one.version.splits)) for one in with_runs(data, page)],
        "may_write": may(user=request.user, project=found, role=Role.AUTHOR),
    }
    return render(request, "datasets/versions.html", context)


@dataclass(frozen=True, slots=True)
class ShownCell:
    """A cell that differs, word by word."""

    column: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row that differs."""

    number: int
    kinds: tuple[str, ...]
    was: str
    """Its split before; empty: it was not there."""
    now: str
    cells: list[ShownCell]


@require_GET
def compare_versions(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """What differs between two versions, a page of rows at a time."""
    found = get_project(user=request.user, slug=project)
    data = services.get_dataset(project=found, slug=slug)
    first = number_of(request.GET.get("from")) or max(1, data.number - 1)
    second = number_of(request.GET.get("to")) or data.number
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else ""
    after = number_of(request.GET.get("after"))
    was, now = get_version(data, first), get_version(data, second)
    rows, next_after, hidden = _page(data, first, second, kind, after)
    comparison = compare(data, first, second)
    context = {
        "project": found,
        "dataset": data,
        "was": was,
        "now": now,
        "kind": kind,
        "kinds": [
            (name, comparison.counts.get(name, 0) if comparison.counts is not None else None)
            for name in KINDS
        ],
        "comparison": comparison,
        "rows": rows,
        "after": after,
        "next_after": next_after,
        "hidden": hidden,
        "new_columns": [name for name in now.columns if name not in was.columns],
        "lost_columns": [name for name in was.columns if name not in now.columns],
        "mapping_differs": was.mapping != now.mapping,
        "numbers": list(data.versions.values_list("number", flat=True)[:200]),
        "may_write": may(user=request.user, project=found, role=Role.AUTHOR),
    }
    return render(request, "datasets/version_diff.html", context)


def _page(
    data: Dataset, first: int, second: int, kind: str, after: int
) -> tuple[list[ShownRow], int, int]:
    """Rows, the number after which the next page begins (0: there is none), and hidden rows."""
    sealed = Hidden(data)
    rows: list[ShownRow] = []
    hidden = last = 0
    for read, one in enumerate(between(data, first, second, after=after)):
        if len(rows) == PAGE_ROWS or read == MOST_READ:
            return rows, last, hidden
        last = one.number
        if kind and kind not in one.kinds:
            continue
        if one.was in sealed or one.now in sealed:
            hidden += 1
            continue
        rows.append(_shown(one))
    return rows, 0, hidden


def _shown(one: Difference) -> ShownRow:
    was = dict(one.was.values) if one.was else {}
    now = dict(one.now.values) if one.now else {}
    cells = [
        ShownCell(name, cell_diff(was.get(name), now.get(name)))
        for name in islice(one.columns, 40)
    ]
    return ShownRow(
        one.number,
        one.kinds,
        one.was.split if one.was else "",
        one.now.split if one.now else "",
        cells,
    )


def cell_diff(was: Any, now: Any) -> tuple[Piece, ...]:
    """How a value becomes another; of long ones the part from the first difference on."""
    before, after = text_of(was), text_of(now)
    if before == after:  # such as the text "1" and the number
        return (Piece("removed", _typed(was)), Piece("added", _typed(now)))
    most = min(len(before), len(after))
    same = next((at for at in range(most) if before[at] != after[at]), most)
    start = max(0, same - _CONTEXT)
    if start:
        before, after = f"…{before[start:]}", f"…{after[start:]}"
    return word_diff(_cut(before), _cut(after))


def _typed(value: Any) -> str:
    kind = {str: "text", bool: "yes or no", int: "number", float: "number"}.get(
        type(value), "JSON"
    )
    return f"{_cut(text_of(value))} ({kind})"


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CELL else f"{text[:SHOWN_CELL]}…"


@require_POST
def restore_version(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Make a version that is as an old one was."""
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    data = services.get_dataset(project=found, slug=slug)
    number, before = number_of(request.POST.get("number")), data.number
    message = " ".join(request.POST.get("message", "").replace("\0", "").split())
    try:
        version = restore(actor=request.user, dataset=data, number=number, message=message[:200])
    except Conflict as error:
        messages.error(request, str(error))
        return redirect("datasets:versions", project, slug)
    if version.number == before:
        messages.info(request, f"Version {number} is as the dataset is now; nothing was changed.")
    else:
        text = f"The dataset is as version {number} was; this is version {version.number}."
        tell_undo(request, data, text, version.number)
    return redirect("datasets:versions", project, slug)
