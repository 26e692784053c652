"""Whether some JSON has the shape of a spec, at every level."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from studio.engine.graph.spec import (
    LONGEST_NOTE,
    MOST_DEEP,
    MOST_EDGES,
    MOST_NODES,
    MOST_NOTES,
    MOST_PINNED,
    VERSION,
    Problem,
)

_FARTHEST = 1e12
"""From the middle of the canvas; no number at all is farther, too."""


def shape_problem(spec: Any) -> Problem | None:
    """The first thing for which a spec cannot even be looked at; None: it can."""
    totals = [0, 0]
    for found, above in _levels(spec, (), 0):
        problem = _too_deep(above) or _level_problem(found)
        if problem is None:
            totals[0] += len(found["nodes"])
            totals[1] += len(found["edges"])
            problem = _too_large(*totals)
        if problem is not None:
            return _placed(problem, above)
    return None


def _levels(
    spec: Any, above: tuple[str, ...], depth: int
) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Each spec with the way to it, the outer ones first.

    What is inside of a level is looked at when the level itself was found in order.
    """
    yield spec, above
    for node in spec["nodes"]:
        for name, part in node.get("parts", {}).items():
            yield from _levels(part, (*above, node["id"], name), depth + 1)


def _placed(problem: Problem, above: tuple[str, ...]) -> Problem:
    if not above:
        return problem
    return Problem(
        code=problem.code,
        message=f"{above[1]}: {problem.message}",
        node=above[0],
        inside=(*above[1:], *((problem.node,) if problem.node else ())),
    )


def _too_deep(above: tuple[str, ...]) -> Problem | None:
    if len(above) // 2 <= MOST_DEEP:
        return None
    message = f"Pipelines may lie in each other {MOST_DEEP} deep, and no deeper."
    return Problem(code="too-large", message=message)


def _too_large(nodes: int, edges: int) -> Problem | None:
    if nodes <= MOST_NODES and edges <= MOST_EDGES:
        return None
    return Problem(
        code="too-large",
        message=f"A pipeline may have {MOST_NODES} nodes and {MOST_EDGES} wires; "
        f"this one has {nodes} and {edges}.",
    )


def _level_problem(spec: Any) -> Problem | None:
    if not isinstance(spec, dict):
        return Problem(code="bad-spec", message="This is no pipeline: expected a JSON object.")
    version = spec.get("version")
    if version != VERSION:
        return Problem(
            code="bad-spec",
            message=f"This pipeline is of version {version!r}; this studio reads {VERSION}.",
        )
    nodes, edges = spec.get("nodes"), spec.get("edges")
    if not isinstance(nodes, list) or not isinstance(edges, list):
        return Problem(code="bad-spec", message="A pipeline needs a list of nodes and of edges.")
    if too_large := _too_large(len(nodes), len(edges)):
        return too_large
    for node in nodes:
        if not _texts(node, "id", "kind", "name") or not _position(node.get("position")):
            return Problem(
                code="bad-spec", message="Every node needs an id, a kind, a name and a position."
            )
        if not isinstance(node.get("params", {}), dict):
            message = f"{node['name']}: params must be an object."
            return Problem(code="bad-spec", message=message, node=node["id"])
        if not _parts(node.get("parts", {})):
            message = f"{node['name']}: parts must be pipelines by name."
            return Problem(code="bad-spec", message=message, node=node["id"])
        if not isinstance(node.get("lm", ""), str) or len(node.get("lm", "")) > 200:
            message = f"{node['name']}: lm must be the short name of a language model."
            return Problem(code="bad-spec", message=message, node=node["id"])
        if not _demos(node.get("demos", [])):
            message = f"{node['name']}: demos must be a list of {MOST_PINNED} objects at most."
            return Problem(code="bad-spec", message=message, node=node["id"])
    for edge in edges:
        if not _texts(edge, "id", "source", "source_field", "target", "target_field"):
            return Problem(code="bad-spec", message="Every wire needs its two nodes and fields.")
    if not _notes(spec.get("notes", [])):
        message = (
            f"A pipeline has {MOST_NOTES} notes at most, each with an id, a position and "
            f"{LONGEST_NOTE:,} letters at most."
        )
        return Problem(code="bad-spec", message=message)
    return None


def _texts(item: Any, *keys: str) -> bool:
    return isinstance(item, dict) and all(
        isinstance(item.get(key), str) and len(item[key]) <= 200 for key in keys
    )


def _parts(parts: Any) -> bool:
    return isinstance(parts, dict) and all(
        isinstance(name, str) and len(name) <= 200 for name in parts
    )


def _demos(demos: Any) -> bool:
    return (
        isinstance(demos, list)
        and len(demos) <= MOST_PINNED
        and all(isinstance(demo, dict) for demo in demos)
    )


def _notes(notes: Any) -> bool:
    return (
        isinstance(notes, list)
        and len(notes) <= MOST_NOTES
        and all(
            _texts(note, "id")
            and isinstance(note.get("text"), str)
            and len(note["text"]) <= LONGEST_NOTE
            and _position(note.get("position"))
            for note in notes
        )
    )


def _position(position: Any) -> bool:
    return isinstance(position, dict) and all(
        isinstance(position.get(axis), (int, float)) and abs(position[axis]) <= _FARTHEST
        for axis in ("x", "y")
    )
