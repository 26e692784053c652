"""Outputs of steps as outputs of the pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.engine.errors import GraphError
from studio.engine.fields import shorten
from studio.engine.graph.edits.fresh import free_name
from studio.engine.graph.edits.levels import Spec, find_node, with_node
from studio.engine.graph.edits.rows import find_row, raw_fields
from studio.engine.graph.edits.wires import lay


def expose(level: Spec, id_: str, field: str) -> Spec:
    """The level whose output node has this output of a step, too: a field and its wire.

    Raises `GraphError` when there is no output node, or the step has no such output.
    """
    node = find_node(level, id_)
    row = find_row(node, "output", field)
    if row is None:
        raise GraphError(f"{node['name']} has no output “{shorten(field)}”.")
    output = _output(level)
    if output is None:
        raise GraphError("The pipeline has no output node: add one first.")
    if node is output:
        raise GraphError("The output node answers what it is given already.")
    fields = raw_fields(output)
    name = free_name(field, [other["name"] for other in fields])
    added = {"name": name, "type": row.text, "description": ""}
    level = with_node(level, {**output, "fields": [*fields, added]})
    return lay(level, id_, field, output["id"], name)


def _output(level: Mapping[str, Any]) -> dict[str, Any] | None:
    return next((node for node in level["nodes"] if node["kind"] == "output"), None)
