"""Where nodes lie on the board. Programs do not depend on it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from studio.engine.errors import GraphError
from studio.engine.fields import shorten
from studio.engine.graph.edits.levels import Node, Spec, find_node
from studio.engine.graph.edits.rows import is_end, rows_of
from studio.engine.graph.edits.wires import ahead_of

COLUMN = 300
GAP = 48
STEP = 40
"""How far a node moves at once."""
_SNAP = 20
_WAYS = {"left": ("x", -STEP), "right": ("x", STEP), "up": ("y", -STEP), "down": ("y", STEP)}


def move(level: Spec, ids: Collection[str], way: str) -> Spec:
    """These nodes one step to the left, right, up or down. Raises `GraphError`."""
    if way not in _WAYS:
        raise GraphError(f"“{shorten(way)}” is no way: left, right, up or down.")
    axis, by = _WAYS[way]
    places = {}
    for id_ in ids:
        position = find_node(level, id_)["position"]
        places[id_] = {**position, axis: position[axis] + by}
    return _placed(level, places)


def tidy(level: Spec) -> Spec:
    """Every node in the column after the last of its sources, the output in the last one.

    Raises `GraphError` when the pipeline runs in a circle: then there is no order.
    """
    columns = _columns(level)
    last = max((1, *columns.values()))
    for node in level["nodes"]:
        if node["kind"] == "output":
            columns[node["id"]] = last
    places: dict[str, dict[str, float]] = {}
    for column in range(last + 1):
        stack = [node for node in level["nodes"] if columns[node["id"]] == column]
        stack.sort(key=lambda node: node["position"]["y"])
        y = round(-sum(_height(node) + GAP for node in stack) / 2 + GAP / 2)
        for node in stack:
            places[node["id"]] = {"x": column * COLUMN, "y": y}
            y += _height(node) + GAP
    return _placed(level, places)


def free_spot(level: Mapping[str, Any], wanted: Mapping[str, float]) -> dict[str, float]:
    """The nearest place at or below `wanted` where a new node covers none."""
    x, y = wanted["x"], wanted["y"]
    while covered := next((node for node in level["nodes"] if _covers(node, x, y)), None):
        y = covered["position"]["y"] + _height(covered) + _SNAP
    return {"x": round(x / _SNAP) * _SNAP, "y": round(y / _SNAP) * _SNAP}


def middle(nodes: Collection[Node]) -> dict[str, float]:
    """The point between some nodes."""
    return {
        axis: round(sum(node["position"][axis] for node in nodes) / max(1, len(nodes)))
        for axis in ("x", "y")
    }


def _covers(node: Node, x: float, y: float) -> bool:
    place = node["position"]
    beside = abs(place["x"] - x) < 260
    return bool(beside and y < place["y"] + _height(node) and place["y"] < y + 150)


def _placed(level: Spec, places: Mapping[str, Mapping[str, float]]) -> Spec:
    nodes = [
        {**node, "position": dict(places[node["id"]])} if node["id"] in places else node
        for node in level["nodes"]
    ]
    return {**level, "nodes": nodes}


def _columns(level: Spec) -> dict[str, int]:
    """By id: one more than the last of its sources. Raises `GraphError` in a circle."""
    columns = dict.fromkeys((node["id"] for node in level["nodes"]), 0)
    waiting = dict.fromkeys(columns, 0)
    targets = ahead_of(level)
    for ahead in targets.values():
        for id_ in ahead:
            waiting[id_] += 1
    ready = [id_ for id_, count in waiting.items() if not count]
    seen = 0
    while ready:
        id_ = ready.pop()
        seen += 1
        for target in targets.get(id_, ()):
            columns[target] = max(columns[target], columns[id_] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    if seen < len(columns):
        raise GraphError("The pipeline runs in a circle: remove one of its wires first.")
    return columns


def _height(node: Node) -> int:
    """About how tall a node is drawn."""
    text = 0 if is_end(node) else 44
    return 60 + text + max(1, len(rows_of(node))) * 26
