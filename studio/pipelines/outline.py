"""A pipeline in words, step by step: for whoever cannot or does not want to see the drawing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from hashlib import sha256
from typing import Any

from studio.engine.graph import NODE_KINDS, Problem, edits
from studio.engine.graph.check import inspect
from studio.engine.graph.edits import At, Spec
from studio.engine.graph.shape import shape_problem

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,80}")


@dataclass(frozen=True, slots=True)
class Line:
    """A field of a node, and where its value comes from."""

    name: str
    type: str
    source: str = ""
    """Such as `classify.category`; empty for an input that gets nothing, and for outputs."""
    optional: bool = False
    exposed: bool = False
    """An output that the pipeline answers."""


@dataclass(frozen=True, slots=True)
class Part:
    """A node in words."""

    name: str
    kind: str
    instruction: str
    inputs: tuple[Line, ...]
    outputs: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Inside:
    """A pipeline inside of a node."""

    name: str
    at: str
    """The way to it, as the page's address has it."""
    nodes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A node as the outline shows it while nobody edits it."""

    id: str
    anchor: str
    name: str
    kind: str
    kind_title: str
    is_end: bool
    line: str
    """The signature, or the fields of an end."""
    instruction: str
    inputs: tuple[Line, ...]
    outputs: tuple[Line, ...]
    lm: str
    demos: int
    parts: tuple[Inside, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem of the document, and where it is mended."""

    message: str
    at: str
    node: str
    """The id at that level; empty: the level as a whole."""
    anchor: str = ""


def outline(spec: Any) -> list[Part]:
    """The nodes in the order in which values flow; what cannot be read is left out."""
    checked = inspect(spec)
    if any(problem.code in ("bad-spec", "too-large") for problem in checked.problems):
        return []
    nodes = {node["id"]: node for node in spec["nodes"]}
    sources = {
        (edge["target"], edge["target_field"]): (edge["source"], edge["source_field"])
        for edge in spec["edges"]
        if edge["source"] in nodes
    }
    parts = []
    for id_ in in_order(spec):
        node, ports = nodes[id_], checked.ports.get(id_)
        parts.append(
            Part(
                name=node["name"],
                kind=_kind_title(node["kind"]),
                instruction=_instruction(node),
                inputs=tuple(
                    Line(name, str(type_), _source(nodes, sources.get((id_, name))))
                    for name, type_ in (ports.inputs.items() if ports else ())
                ),
                outputs=tuple(
                    Line(name, str(type_))
                    for name, type_ in (ports.outputs.items() if ports else ())
                ),
            )
        )
    return parts


def readable(spec: Any) -> Spec | None:
    """The document as it is edited; None when its shape is not that of one."""
    return None if shape_problem(spec) else edits.mended(spec)


def sections(spec: Spec, at: At, problems: Sequence[Problem]) -> list[Section]:
    """The nodes of a level in the order in which values flow; drafts are shown as far as they go.

    Raises `GraphError` when the way leads nowhere.
    """
    level = edits.level_at(spec, at)
    nodes = {node["id"]: node for node in level["nodes"]}
    messages = _messages(problems, at)
    sources = {
        (edge["target"], edge["target_field"]): (edge["source"], edge["source_field"])
        for edge in level["edges"]
    }
    output = next((node["id"] for node in level["nodes"] if node["kind"] == "output"), "")
    shown = {
        (edge["source"], edge["source_field"])
        for edge in level["edges"]
        if edge["target"] == output
    }
    return [
        _section(nodes, nodes[id_], at, sources, shown, messages.get(id_, ()))
        for id_ in in_order(level)
    ]


def troubles(problems: Iterable[Problem]) -> list[Trouble]:
    """Every problem with the way to the level where it is mended."""
    found = []
    for problem in problems:
        way = _way(problem)
        *pairs, node = way if len(way) % 2 else (*way, "")
        at = tuple(zip(pairs[::2], pairs[1::2], strict=True))
        found.append(
            Trouble(problem.message, edits.write_at(at), node, anchor(node) if node else "")
        )
    return found


