"""The canvas document: nodes, wires, positions. Versioned JSON, read with suspicion.

A node has `id`, `kind`, `name` and `position`; an end has `fields`, a step `signature`, `params`
and, if its kind runs pipelines inside of it, `parts`: for each part's name a whole spec, with an
input and an output node of its own. A step may name the LM that answers there (`lm`: a name that
the runtime's owner knows) and show worked examples that somebody has pinned (`demos`: values by
field name). `notes` are words on the board: `id`, `text`, `position`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from studio.engine.codec import content_hash
from studio.engine.modules import MODULES

VERSION = 1
MOST_NODES = 2_000
MOST_EDGES = 10_000
MOST_DEEP = 5
"""Pipelines inside pipelines."""
MOST_NOTES = 500
LONGEST_NOTE = 5_000
MOST_PINNED = 50
"""Demos of one step that are pinned by hand."""


@dataclass(frozen=True, slots=True)
class NodeKind:
    """A kind of node on the canvas."""

    name: str
    title: str
    summary: str
    calls_lm: bool
    group: str = ""
    """Under which head it stands in the palette; the ends of a pipeline stand under none."""


_INPUT = NodeKind("input", "Input", "What the pipeline is given.", calls_lm=False)
_OUTPUT = NodeKind("output", "Output", "What the pipeline answers.", calls_lm=False)


class NodeKinds(Mapping[str, NodeKind]):
    """The two ends of a pipeline, and between them every kind of module there is."""

    def __getitem__(self, name: str) -> NodeKind:
        for end in (_INPUT, _OUTPUT):
            if name == end.name:
                return end
        kind = MODULES[name]
        return NodeKind(kind.name, kind.title, kind.summary, kind.calls_lm, kind.group)

    def __iter__(self) -> Iterator[str]:
        yield _INPUT.name
        yield from MODULES
        yield _OUTPUT.name

    def __len__(self) -> int:
        return len(MODULES) + 2


NODE_KINDS = NodeKinds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that keeps a pipeline from running, and where."""

    code: str
    message: str
    node: str = ""
    field: str = ""
    edge: str = ""
    inside: tuple[str, ...] = ()
    """The way to a problem inside a node's pipeline: its part, the node in there, its part …

    `node` is then the one of the outermost pipeline; `field` and `edge` are those inside.
    """

    def to_dict(self) -> dict[str, Any]:
        """JSON; `inside` only where there is an inside."""
        data: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "node": self.node,
            "field": self.field,
            "edge": self.edge,
        }
        if self.inside:
            data["inside"] = list(self.inside)
        return data


def spec_hash(spec: Mapping[str, Any]) -> str:
    """The content hash of what the program depends on: everything but positions and order."""
    return content_hash(_essence(spec, 0))


def _essence(spec: Any, depth: int) -> Any:
    """A spec without what is only drawn, at every level."""
    if not isinstance(spec, Mapping) or depth > MOST_DEEP:
        return spec  # it does not build, but it has a hash
    nodes = [_node_essence(node, depth) for node in spec.get("nodes", ())]
    edges = [
        {key: value for key, value in edge.items() if key != "id"}
        for edge in spec.get("edges", ())
    ]
    return {
        "version": spec.get("version"),
        "nodes": sorted(nodes, key=content_hash),
        "edges": sorted(edges, key=content_hash),
    }


def _node_essence(node: Mapping[str, Any], depth: int) -> dict[str, Any]:
    essence = {key: value for key, value in node.items() if key != "position"}
    parts = essence.get("parts")
    if isinstance(parts, Mapping):
        essence["parts"] = {name: _essence(part, depth + 1) for name, part in parts.items()}
    for optional in ("parts", "lm", "demos"):
        if not essence.get(optional, True):
            del essence[optional]
    return essence


def empty_spec() -> dict[str, Any]:
    """A canvas with an input and an output and nothing between."""
    return {
        "version": VERSION,
        "nodes": [
            {
                "id": "input",
                "kind": "input",
                "name": "input",
                "position": {"x": 0, "y": 0},
                "fields": [],
            },
            {
                "id": "output",
                "kind": "output",
                "name": "output",
                "position": {"x": 720, "y": 0},
                "fields": [],
            },
        ],
        "edges": [],
    }
