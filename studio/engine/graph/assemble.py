"""From nodes, wires and modules to a program."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import TopologicalSorter
from typing import Any

from studio.engine.graph.nodes import node_fields
from studio.engine.modules.base import Module
from studio.engine.program import INPUT, Node, Program, Wire


def assemble(spec: Mapping[str, Any], modules: Mapping[str, Module]) -> Program:
    """The program of a spec without problems, with the module of each step by its node's id."""
    ends = {node["kind"]: node for node in spec["nodes"] if node["kind"] in ("input", "output")}
    return Program(
        inputs=node_fields(ends["input"]),
        outputs=node_fields(ends["output"]),
        layers=layers_of(spec, modules),
        wires=wires_of(spec)[ends["output"]["id"]],
    )


def layers_of(
    spec: Mapping[str, Any], modules: Mapping[str, Module]
) -> tuple[tuple[Node, ...], ...]:
    """The steps that have a module, in layers that only need what earlier ones answer."""
    nodes = {node["id"]: node for node in spec["nodes"]}
    names = {id_: nodes[id_]["name"] for id_ in modules}
    wires = wires_of(spec)
    return tuple(
        tuple(
            Node(names[id_], modules[id_], wires[id_], nodes[id_].get("lm", "")) for id_ in layer
        )
        for layer in _layers(names, spec["edges"])
    )


def wires_of(spec: Mapping[str, Any]) -> dict[str, dict[str, Wire]]:
    """By node id, for each of its inputs where the value comes from."""
    nodes = {node["id"]: node for node in spec["nodes"]}
    wires: dict[str, dict[str, Wire]] = {id_: {} for id_ in nodes}
    for edge in spec["edges"]:
        source = nodes[edge["source"]]
        name = INPUT if source["kind"] == "input" else source["name"]
        wires[edge["target"]][edge["target_field"]] = Wire(name, edge["source_field"])
    return wires


def _layers(names: Mapping[str, str], edges: list[dict[str, Any]]) -> list[list[str]]:
    """Ids of the steps in layers whose inputs are all in earlier ones.

    Inside a layer the order is that of the names, so that it does not depend on the drawing.
    """
    sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(names, ()))
    for edge in edges:
        if edge["source"] in names and edge["target"] in names:
            sorter.add(edge["target"], edge["source"])
    sorter.prepare()
    layers = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=names.__getitem__)
        layers.append(ready)
        sorter.done(*ready)
    return layers