def crumbs(spec: Spec, at: At) -> list[tuple[str, str]]:
    """For each level on the way: what it is called, and the way to it."""
    found = []
    for depth in range(1, len(at) + 1):
        above = edits.level_at(spec, at[: depth - 1])
        node, part = at[depth - 1]
        name = edits.find_node(above, node)["name"]
        found.append((f"{name}: {part}", edits.write_at(at[:depth])))
    return found


def in_order(level: Mapping[str, Any]) -> list[str]:
    """Ids from the input to the output; in a circle as they were drawn."""
    ids = dict.fromkeys(node["id"] for node in level["nodes"])
    sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(ids, ()))
    for edge in level["edges"]:
        if edge["source"] in ids and edge["target"] in ids:
            sorter.add(edge["target"], edge["source"])
    try:
        order = list(sorter.static_order())
    except CycleError:
        return list(ids)
    # What waits for nothing comes early; an input or output that nobody has wired yet stays put.
    kinds = {node["id"]: node["kind"] for node in level["nodes"]}
    places = {"input": 0, "output": 2}
    return sorted(order, key=lambda id_: places.get(kinds[id_], 1))


def anchor(id_: str) -> str:
    """What the section of a node is called in the page: its id, or what stands for it."""
    if _PLAIN.fullmatch(id_):
        return f"node-{id_}"
    return f"node-x{sha256(id_.encode()).hexdigest()[:12]}"


def _section(
    nodes: Mapping[str, Any],
    node: Mapping[str, Any],
    at: At,
    sources: Mapping[tuple[str, str], tuple[str, str]],
    shown: set[tuple[str, str]],
    messages: Sequence[str],
) -> Section:
    id_ = node["id"]
    rows = edits.rows_of(node)
    return Section(
        id=id_,
        anchor=anchor(id_),
        name=node["name"],
        kind=node["kind"],
        kind_title=_kind_title(node["kind"]),
        is_end=edits.is_end(node),
        line=edits.fields_text(node),
        instruction=_instruction(node),
        inputs=tuple(
            Line(row.name, row.text, _source(nodes, sources.get((id_, row.name))), row.optional)
            for row in rows
            if row.role == "input"
        ),
        outputs=tuple(
            Line(row.name, row.text, exposed=(id_, row.name) in shown)
            for row in rows
            if row.role == "output"
        ),
        lm=node.get("lm", ""),
        demos=len(node.get("demos", ())),
        parts=tuple(
            Inside(name, edits.write_at((*at, (id_, name))), len(part["nodes"]))
            for name, part in node.get("parts", {}).items()
        ),
        problems=tuple(messages),
    )


def _messages(problems: Iterable[Problem], at: At) -> dict[str, list[str]]:
    """The sentences about each node of a level, those about what is inside of it among them."""
    here = [word for pair in at for word in pair]
    found: dict[str, list[str]] = {}
    for problem in problems:
        way = _way(problem)
        if way[: len(here)] == here and len(way) > len(here):
            found.setdefault(way[len(here)], []).append(problem.message)
    return found


def _way(problem: Problem) -> list[str]:
    """Node, part, node, part … to what a problem is about."""
    return [problem.node, *problem.inside] if problem.node else []


def _kind_title(kind: str) -> str:
    found = NODE_KINDS.get(kind)
    return found.title if found else kind


def _source(nodes: Mapping[str, Any], found: tuple[str, str] | None) -> str:
    return f"{nodes[found[0]]['name']}.{found[1]}" if found else ""


def _instruction(node: Mapping[str, Any]) -> str:
    signature = node.get("signature")
    value = signature.get("instruction") if isinstance(signature, dict) else ""
    return value if isinstance(value, str) else ""
