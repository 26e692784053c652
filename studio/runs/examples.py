"""Rows of datasets as inputs to try a pipeline on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studio.datasets.browsing.searching import find_rows
from studio.datasets.models import Dataset, Split
from studio.datasets.services import columns_of, get_dataset, split_counts
from studio.datasets.table import Row
from studio.engine.errors import ParseError, SignatureError
from studio.engine.graph.nodes import node_fields
from studio.engine.signature import Field
from studio.pipelines.models import Pipeline

SHOWN = 20
LONGEST_SEARCH = 200
_OPEN = (Split.TRAIN, Split.DEV)
"""The held-out part stays sealed: whoever tries things on it has seen it."""


def find_examples(
    pipeline: Pipeline, *, dataset: str = "", text: str = "", offset: int = 0
) -> dict[str, Any]:
    """`{"datasets", "rows", "total"}`: without a dataset's short name which datasets there are.

    When a text is looked for, `total` is as many rows as were found, and one if there are more.

    Each row has `values` by the names of the pipeline's inputs, and what is `expected` by those
    of its outputs; both of the fields' types where the cells can be read as such. Raises
    `NotFound` for a dataset that is not there.
    """
    project = pipeline.project
    answer: dict[str, Any] = {
        "datasets": [
            {"slug": one.slug, "name": one.name, "rows": _open_rows(one)}
            for one in project.datasets.order_by("name")
        ],
        "rows": [],
        "total": 0,
    }
    if not dataset:
        return answer
    found = get_dataset(project=project, slug=dataset)
    inputs, outputs = _fields(pipeline.spec, "input"), _fields(pipeline.spec, "output")
    columns = columns_of(found, [*inputs, *outputs])
    text = text.replace("\0", "").strip()[:LONGEST_SEARCH]
    rows, more = find_rows(found, splits=_OPEN, text=text, skip=offset, limit=SHOWN)
    total = offset + len(rows) + more if text else _open_rows(found)
    return {
        **answer,
        "rows": [
            {
                "number": row.number,
                "split": row.split,
                "values": _values(row, inputs, columns),
                "expected": _values(row, outputs, columns),
            }
            for row in rows
        ],
        "total": total,
    }


def _open_rows(dataset: Dataset) -> int:
    counts = split_counts(dataset)
    return sum(counts[split] for split in _OPEN)


def _fields(spec: Mapping[str, Any], kind: str) -> Sequence[Field]:
    """The fields of the input or the output, those that can be read: it may be unfinished."""
    nodes = [node for node in spec.get("nodes", ()) if node.get("kind") == kind]
    found: dict[str, Field] = {}
    for node in nodes:
        fields = node.get("fields")
        for field in fields if isinstance(fields, list) else ():
            try:
                for read in node_fields({**node, "fields": [field]}):
                    found.setdefault(read.name, read)
            except SignatureError:
                continue  # the drawing's own problems tell it
    return list(found.values())


def _values(row: Row, fields: Sequence[Field], columns: Mapping[str, str]) -> dict[str, Any]:
    values = {}
    for field in fields:
        cell = row.values.get(columns[field.name]) if field.name in columns else None
        if cell is not None:
            values[field.name] = _typed(field, cell)
    return values


def _typed(field: Field, cell: Any) -> Any:
    """The cell as a value of the field, or as it is: whoever tries it is told what is wrong."""
    try:
        return field.read(cell)
    except ParseError:
        return cell
