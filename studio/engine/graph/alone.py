"""One step by itself: the smallest pipeline around a node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.engine.errors import GraphError
from studio.engine.graph.nodes import node_ports
from studio.engine.graph.spec import VERSION, Problem
from studio.engine.modules import MODULES

_IN, _OUT = "input", "output"


def alone(node: Mapping[str, Any]) -> dict[str, Any]:
    """A spec that gives the node its inputs and answers all of its outputs.

    Raises `GraphError` when the node is no step or its fields cannot be read; what else is wrong
    with it, `check` tells of the spec.
    """
    if node.get("kind") not in MODULES:
        raise GraphError("Only a step asks a language model something.", problems=())
    ports = node_ports(node)
    if isinstance(ports, Problem):
        raise GraphError(ports.message, problems=(ports,))
    step = {**node, "id": "step", "position": {"x": 0, "y": 0}}
    wires = [
        *((_IN, name, "step", name) for name in ports.inputs),
        *(("step", name, _OUT, name) for name in ports.outputs),
    ]
    ends = ((_IN, ports.inputs), (_OUT, ports.outputs))
    return {
        "version": VERSION,
        "nodes": [
            *(
                {
                    "id": kind,
                    "kind": kind,
                    "name": f"{kind}_" if node.get("name") == kind else kind,
                    "position": {"x": 0, "y": 0},
                    "fields": [
                        {"name": name, "type": str(type_), "description": ""}
                        for name, type_ in fields.items()
                    ],
                }
                for kind, fields in ends
            ),
            step,
        ],
        "edges": [
            {
                "id": f"e{number}",
                "source": source,
                "source_field": source_field,
                "target": target,
                "target_field": target_field,
            }
            for number, (source, source_field, target, target_field) in enumerate(wires, 1)
        ],
    }
