"""A pipeline in words, step by step: for whoever cannot or does not want to see the drawing."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from studio.engine.graph import NODE_KINDS
from studio.engine.graph.check import inspect


@dataclass(frozen=True, slots=True)
class Line:
    """A field of a node, and where its value comes from."""

    name: str
    type: str
    source: str = ""
    """Such as `classify.category`; empty for an input that gets nothing, and for outputs."""


@dataclass(frozen=True, slots=True)
class Part:
    """A node in words."""

    name: str
    kind: str
    instruction: str
    inputs: tuple[Line, ...]
    outputs: tuple[Line, ...]


def outline(spec: Any) -> list[Part]:
    """The nodes in the order in which values flow; what cannot be read is left out."""
    checked = inspect(spec)
    if any(problem.code in ("bad-spec", "too-large") for problem in checked.problems):
        return []
    nodes = {node["id"]: node for node in spec["nodes"]}
    sources = {
        (edge["target"], edge["target_field"]): (edge["source"], edge["source_field"])
        for edge in spec["edges"]
        if edge["source"] in nodes
    }
    parts = []
    for id_ in _in_order(nodes, spec["edges"]):
        node, ports = nodes[id_], checked.ports.get(id_)
        kind = NODE_KINDS.get(node["kind"])
        parts.append(
            Part(
                name=node["name"],
                kind=kind.title if kind else node["kind"],
                instruction=_instruction(node),
                inputs=tuple(
                    Line(name, str(type_), _source(nodes, sources.get((id_, name))))
                    for name, type_ in (ports.inputs.items() if ports else ())
                ),
                outputs=tuple(
                    Line(name, str(type_))
                    for name, type_ in (ports.outputs.items() if ports else ())
                ),
            )
        )
    return parts


def _in_order(nodes: dict[str, Any], edges: list[dict[str, str]]) -> list[str]:
    """Ids from the input to the output; in a circle as they were drawn."""
    sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(nodes, ()))
    for edge in edges:
        if edge["source"] in nodes and edge["target"] in nodes:
            sorter.add(edge["target"], edge["source"])
    try:
        return list(sorter.static_order())
    except CycleError:
        return list(nodes)


def _source(nodes: dict[str, Any], found: tuple[str, str] | None) -> str:
    return f"{nodes[found[0]]['name']}.{found[1]}" if found else ""


def _instruction(node: dict[str, Any]) -> str:
    signature = node.get("signature")
    value = signature.get("instruction") if isinstance(signature, dict) else ""
    return value if isinstance(value, str) else ""
