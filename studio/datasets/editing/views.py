"""Changing rows: a cell in place, a row on a page of its own, rows that go; and taking it back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_http_methods, require_POST

from studio.accounts.models import Role
from studio.accounts.services import get_project
from studio.datasets import services
from studio.datasets.browsing.row_table import hidden_columns
from studio.datasets.editing import rows as editing
from studio.datasets.editing import versions
from studio.datasets.editing.rows import Doubtful, Sheet
from studio.datasets.models import Dataset
from studio.datasets.table import Row, Table
from studio.datasets.uploading.judging import shorten, text_of
from studio.engine.signature import Field
from studio.errors import Conflict, Invalid, NotFound, StudioError
from studio.http import StudioRequest
from studio.numerals import read_whole

SHOWN_CELL = 400
SHOWN_COLUMNS = 200
SHOWN_ROWS = 20
LONGEST_HEADER = 3_000
"""Characters; a proxy in front of the studio takes some 4,000 in all headers of an answer."""
SPLIT = "@split"
"""Names the split where a column is asked for; no column begins like this."""


def shown(value: Any) -> str:
    """A value as it stands in a table."""
    return shorten(text_of(value), SHOWN_CELL)


@require_http_methods(["GET", "POST"])
def cell(request: StudioRequest, project: str, slug: str, number: int) -> HttpResponse:
    """The editor of one cell, and what stands there when it is saved. For htmx."""
    data = dataset_of(request, project, slug)
    if not request.htmx:
        return redirect("datasets:edit-row", project, slug, number)
    said = request.POST if request.method == "POST" else request.GET
    column, base = said.get("column", ""), number_of(said.get("base")) or data.number
    if column != SPLIT and column not in data.columns:
        raise NotFound(f"There is no column “{column[:60]}” in “{data.name}”.")
    if request.method == "GET":
        row = editing.get_row(data, number)
        return _editor(request, data, _Edit(row, column, data.number))
    try:
        return _save_cell(request, data, number, column, base)
    except Conflict as error:
        row = editing.get_row(data, number)
        edit = _Edit(row, column, data.number, typed=said.get("value", ""), conflict=str(error))
        return _editor(request, data, edit, kind=said.get("kind", ""), status=409)
    except Invalid as error:
        row = editing.get_row(data, number)
        edit = _Edit(
            row, column, base, typed=said.get("value", ""), problem=str(error),
            doubtful=isinstance(error, Doubtful),
        )  # fmt: skip
        return _editor(request, data, edit, kind=said.get("kind", ""), status=422)


@dataclass(frozen=True, slots=True)
class _Edit:
    """What the editor of a cell shows."""

    row: Row
    column: str
    base: int
    typed: str | None = None
    """What somebody has written, when it could not be saved."""
    problem: str = ""
    doubtful: bool = False
    conflict: str = ""


def _save_cell(
    request: StudioRequest, data: Dataset, number: int, column: str, base: int
) -> HttpResponse:
    text, kind = request.POST.get("value", ""), request.POST.get("kind", editing.TEXT)
    before = data.number
    cells = {} if column == SPLIT else {column: editing.read(text, kind, name=column)}
    version = editing.edit_row(
        actor=request.user,
        dataset=data,
        number=number,
        cells=cells,
        split=text if column == SPLIT else "",
        base=base,
        sure=request.POST.get("sure") == "yes",
    )
    value = text if column == SPLIT else cells[column]
    context = {
        "project": data.project,
        "dataset": data,
        "text": shown(value),
        "version": version if version.number > before else None,
    }
    response = render(request, "datasets/_edit_saved.html", context)
    told = {"rowSaved": {"row": number, "version": version.number}}
    response.headers["HX-Trigger"] = json.dumps(told)
    return response


def _editor(
    request: StudioRequest, data: Dataset, edit: _Edit, *, kind: str = "", status: int = 200
) -> HttpResponse:
    sheet, column = Sheet(data), edit.column
    is_split = column == SPLIT
    field: Field | None = None if is_split else sheet.fields.get(column)
    value = edit.row.split if is_split else edit.row.values.get(column)
    written = editing.write(value, field)
    labels = editing.splits_for(data) if is_split else _choices(sheet.labels(column), value)
    context = {
        "project": data.project,
        "dataset": data,
        "edit": edit,
        "name": "split" if is_split else column,
        "text": written.text if edit.typed is None else edit.typed,
        "theirs": shown(value),
        "kind": kind or written.kind,
        "labels": labels,
        "is_split": is_split,
    }
    return render(request, "datasets/_edit_cell.html", context, status=status)


def _choices(labels: tuple[str, ...], value: Any) -> list[tuple[str, str]]:
    """The labels and, when it is none of them, what stands there now."""
    if not labels:
        return []
    odd = [] if value in (None, *labels) else [(text_of(value), f"{shown(value)} (no label)")]
    return [("", "(empty)"), *odd, *((label, label) for label in labels)]


@require_http_methods(["GET", "POST"])
def edit_row(request: StudioRequest, project: str, slug: str, number: int) -> HttpResponse:
    """All cells of a row in one form."""
    data = dataset_of(request, project, slug)
    base, problem, doubtful, conflict = data.number, "", False, False
    said: QueryDict | None = None
    if request.method == "POST":
        said = request.POST
        base = number_of(said.get("base")) or data.number
        try:
            before = data.number
            cells = _changed_cells(said, editing.get_row(data, number, base))
            version = editing.edit_row(
                actor=request.user,
                dataset=data,
                number=number,
                cells=cells,
                split=said.get("split", ""),
                base=base,
                sure=said.get("sure") == "yes",
            )
        except Conflict as error:
            problem, conflict, base = str(error), True, data.number
        except Invalid as error:
            problem, doubtful = str(error), isinstance(error, Doubtful)
        else:
            if version.number > before:
                messages.success(request, f"Row {number} is saved as version {version.number}.")
            else:
                messages.info(request, "Nothing was different, so nothing was saved.")
            return redirect(data)
    row = editing.get_row(data, number)
    sheet = Sheet(data)
    split = said.get("split", row.split) if said is not None else row.split
    context = {
        "project": data.project,
        "dataset": data,
        "row": row,
        "base": base,
        "split": split,
        "splits": editing.splits_for(data),
        "fields": [field_of(sheet, row, name, said) for name in columns_to_edit(data)],
        "more_columns": max(0, len(data.columns) - SHOWN_COLUMNS),
        "problem": problem,
        "doubtful": doubtful,
        "conflict": conflict,
    }
    status = 409 if conflict else 422 if problem else 200
    return render(request, "datasets/edit_row.html", context, status=status)


def _changed_cells(said: Mapping[str, str], row: Row) -> dict[str, Any]:
    """What is another than it was in the version that the form was made of."""
    cells: dict[str, Any] = {}
    for key, text in said.items():
        if key.startswith("value:"):
            name = key.removeprefix("value:")
            old = editing.write(row.values.get(name))
            kind = said.get(f"kind:{name}", old.kind)
            if (text.replace("\r\n", "\n"), kind) != (old.text.replace("\r\n", "\n"), old.kind):
                cells[name] = editing.read(text, kind, name=name)
    return cells


def field_of(sheet: Sheet, row: Row, name: str, said: Mapping[str, str] | None) -> dict[str, Any]:
    """One cell in a form of a whole row, as it is or as it was typed."""
    field, value = sheet.fields.get(name), row.values.get(name)
    written = editing.write(value, field)
    typed = said.get(f"value:{name}", written.text) if said is not None else written.text
    return {
        "name": name,
        "text": typed,
        "kind": said.get(f"kind:{name}", written.kind) if said is not None else written.kind,
        "theirs": shown(value) if typed != written.text else "",
        "field": field,
        "labels": _choices(sheet.labels(name), value),
    }


@require_POST
def delete_rows(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """Take the ticked rows away."""
    data = dataset_of(request, project, slug)
    numbers = {number for one in request.POST.getlist("row") if (number := number_of(one))}
    try:
        version = editing.delete_rows(
            actor=request.user,
            dataset=data,
            numbers=numbers,
            base=number_of(request.POST.get("base")) or None,
        )
    except (Invalid, Conflict, NotFound) as error:
        messages.error(request, str(error))
    else:
        tell_undo(request, data, f"{version.message}.", version.number)
    return redirect(data)


@require_POST
def undo(request: StudioRequest, project: str, slug: str, number: int) -> HttpResponse:
    """Take back what one version changed."""
    data = dataset_of(request, project, slug)
    try:
        rows = versions.undo(actor=request.user, dataset=data, number=number)
    except StudioError as error:
        if not request.htmx:
            messages.error(request, str(error))
            return redirect(data)
        context = {"kind": "error", "message": str(error), "dismissable": True}
        return render(request, "datasets/_edit_note.html", context)
    text = f"Version {number} is taken back; version {data.number} is as before."
    if not request.htmx:
        messages.success(request, text)
        return redirect(data)
    context = {"kind": "success", "message": text, "dismissable": True}
    response = render(request, "datasets/_edit_note.html", context)
    told = _as_they_are(data, rows)
    if told is None:
        response.headers["HX-Refresh"] = "true"
        messages.success(request, text)
    else:
        response.headers["HX-Trigger"] = json.dumps({"rowsUndone": told})
    return response


def _as_they_are(data: Dataset, numbers: set[int]) -> dict[str, Any] | None:
    """The cells of a few rows for the page that shows them; None: it has to be read anew."""
    if not 0 < len(numbers) <= SHOWN_ROWS:
        return None
    rows = Table(data).at(sorted(numbers))
    if len(rows) < len(numbers):
        return None
    told = {
        "version": data.number,
        "rows": {
            row.number: {
                SPLIT: row.split,
                **{name: shown(row.values.get(name)) for name in data.columns[:SHOWN_COLUMNS]},
            }
            for row in rows
        },
    }
    return told if len(json.dumps(told)) <= LONGEST_HEADER else None


def tell_undo(request: StudioRequest, data: Dataset, text: str, number: int) -> None:
    """A message with a button that takes the version back."""
    context = {"project": data.project, "dataset": data, "text": text, "number": number}
    messages.success(request, render_to_string("datasets/_edit_undo.html", context, request))


def columns_to_edit(data: Dataset) -> list[str]:
    """The columns of a form; not the one that the splits came from, which a row has anyway."""
    hidden = hidden_columns(data)
    return [name for name in data.columns if name not in hidden][:SHOWN_COLUMNS]


def dataset_of(request: StudioRequest, project: str, slug: str) -> Dataset:
    """The dataset, for somebody who may change it."""
    found = get_project(user=request.user, slug=project, role=Role.AUTHOR)
    return services.get_dataset(project=found, slug=slug)


def number_of(text: str | None) -> int:
    """A number that a form sends; 0 for anything else."""
    return read_whole(text) or 0
