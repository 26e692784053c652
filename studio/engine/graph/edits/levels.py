"""Where in a document an edit happens: at the top, or in a pipeline inside of a node.

The way to a level is pairs of a node's id and a part's name; as text `n2.body.n7.otherwise`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from studio.engine.errors import GraphError
from studio.engine.fields import shorten
from studio.engine.graph.edits.mending import mended
from studio.engine.graph.shape import shape_problem
from studio.engine.graph.spec import MOST_DEEP

Spec = dict[str, Any]
Node = dict[str, Any]
Edge = dict[str, Any]
At = tuple[tuple[str, str], ...]
"""From the outermost pipeline inwards; empty: the outermost itself."""
TOP: At = ()
_LONGEST = 2 * MOST_DEEP * 610
"""Of a way as text: an id has 200 letters, and each of them three as it is written."""


def write_at(at: At) -> str:
    """The way as text; `read_at` reads it back."""
    words = (word.replace("%", "%25").replace(".", "%2E") for pair in at for word in pair)
    return ".".join(words)


def read_at(text: str) -> At:
    """The way that `write_at` wrote. Raises `GraphError` for a text that is none."""
    if not text:
        return TOP
    words = [word.replace("%2E", ".").replace("%25", "%") for word in text.split(".")]
    if len(text) > _LONGEST or len(words) % 2 or len(words) > 2 * MOST_DEEP:
        raise GraphError(f"“{shorten(text)}” leads to no pipeline: write n2.body.")
    return tuple((node, part) for node, part in list(pairwise(words))[::2])


def find_node(level: Mapping[str, Any], id_: str) -> Node:
    """The node of that id. Raises `GraphError` when there is none."""
    for node in level["nodes"]:
        if node["id"] == id_:
            found: Node = node
            return found
    raise GraphError(f"There is no node “{shorten(id_)}” here any more.")


def level_at(spec: Mapping[str, Any], at: At) -> Spec:
    """The pipeline at the end of the way. Raises `GraphError` when the way leads nowhere."""
    level: Any = spec
    for id_, part in at:
        parts = find_node(level, id_).get("parts", {})
        if part not in parts:
            raise GraphError(f"There is no pipeline “{shorten(part)}” in that node any more.")
        level = parts[part]
    return dict(level)


def change_at(spec: Any, at: At, edit: Callable[[Spec], Spec]) -> Spec:
    """The document with another pipeline at the end of the way; `spec` itself stays as it is.

    Raises `GraphError` when the way leads nowhere, the edit cannot be made, or the document would
    not be one any more.
    """
    _require_shape(spec)
    changed = _change(mended(spec), at, edit)
    _require_shape(changed)
    return changed


def with_node(level: Spec, node: Node) -> Spec:
    """The level with `node` in the place of the one of its id."""
    return {
        **level,
        "nodes": [node if other["id"] == node["id"] else other for other in level["nodes"]],
    }


def _change(level: Spec, at: At, edit: Callable[[Spec], Spec]) -> Spec:
    if not at:
        return edit(level)
    (id_, part), *rest = at
    inside = _change(level_at(level, at[:1]), tuple(rest), edit)
    node = find_node(level, id_)
    return with_node(level, {**node, "parts": {**node["parts"], part: inside}})


def _require_shape(spec: Any) -> None:
    if problem := shape_problem(spec):
        raise GraphError(problem.message, problems=(problem,))
