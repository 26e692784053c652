"""Ids and names that nobody has yet, as the canvas finds them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from itertools import count
from typing import Any

from studio.engine.errors import GraphError
from studio.engine.fields import NAME, shorten

_LONGEST_NAME = 64


def free_id(prefix: str, taken: Collection[str]) -> str:
    """The first of `n1`, `n2` … that no node, wire or note has; it begins at their number."""
    ids = (f"{prefix}{number}" for number in count(len(taken) + 1))
    return next(id_ for id_ in ids if id_ not in taken)


def free_name(wanted: str, taken: Iterable[str], fallback: str = "field") -> str:
    """The first free name of `message`, `message_2`, `message_3` …"""
    names = set(taken)
    base = wanted if NAME.match(wanted) else fallback
    if base not in names:
        return base
    stem = re.sub(r"_\d+$", "", base)
    endings = (f"_{number}" for number in count(2))
    found = (stem[: _LONGEST_NAME - len(ending)] + ending for ending in endings)
    return next(name for name in found if name not in names)


def fresh_node_id(level: Mapping[str, Any]) -> str:
    """An id for one more node, that no note has either."""
    return free_id("n", {item["id"] for item in (*level["nodes"], *level.get("notes", ()))})


def fresh_edge_id(level: Mapping[str, Any]) -> str:
    """An id for one more wire."""
    return free_id("e", {edge["id"] for edge in level["edges"]})


def names_of(level: Mapping[str, Any]) -> list[str]:
    """What the nodes are called."""
    return [node["name"] for node in level["nodes"]]


def require_name(level: Mapping[str, Any], name: str, *, besides: str = "") -> None:
    """Raise `GraphError` unless a node may be called so; `besides` is the id that it has."""
    if not NAME.match(name):
        raise GraphError(
            f"“{shorten(name)}” is not a name: small letters, digits and _, beginning with a "
            "letter, such as find_answer."
        )
    others = (node["name"] for node in level["nodes"] if node["id"] != besides)
    if name in others:
        raise GraphError(f"Another node is called “{name}”: choose another name.")
