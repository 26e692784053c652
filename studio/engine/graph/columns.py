"""Where nodes go that nobody has placed: to the right of what they read."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

COLUMN, ROW = 300, 160
_FAR = 1_000_000
"""Columns and rows are counted that far from the middle."""


def in_order(
    names: Sequence[str], wires: Iterable[tuple[str, str]], last: Iterable[str] = ()
) -> list[str]:
    """The names with sources before targets, else as they stand; circles are cut open.

    Those in `last` come as late as they can.
    """
    place = {name: at for at, name in enumerate(names)}
    late = set(last)
    targets: dict[str, set[str]] = defaultdict(set)
    waits = dict.fromkeys(names, 0)
    for source, target in wires:
        if source != target and target not in targets[source]:
            targets[source].add(target)
            waits[target] += 1
    ready = [(name in late, place[name]) for name in names if not waits[name]]
    heapq.heapify(ready)
    left = dict.fromkeys(sorted(names, key=lambda name: name in late))
    ordered: list[str] = []
    while left:
        if ready:
            name = names[heapq.heappop(ready)[1]]
            if name not in left:
                continue
        else:
            name = next(iter(left))
        del left[name]
        ordered.append(name)
        for target in targets[name]:
            waits[target] -= 1
            if not waits[target] and target in left:
                heapq.heappush(ready, (target in late, place[target]))
    return ordered


def drawing_order(spec: Mapping[str, Any]) -> list[str]:
    """The ids of the nodes as somebody would draw them: the input, the steps, the output."""
    nodes = spec["nodes"]
    given = next((node["id"] for node in nodes if node["kind"] == "input"), None)
    wires = [(edge["source"], edge["target"]) for edge in spec["edges"]]
    names = sorted((node["id"] for node in nodes), key=lambda id_: id_ != given)
    wires = [(source, target) for source, target in wires if target != given]
    return in_order(names, wires, [node["id"] for node in nodes if node["kind"] == "output"])


def lay_out(spec: dict[str, Any]) -> None:
    """Give every node of a drawing, and of what is inside, the place that it lacks."""
    nodes: Mapping[str, dict[str, Any]] = {node["id"]: node for node in spec["nodes"]}
    sources = defaultdict(list)
    for edge in spec["edges"]:
        sources[edge["target"]].append(edge["source"])
    taken = {_cell(node["position"]) for node in nodes.values() if node["position"] is not None}
    for id_ in drawing_order(spec):
        node = nodes[id_]
        for part in (node.get("parts") or {}).values():
            lay_out(part)
        if node["position"] is not None:
            continue
        before = [nodes[source]["position"] for source in sources[id_]]
        placed = [position for position in before if position is not None]
        x = max((position["x"] for position in placed), default=-COLUMN) + COLUMN
        y = min((position["y"] for position in placed), default=0)
        column, row = _cell({"x": x, "y": y})
        while (column, row) in taken:
            row += 1
            y += ROW
        taken.add((column, row))
        node["position"] = {"x": x, "y": y}
    _lay_out_notes(spec)


def _lay_out_notes(spec: Mapping[str, Any]) -> None:
    """Above the nodes, one on top of the other."""
    y = min((node["position"]["y"] for node in spec["nodes"]), default=0)
    for note in spec.get("notes", ()):
        if note["position"] is None:
            y -= ROW
            note["position"] = {"x": 0, "y": y}


def _cell(position: Mapping[str, float]) -> tuple[int, int]:
    def count(length: float, step: int) -> int:
        return round(max(-_FAR, min(_FAR, length / step)))

    return count(position["x"], COLUMN), count(position["y"], ROW)
