"""What is mended when a document is opened: ids that stand twice, wires that lead nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.engine.graph.edits.fresh import free_id


def mended(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The document with every id once and every wire between two nodes, at every level.

    Its shape is known to be good. A document in order comes out as it went in.
    """
    nodes: list[dict[str, Any]] = []
    ids: set[str] = set()
    taken = {node["id"] for node in spec["nodes"]}
    for node in spec["nodes"]:
        id_ = node["id"]
        if not id_ or id_ in ids:
            id_ = free_id("n", taken)
        ids.add(id_)
        taken.add(id_)
        inside = {name: mended(part) for name, part in node.get("parts", {}).items()}
        nodes.append({**node, "id": id_, **({"parts": inside} if inside else {})})
    edges = [e for e in spec["edges"] if e["source"] in ids and e["target"] in ids]
    level = {**spec, "nodes": nodes, "edges": _each_once(edges, "e")}
    if "notes" in spec:
        level["notes"] = _each_once(spec["notes"], "t")
    return level


def _each_once(items: list[dict[str, Any]], prefix: str) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    ids: set[str] = set()
    taken = {item["id"] for item in items}
    for item in items:
        id_ = item["id"]
        if not id_ or id_ in ids:
            id_ = free_id(prefix, taken)
        ids.add(id_)
        taken.add(id_)
        kept.append({**item, "id": id_})
    return kept
