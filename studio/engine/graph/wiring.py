"""What is wrong with the wires of one pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from studio.engine.fields import FieldType, accepts
from studio.engine.graph.spec import Problem


@dataclass(frozen=True, slots=True)
class Ports:
    """What can be wired into a node and out of it."""

    inputs: Mapping[str, FieldType]
    outputs: Mapping[str, FieldType]
    optional: frozenset[str] = frozenset()
    """Inputs that need no wire: they have a default, or may be nothing."""


def wiring_problems(
    nodes: list[dict[str, Any]], edges: list[dict[str, Any]], ports: Mapping[str, Ports]
) -> list[Problem]:
    """Wires that lead nowhere or do not fit, inputs without one, circles."""
    return [
        *_edge_problems(nodes, edges, ports),
        *_missing_wires(nodes, edges, ports),
        *_cycle_problems(nodes, edges),
    ]


def unreachable(nodes: list[dict[str, Any]], edges: list[dict[str, Any]]) -> list[Problem]:
    """Steps whose answers nobody uses would be paid for in vain."""
    sources = _sources(edges, nodes)
    used: set[str] = set()
    waiting = [node["id"] for node in nodes if node["kind"] == "output"]
    while waiting:
        node = waiting.pop()
        if node not in used:
            used.add(node)
            waiting.extend(sources[node])
    return [
        Problem(
            code="unreachable",
            message=f"Nothing uses what {node['name']} produces: wire it on, or remove it.",
            node=node["id"],
        )
        for node in nodes
        if node["id"] not in used and node["kind"] != "input"
    ]


def _edge_problems(
    nodes: list[dict[str, Any]], edges: list[dict[str, Any]], ports: Mapping[str, Ports]
) -> list[Problem]:
    names = {node["id"]: node["name"] for node in nodes}
    problems: list[Problem] = []
    taken: set[tuple[str, str]] = set()
    for edge in edges:
        source, target = edge["source"], edge["target"]
        here = Problem(code="", message="", edge=edge["id"])
        gone = [end for end in (source, target) if end not in names]
        if gone:
            message = f"A wire leads to a node that is not there ({gone[0]}): remove the wire."
            problems.append(replace(here, code="unknown-node", message=message))
            continue
        if source not in ports or target not in ports:
            continue  # the node's own problem is told already
        here = replace(here, node=target, field=edge["target_field"])
        out = ports[source].outputs.get(edge["source_field"])
        into = ports[target].inputs.get(edge["target_field"])
        if out is None or into is None:
            end = (source, edge["source_field"]) if out is None else (target, edge["target_field"])
            way = "output" if out is None else "input"
            message = f"{names[end[0]]} has no {way} “{end[1]}”: remove the wire or add the field."
            problems.append(replace(here, code="unknown-field", message=message))
            continue
        if (target, edge["target_field"]) in taken:
            message = f"{names[target]}.{edge['target_field']} has two wires: keep one."
            problems.append(replace(here, code="two-wires", message=message))
        taken.add((target, edge["target_field"]))
        if reason := accepts(out, into):
            message = (
                f"{names[source]}.{edge['source_field']} cannot go into "
                f"{names[target]}.{edge['target_field']}: {reason}."
            )
            problems.append(replace(here, code="wrong-type", message=message))
    return problems


def _missing_wires(
    nodes: list[dict[str, Any]], edges: list[dict[str, Any]], ports: Mapping[str, Ports]
) -> list[Problem]:
    wired = {(edge["target"], edge["target_field"]) for edge in edges}
    return [
        Problem(
            code="unconnected-input",
            message=f"{node['name']}.{name} gets nothing: draw a wire to it.",
            node=node["id"],
            field=name,
        )
        for node in nodes
        if node["id"] in ports
        for name in ports[node["id"]].inputs
        if (node["id"], name) not in wired and name not in ports[node["id"]].optional
    ]


def _sources(edges: list[dict[str, Any]], nodes: list[dict[str, Any]]) -> dict[str, set[str]]:
    sources: dict[str, set[str]] = {node["id"]: set() for node in nodes}
    for edge in edges:
        if edge["target"] in sources and edge["source"] in sources:
            sources[edge["target"]].add(edge["source"])
    return sources


def _cycle_problems(nodes: list[dict[str, Any]], edges: list[dict[str, Any]]) -> list[Problem]:
    names = {node["id"]: node["name"] for node in nodes}
    try:
        TopologicalSorter(_sources(edges, nodes)).prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        way = " → ".join(names[node] for node in circle)
        message = f"The pipeline runs in a circle: {way}. Remove one of these wires."
        return [Problem(code="cycle", message=message, node=circle[0])]
    return []
