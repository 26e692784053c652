"""Several steps as one, and one as several."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from studio.engine.errors import GraphError
from studio.engine.graph.edits.fresh import (
    free_id,
    free_name,
    fresh_edge_id,
    fresh_node_id,
    names_of,
    require_name,
)
from studio.engine.graph.edits.levels import Edge, Node, Spec, find_node
from studio.engine.graph.edits.placing import COLUMN, middle
from studio.engine.graph.edits.rows import is_end, rows_of
from studio.engine.graph.edits.wires import ahead_of
from studio.engine.graph.spec import VERSION
from studio.engine.modules.inner import BODY

KIND = "subpipeline"
Port = tuple[str, str]
"""A node's id and one of its fields."""


def group(level: Spec, ids: Collection[str], name: str = "") -> Spec:
    """The level with a Subpipeline in the place of these steps; values go the ways they went.

    Raises `GraphError` when one is an end, a step outside lies between them, or nothing would
    come out.
    """
    inside = [find_node(level, id_) for id_ in dict.fromkeys(ids)]
    _require_group(level, inside)
    if name:
        require_name({"nodes": _without(level, inside)}, name)
    members = {node["id"] for node in inside}
    entering = [e for e in level["edges"] if e["target"] in members and e["source"] not in members]
    leaving = [e for e in level["edges"] if e["source"] in members and e["target"] not in members]
    within = [e for e in level["edges"] if e["source"] in members and e["target"] in members]
    names: set[str] = set()
    taken = _named(dict.fromkeys((e["source"], e["source_field"]) for e in entering), names)
    given = dict.fromkeys((e["source"], e["source_field"]) for e in leaving)
    answered = _named(given or _loose_outputs(inside, within), names)
    if not taken or not answered:
        missing = "gets nothing from the others" if not taken else "answers nothing"
        raise GraphError(f"A group that {missing} cannot be a step: wire it first.")
    fields = [
        *(_field(level, port, name, "input") for port, name in taken.items()),
        *(_field(level, port, name, "output") for port, name in answered.items()),
    ]
    node: Node = {
        "id": fresh_node_id(level),
        "kind": KIND,
        "name": name or free_name("group", [n["name"] for n in _without(level, inside)]),
        "position": middle(inside),
        "signature": {"fields": fields, "instruction": ""},
        "params": {},
        "module": "",
        "parts": {BODY: _body(inside, within, entering, taken, answered, fields)},
    }
    edges = [e for e in level["edges"] if not {e["source"], e["target"]} & members]
    for port, field in taken.items():
        edges.append(_edge(edges, level, port, (node["id"], field)))
    for edge in leaving:
        field = answered[edge["source"], edge["source_field"]]
        edges.append({**edge, "source": node["id"], "source_field": field})
    return {**level, "nodes": [*_without(level, inside), node], "edges": edges}


def ungroup(level: Spec, id_: str) -> Spec:
    """The level with the steps and notes of a Subpipeline in its place. Raises `GraphError`."""
    node = find_node(level, id_)
    body = node.get("parts", {}).get(BODY)
    if node["kind"] != KIND or body is None:
        raise GraphError(f"{node['name']} is no Subpipeline with steps inside.")
    others = {**level, "nodes": [other for other in level["nodes"] if other["id"] != id_]}
    freed, fresh = _freed(others, node, body)
    return {**freed, "edges": _rewired(level, id_, body, fresh)}


def _freed(level: Spec, node: Node, body: Spec) -> tuple[Spec, dict[str, str]]:
    """The level with what was inside of the node, and the new ids of the steps."""
    steps = [one for one in body["nodes"] if not is_end(one)]
    centre = middle(steps)
    shift = {axis: node["position"][axis] - centre[axis] for axis in ("x", "y")}
    fresh: dict[str, str] = {}
    for step in steps:
        fresh[step["id"]] = fresh_node_id({**level, "nodes": [*level["nodes"], node]})
        moved = {
            **step,
            "id": fresh[step["id"]],
            "name": free_name(step["name"], names_of(level), fallback="step"),
            "position": _shifted(step, shift),
        }
        if node.get("lm") and not step.get("lm"):
            moved["lm"] = node["lm"]  # the LM of the group was that of all its steps
        level = {**level, "nodes": [*level["nodes"], moved]}
    for note in body.get("notes", ()):
        notes = level.get("notes", [])
        id_ = free_id("t", {item["id"] for item in (*level["nodes"], *notes)})
        moved = {**note, "id": id_, "position": _shifted(note, shift)}
        level = {**level, "notes": [*notes, moved]}
    return level, fresh


def _shifted(item: Node, shift: dict[str, float]) -> dict[str, float]:
    return {axis: item["position"][axis] + shift[axis] for axis in ("x", "y")}


