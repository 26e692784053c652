"""New rows: one from a form, or many from pasted text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from studio.datasets.editing import rows as editing
from studio.datasets.editing.pasting import Pasted, read_paste
from studio.datasets.editing.rows import Doubtful, Sheet
from studio.datasets.editing.views import (
    SHOWN_ROWS,
    columns_to_edit,
    dataset_of,
    field_of,
    shown,
)
from studio.datasets.models import Dataset
from studio.datasets.table import Row
from studio.errors import Conflict, Invalid
from studio.http import StudioRequest


@require_http_methods(["GET", "POST"])
def add_rows(request: StudioRequest, project: str, slug: str) -> HttpResponse:
    """New rows: one from a form, or many from pasted text after a look at them."""
    data = dataset_of(request, project, slug)
    said = request.POST
    problem, doubtful = "", False
    pasted: Pasted | None = None
    if request.method == "POST":
        try:
            rows, pasted = _rows_of(data, said)
            if said.get("action") != "preview":
                version = editing.add_rows(
                    actor=request.user, dataset=data, rows=rows, sure=said.get("sure") == "yes"
                )
                count = version.changes.get("added", 0)
                noun = "row is" if count == 1 else "rows are"
                messages.success(request, f"{count:,} {noun} added: version {version.number}.")
                return redirect(data)
        except (Invalid, Conflict) as error:
            problem, doubtful = str(error), isinstance(error, Doubtful)
    sheet = Sheet(data)
    empty = Row(0, {}, "")
    context = {
        "project": data.project,
        "dataset": data,
        "fields": [
            field_of(sheet, empty, name, said if request.method == "POST" else None)
            for name in columns_to_edit(data)
        ],
        "splits": editing.splits_for(data),
        "split": said.get("split", "train"),
        "text": said.get("text", ""),
        "pasted": pasted,
        "shown": _preview(data, pasted),
        "repeats": _repeats(data, pasted, said),
        "problem": problem,
        "doubtful": doubtful,
        "most": editing.MOST_ADDED,
    }
    return render(request, "datasets/add_rows.html", context, status=422 if problem else 200)


def _rows_of(
    data: Dataset, said: Mapping[str, str]
) -> tuple[list[tuple[Mapping[str, Any], str]], Pasted | None]:
    split = said.get("split", "")
    if "text" in said:
        pasted = read_paste(said["text"], data.columns, split=split)
        return list(pasted.rows), pasted
    values: dict[str, Any] = {}
    for name in columns_to_edit(data):
        kind = said.get(f"kind:{name}", editing.TEXT)
        value = editing.read(said.get(f"value:{name}", ""), kind, name=name)
        if value is not None:
            values[name] = value
    return ([(values, split)] if values else []), None


def _preview(data: Dataset, pasted: Pasted | None) -> dict[str, Any]:
    if pasted is None:
        return {}
    named = {name for values, _split in pasted.rows for name in values}
    columns = [name for name in (*data.columns, *pasted.new_columns) if name in named][:20]
    return {
        "columns": columns,
        "rows": [
            (split, [shown(values.get(name)) for name in columns])
            for values, split in pasted.rows[:SHOWN_ROWS]
        ],
        "more": max(0, len(pasted.rows) - SHOWN_ROWS),
    }


def _repeats(data: Dataset, pasted: Pasted | None, said: Mapping[str, str]) -> list[int]:
    """Rows that already have the inputs of the one that is being added."""
    if pasted is None or len(pasted.rows) != 1:
        return []
    sheet = Sheet(data)
    values = pasted.rows[0][0]
    inputs = {name for name, field in sheet.fields.items() if field.role == "input"}
    return editing.find_repeats(data, {n: v for n, v in values.items() if n in inputs})
