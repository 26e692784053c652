"""A wire that does not fit, with the conversion that makes it legal."""

from __future__ import annotations

from studio.engine.errors import GraphError
from studio.engine.fields import NAME, shorten
from studio.engine.graph.edits.fresh import free_name, fresh_node_id, names_of
from studio.engine.graph.edits.levels import Node, Spec, find_node
from studio.engine.graph.edits.placing import free_spot, middle
from studio.engine.graph.edits.rows import find_row
from studio.engine.graph.edits.wires import lay, sources_for


def insert_converter(
    level: Spec, source: str, source_field: str, target: str, target_field: str, rule: str
) -> Spec:
    """The level with a Convert step between the two fields, by that rule.

    Raises `GraphError` when the rule does not lead from one to the other.
    """
    ends = find_node(level, source), find_node(level, target)
    found = next(
        (
            one
            for one in sources_for(level, target, target_field)
            if (one.node, one.field) == (source, source_field)
        ),
        None,
    )
    if found is None:
        raise GraphError(f"{ends[0]['name']} has no output “{shorten(source_field)}”.")
    if rule not in {converter.name for converter in found.converters}:
        if not found.reason:
            raise GraphError(f"{found.name}.{found.field} fits as it is: nothing to convert.")
        raise GraphError(f"{found.reason} “{shorten(rule)}” does not help there.")
    into = find_row(ends[1], "input", target_field)
    assert into is not None  # or there would be no conversion
    name = source_field if NAME.match(source_field) else "value"
    answer = free_name(target_field, [name])
    node: Node = {
        "id": fresh_node_id(level),
        "kind": "convert",
        "name": free_name(rule, names_of(level)),
        "position": free_spot(level, middle(ends)),
        "signature": {
            "fields": [
                {"name": name, "role": "input", "type": found.type, "description": ""},
                {"name": answer, "role": "output", "type": into.text, "description": ""},
            ],
            "instruction": "",
        },
        "params": {"rule": rule},
        "module": "",
    }
    level = {**level, "nodes": [*level["nodes"], node]}
    level = lay(level, source, source_field, node["id"], name)
    return lay(level, node["id"], answer, target, target_field)
