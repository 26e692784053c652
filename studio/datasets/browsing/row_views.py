"""The page of one row: all its values, and what became of it over the versions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from studio.accounts.models import Role
from studio.accounts.services import get_project, may
from studio.datasets import services
from studio.datasets.browsing.histories import Change, history_of
from studio.datasets.browsing.row_table import columns_at, find_row
from studio.datasets.models import Dataset
from studio.datasets.table import Row
from studio.datasets.uploading.judging import shorten, text_of
from studio.http import StudioRequest
from studio.numerals import read_whole

SHOWN = 20_000
"""Characters of a value that the page shows; the API has all of them."""
SHOWN_CHANGE = 200


@dataclass(frozen=True, slots=True)
class Value:
    """One value, as people read it."""

    column: str
    field: str
    """The signature's field that the column fills, if any."""
    text: str
    kind: str
    """`text`, `json` or `none`."""
    is_cut: bool


@require_GET
def row(request: StudioRequest, project: str, slug: str, number: int) -> HttpResponse:
    """All values of one row of a version."""
    found = get_project(user=request.user, slug=project)
    data = services.get_dataset(project=found, slug=slug)
    named = request.GET.get("version", "")
    columns = columns_at(data, named)
    version = read_whole(named)
    one, before, after = find_row(data, number, version)
    context = {
        "project": found,
        "dataset": data,
        "row": one,
        "version": version,
        "is_newest": version in (None, data.number),
        "values": [_value(data, one, column) for column in columns],
        "before": before,
        "after": after,
        "history": [_shown(change) for change in history_of(data, number)],
        "may_write": may(user=request.user, project=found, role=Role.AUTHOR),
    }
    return render(request, "datasets/row.html", context)


def _value(dataset: Dataset, row: Row, column: str) -> Value:
    value = row.values.get(column)
    fields = [field for field, name in dataset.mapping.items() if name == column]
    kind, text = "none" if value is None else "text", text_of(value)
    if isinstance(value, list | dict):
        kind, text = "json", json.dumps(value, ensure_ascii=False, indent=2)
    return Value(column, ", ".join(fields), shorten(text, SHOWN), kind, len(text) > SHOWN)


def _shown(change: Change) -> dict[str, Any]:
    cells = [
        (name, shorten(text_of(old), SHOWN_CHANGE), shorten(text_of(new), SHOWN_CHANGE))
        for name, old, new in change.cells
    ]
    return {"change": change, "cells": cells, "moved": len(set(change.splits)) > 1}
