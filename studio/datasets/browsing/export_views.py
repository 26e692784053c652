"""A dataset as a file that people take away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.http import StreamingHttpResponse
from django.views.decorators.http import require_GET

from studio.accounts.services import get_project, record
from studio.datasets.browsing.searching import open_splits, visible_table
from studio.datasets.models import Split
from studio.datasets.services import get_dataset
from studio.datasets.table import Table
from studio.datasets.writing import csv_lines, jsonl_lines
from studio.errors import Invalid, NotFound
from studio.http import StudioRequest, download

SPLIT = "split"
"""The column that says what a row is for; with more of the mark _ where there is one already."""


@require_GET
def export(request: StudioRequest, project: str, slug: str, kind: str) -> StreamingHttpResponse:
    """The rows of a version as `csv` or `jsonl`, of one split or of all that may be seen.

    In CSV formulas are neutralised; JSON lines hold every value as it is.
    """
    found = get_project(user=request.user, slug=project)
    dataset = get_dataset(project=found, slug=slug)
    split, number = request.GET.get("split", ""), request.GET.get("version", "")
    if kind not in ("csv", "jsonl"):
        raise NotFound("A dataset can be taken away as csv or jsonl.")
    if split not in ("", *Split.values):
        raise Invalid(f"“{split[:20]}” is not a split: say train, dev or test.")
    if number and not (number.isascii() and number.isdigit() and len(number) < 10 and int(number)):
        raise Invalid(f"“{number[:20]}” is not a version: say its number.")
    table = visible_table(dataset, int(number) if number else None)
    splits = open_splits(dataset, split)
    mark = SPLIT
    while mark in table.columns:
        mark += "_"
    rows = _rows(table, splits, mark)
    record(
        project=found,
        actor=request.user,
        action="dataset.export",
        subject=dataset.name,
        version=table.number,
        splits=list(splits),
    )
    name = f"{dataset.slug}-v{table.number}{f'-{split}' if split else ''}.{kind}"
    if kind == "csv":
        lines = csv_lines([*table.columns, mark], rows)
        return download(request, lines, name=name, content_type="text/csv")
    return download(request, jsonl_lines(rows), name=name, content_type="application/x-ndjson")


def _rows(table: Table, splits: tuple[str, ...], mark: str) -> Iterator[Mapping[str, Any]]:
    for row in table.rows():
        if row.split in splits:
            yield {**row.values, mark: row.split}
