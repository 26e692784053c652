"""What a new pipeline may begin with, so that nobody has to begin with an empty sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from studio.engine.graph import VERSION, empty_spec
from studio.engine.signature import Signature

Spec = dict[str, Any]
_COLUMN, _STAGGER = 300, 140


@dataclass(frozen=True, slots=True)
class Start:
    """A drawing to begin with."""

    title: str
    summary: str
    make: Callable[[], Spec]


def drawing(
    inputs: str, steps: Mapping[str, str], outputs: str, instructions: Mapping[str, str]
) -> Spec:
    """A spec out of strings: `steps` maps a step's name to its signature.

    Every input is wired to the field of that name that was produced last before it.
    """
    made: dict[str, tuple[str, str]] = {}
    """By field name: the node that has it and its type."""
    nodes: list[dict[str, Any]] = []
    edges: list[dict[str, str]] = []

    def wire(node: str, name: str) -> None:
        source, _ = made[name]
        edges.append(
            {
                "id": f"e{len(edges) + 1}",
                "source": source,
                "source_field": name,
                "target": node,
                "target_field": name,
            }
        )

    def add(kind: str, name: str, **more: Any) -> str:
        # Staggered, so that a wire past a step does not run behind it.
        y = _STAGGER * (len(nodes) % 2) if len(steps) > 1 else 0
        position = {"x": _COLUMN * len(nodes), "y": y}
        node = f"n{len(nodes) + 1}"
        nodes.append({"id": node, "kind": kind, "name": name, "position": position, **more})
        return node

    given = Signature.parse(f"{inputs} -> unused").inputs
    start = add("input", "input", fields=[_end_field(f.name, str(f.type)) for f in given])
    made |= {field.name: (start, str(field.type)) for field in given}
    for name, text in steps.items():
        signature = Signature.parse(text, instructions.get(name, ""))
        node = add("predict", name, signature=signature.to_dict(), params={}, module="")
        for field in signature.inputs:
            wire(node, field.name)
        made |= {field.name: (node, str(field.type)) for field in signature.outputs}
    wanted = [name.strip() for name in outputs.split(",")]
    end = add("output", "output", fields=[_end_field(name, made[name][1]) for name in wanted])
    for name in wanted:
        wire(end, name)
    return {"version": VERSION, "nodes": nodes, "edges": edges}


def _end_field(name: str, type_: str) -> dict[str, str]:
    return {"name": name, "type": type_, "description": ""}


_CATEGORIES = "enum[billing, shipping, account, other]"

STARTS: dict[str, Start] = {
    "classify": Start(
        title="One step",
        summary="A message comes in, a category comes out. Change the fields to yours.",
        make=lambda: drawing(
            "message",
            {"classify": f"message -> category: {_CATEGORIES}"},
            "category",
            {"classify": "Sort the message into one category."},
        ),
    ),
    "two-steps": Start(
        title="Two steps",
        summary="First sum up, then decide: the second step reads what the first one wrote.",
        make=lambda: drawing(
            "message",
            {
                "summarise": "message -> summary",
                "classify": f"message, summary -> category: {_CATEGORIES}",
            },
            "summary, category",
            {
                "summarise": "Say in one short sentence what the writer wants.",
                "classify": "Sort the message into one category.",
            },
        ),
    ),
    "empty": Start(
        title="Empty",
        summary="An input, an output, and nothing between them.",
        make=empty_spec,
    ),
}