def _rewired(level: Spec, id_: str, body: Spec, fresh: dict[str, str]) -> list[Edge]:
    """The wires of the level when what is inside of the node stands in its place."""
    ends = {one["id"]: one["kind"] for one in body["nodes"] if is_end(one)}
    given = {edge["target_field"]: edge for edge in level["edges"] if edge["target"] == id_}

    def start_of(edge: Edge) -> Port | None:
        """Where a value inside comes from, seen from outside."""
        if edge["source"] in fresh:
            return fresh[edge["source"]], edge["source_field"]
        outer = given.get(edge["source_field"])
        is_input = ends.get(edge["source"]) == "input"
        return (outer["source"], outer["source_field"]) if outer and is_input else None

    answers = {
        edge["target_field"]: start_of(edge)
        for edge in body["edges"]
        if ends.get(edge["target"]) == "output"
    }
    edges = [edge for edge in level["edges"] if id_ not in (edge["source"], edge["target"])]
    for edge in body["edges"]:
        if edge["target"] in fresh and (start := start_of(edge)):
            edges.append(_edge(edges, level, start, (fresh[edge["target"]], edge["target_field"])))
    for edge in level["edges"]:
        if edge["source"] == id_ and (start := answers.get(edge["source_field"])):
            edges.append({**edge, "source": start[0], "source_field": start[1]})
    return edges


def _require_group(level: Spec, inside: Collection[Node]) -> None:
    if not inside:
        raise GraphError("Choose the steps that go into the group.")
    for node in inside:
        if is_end(node):
            raise GraphError(f"{node['name']} is an end of the pipeline: leave it out of a group.")
    members = {node["id"] for node in inside}
    ahead = ahead_of(level)
    waiting = [to for id_ in members for to in ahead.get(id_, ()) if to not in members]
    seen: set[str] = set()
    while waiting:
        id_ = waiting.pop()
        if id_ in seen:
            continue
        seen.add(id_)
        if members & ahead.get(id_, set()):
            between = find_node(level, id_)["name"]
            raise GraphError(
                f"{between} lies between these steps, so a group of them would wait for itself: "
                f"take {between} into the group as well."
            )
        waiting.extend(ahead.get(id_, ()))


def _without(level: Spec, inside: Collection[Node]) -> list[Node]:
    gone = {node["id"] for node in inside}
    return [node for node in level["nodes"] if node["id"] not in gone]


def _named(ports: Collection[Port], taken: set[str]) -> dict[Port, str]:
    """A field name for each, none of them twice."""
    named = {}
    for port in ports:
        named[port] = free_name(port[1], taken)
        taken.add(named[port])
    return named


def _loose_outputs(inside: Collection[Node], within: Collection[Edge]) -> list[Port]:
    """What the steps answer and none of them takes."""
    used = {(edge["source"], edge["source_field"]) for edge in within}
    return [
        (node["id"], row.name)
        for node in inside
        for row in rows_of(node)
        if row.role == "output" and (node["id"], row.name) not in used
    ]


def _field(level: Spec, port: Port, name: str, role: str) -> dict[str, Any]:
    rows = rows_of(find_node(level, port[0]))
    type_ = next((r.text for r in rows if r.role == "output" and r.name == port[1]), "str")
    return {"name": name, "role": role, "type": type_, "description": ""}


def _body(
    inside: Collection[Node],
    within: Collection[Edge],
    entering: Collection[Edge],
    taken: dict[Port, str],
    answered: dict[Port, str],
    fields: Collection[dict[str, Any]],
) -> Spec:
    ids = {node["id"] for node in inside}
    xs = [node["position"]["x"] for node in inside]
    y = middle(inside)["y"]
    names = [node["name"] for node in inside]
    ends: dict[str, Node] = {}
    for role, x in (("input", min(xs) - COLUMN), ("output", max(xs) + COLUMN)):
        id_ = role if role not in ids else free_id("n", ids)
        ids.add(id_)
        ends[role] = {
            "id": id_,
            "kind": role,
            "name": free_name(role, names),
            "position": {"x": x, "y": y},
            "fields": [
                {key: value for key, value in field.items() if key != "role"}
                for field in fields
                if field["role"] == role
            ],
        }
    edges: list[Edge] = list(within)
    for edge in entering:
        name = taken[edge["source"], edge["source_field"]]
        edges.append({**edge, "source": ends["input"]["id"], "source_field": name})
    body: Spec = {
        "version": VERSION,
        "nodes": [ends["input"], *inside, ends["output"]],
        "edges": edges,
    }
    for port, name in answered.items():
        body["edges"].append(_edge(edges, body, port, (ends["output"]["id"], name)))
    return body


def _edge(edges: Collection[Edge], level: Spec, start: Port, end: Port) -> Edge:
    known = [*edges, *level["edges"]]
    return {
        "id": fresh_edge_id({"edges": known}),
        "source": start[0],
        "source_field": start[1],
        "target": end[0],
        "target_field": end[1],
    }
