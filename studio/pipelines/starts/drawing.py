"""From a few strings to a drawing: nodes, wires, and a place for each."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from studio.engine.graph import VERSION
from studio.engine.modules import MODULES
from studio.engine.signature import Field, Signature
from studio.pipelines.boxes import COLUMN, GAP, height_of

Spec = dict[str, Any]
_STAGGER, _WIDE_STAGGER = 140, 260
"""How much lower every second column stands, so that a wire past a step does not run behind it;
in long drawings wires pass several."""


@dataclass(frozen=True, slots=True)
class Start:
    """A drawing to begin with."""

    title: str
    summary: str
    spec: Spec

    def make(self) -> Spec:
        """The drawing, for somebody who draws on."""
        return copy.deepcopy(self.spec)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of a drawing."""

    name: str
    signature: str
    instruction: str = ""
    descriptions: Mapping[str, str] = field(default_factory=dict)
    """A sentence about a field, by its name."""
    kind: str = "predict"
    params: Mapping[str, Any] = field(default_factory=dict)
    wires: Mapping[str, str] = field(default_factory=dict)
    """Where an input comes from: `question`, or `first_search.passages`.

    An input that is not named here gets the field of its own name that was made last before it.
    """


def drawing(inputs: str, steps: Sequence[Step], outputs: Mapping[str, str] | str) -> Spec:
    """A spec whose steps stand in the order in which values flow.

    `outputs` says for each field of the output where it comes from; as one string, the fields
    keep their names.
    """
    board = _Board()
    given = Signature.parse(f"{inputs} -> unused").inputs
    board.add("input", "input", {}, given, fields=[_end_field(one) for one in given])
    for step in steps:
        signature = Signature.parse(step.signature, step.instruction)
        for name, text in step.descriptions.items():
            described = next(one for one in signature.fields if one.name == name)
            signature = signature.with_field(name, replace(described, description=text))
        board.add(
            step.kind,
            step.name,
            {one.name: step.wires.get(one.name, one.name) for one in signature.inputs},
            MODULES[step.kind].ports(signature).outputs,
            signature=signature.to_dict(),
            params=dict(step.params),
            module="",
        )
    if isinstance(outputs, str):
        outputs = {name.strip(): name.strip() for name in outputs.split(",")}
    fields = [{**_end_field(board.made[source][1]), "name": n} for n, source in outputs.items()]
    board.add("output", "output", outputs, (), fields=fields)
    return {"version": VERSION, "nodes": placed(board.nodes, board.edges), "edges": board.edges}


class _Board:
    """Nodes and wires as they are added."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.edges: list[dict[str, str]] = []
        self.made: dict[str, tuple[str, Field]] = {}
        """By `field` and by `step.field`: the id of the node that makes it, and the field."""

    def add(
        self,
        kind: str,
        name: str,
        wires: Mapping[str, str],
        gives: Sequence[Field],
        **more: Any,
    ) -> None:
        id_ = f"n{len(self.nodes) + 1}"
        node = {"id": id_, "kind": kind, "name": name, "position": {"x": 0, "y": 0}, **more}
        self.nodes.append(node)
        for target, wanted in wires.items():
            source, one = self.made[wanted]
            self.edges.append(
                {
                    "id": f"e{len(self.edges) + 1}",
                    "source": source,
                    "source_field": one.name,
                    "target": id_,
                    "target_field": target,
                }
            )
        for one in gives:
            self.made[one.name] = self.made[f"{name}.{one.name}"] = (id_, one)


def placed(nodes: list[dict[str, Any]], edges: list[dict[str, str]]) -> list[dict[str, Any]]:
    """The nodes, which stand in the order in which values flow, each in a place of its own.

    Every node is in the column after the last of its sources, the output in the last one.
    """
    columns: dict[str, int] = {}
    for node in nodes:
        before = [columns[edge["source"]] for edge in edges if edge["target"] == node["id"]]
        columns[node["id"]] = 1 + max(before, default=-1)
    last = max(columns.values(), default=0)
    stagger = 0 if last < 3 else _STAGGER if last < 5 else _WIDE_STAGGER
    below: dict[int, int] = {}
    found = []
    for node in nodes:
        column = max(last, 1) if node["kind"] == "output" else columns[node["id"]]
        y = below.get(column, stagger * (column % 2))
        below[column] = y + height_of(node) + GAP
        found.append({**node, "position": {"x": COLUMN * column, "y": y}})
    return found


def _end_field(one: Field) -> dict[str, str]:
    return {"name": one.name, "type": str(one.type), "description": one.description}
