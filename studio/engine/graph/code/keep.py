"""Ids and places out of an earlier drawing, for what is still the same in a new one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from studio.engine.graph.code.same import as_text, essence
from studio.engine.graph.columns import drawing_order

Json = dict[str, Any]
_LEVEL_KEYS = ("version", "nodes", "edges", "notes")


def keep(draft: Json, base: Mapping[str, Any]) -> Json:
    """The draft with the ids, the order and the missing places of `base`.

    Nodes are the same by name, or else by kind in the order in which they stand; wires by their
    ends, notes by their words. What has not changed at all is taken from `base` as it is.
    """
    pairs = _pair_nodes(draft["nodes"], base)
    ids = _ids(draft["nodes"], pairs, (node["id"] for node in base["nodes"]), "n")
    nodes = [
        _node({**node, "id": ids[node["id"]]}, pairs.get(node["id"])) for node in draft["nodes"]
    ]
    kept: Json = {key: value for key, value in base.items() if key not in _LEVEL_KEYS}
    kept |= {key: value for key, value in draft.items() if key not in _LEVEL_KEYS}
    kept["version"] = draft["version"]
    kept["nodes"] = _in_order_of(nodes, base["nodes"])
    kept["edges"] = _edges(draft["edges"], base["edges"], ids)
    notes = _notes(draft.get("notes", []), base.get("notes", []))
    if notes or "notes" in base:
        kept["notes"] = notes
    return kept


def _pair_nodes(drafts: list[Json], base: Mapping[str, Any]) -> dict[str, Json]:
    """For ids of the draft the node of the base that it was.

    Two that are called the same are told apart by the order in which code draws them.
    """
    by_id = {node["id"]: node for node in base["nodes"]}
    ways: tuple[Callable[[Json], Any], ...] = (
        lambda node: (node["name"], node["kind"]),
        lambda node: node["name"],
        lambda node: essence({**node, "name": ""}),
        lambda node: node["kind"],
    )
    return _paired(drafts, [by_id[id_] for id_ in drawing_order(base)], ways)


def _paired(
    drafts: list[Json], bases: list[Json], ways: Iterable[Callable[[Json], Any]]
) -> dict[str, Json]:
    """For ids of the draft what is alike in the base: in the first way, or else the second …"""
    pairs: dict[str, Json] = {}
    left = bases
    for way in ways:
        waiting: defaultdict[Any, list[Json]] = defaultdict(list)
        for item in reversed(left):
            waiting[way(item)].append(item)
        for draft in drafts:
            if draft["id"] not in pairs and (alike := waiting[way(draft)]):
                pairs[draft["id"]] = alike.pop()
        taken = {id(item) for item in pairs.values()}
        left = [item for item in left if id(item) not in taken]
    return pairs


def _ids(
    drafts: list[Json], pairs: Mapping[str, Json], known: Iterable[str], prefix: str
) -> dict[str, str]:
    taken = set(known)
    ids = {}
    for item in drafts:
        if item["id"] in pairs:
            ids[item["id"]] = pairs[item["id"]]["id"]
        else:
            ids[item["id"]] = _free(prefix, taken)
    return ids


def _free(prefix: str, taken: set[str]) -> str:
    """The first of `n1`, `n2` … that is not taken, as the canvas chooses it; it is taken then."""
    number = len(taken) + 1
    while f"{prefix}{number}" in taken:
        number += 1
    taken.add(f"{prefix}{number}")
    return f"{prefix}{number}"


def _node(node: Json, base: Json | None) -> Json:
    if base is None:
        return node
    if node["position"] is None:
        node["position"] = base["position"]
    inside, before = node.get("parts"), base.get("parts")
    if isinstance(inside, dict) and isinstance(before, dict):
        node["parts"] = {
            name: keep(part, before[name]) if name in before else part
            for name, part in inside.items()
        }
    place = as_text(node["position"]) == as_text(base["position"])
    if essence(node) == essence(base):
        return base if place else {**base, "position": node["position"]}
    return node


def _edges(drafts: list[Json], bases: list[Json], ids: Mapping[str, str]) -> list[Json]:
    """Those that were there are the base's own."""
    waiting: defaultdict[str, list[Json]] = defaultdict(list)
    for edge in reversed(bases):
        waiting[_ends(edge)].append(edge)
    edges, taken = [], {edge["id"] for edge in bases}
    for draft in drafts:
        edge = {**draft, "source": ids[draft["source"]], "target": ids[draft["target"]]}
        found = waiting[_ends(edge)]
        edges.append(found.pop() if found else {**edge, "id": _free("e", taken)})
    return _in_order_of(edges, bases)


def _ends(edge: Json) -> str:
    return as_text({key: value for key, value in edge.items() if key != "id"})


def _notes(drafts: list[Json], bases: list[Json]) -> list[Json]:
    pairs = _paired(drafts, bases, (_words, lambda note: note["text"], lambda note: ""))
    ids = _ids(drafts, pairs, (note["id"] for note in bases), "t")
    notes = []
    for note in drafts:
        place = note["position"]
        if place is None and note["id"] in pairs:
            place = pairs[note["id"]]["position"]
        notes.append({**note, "id": ids[note["id"]], "position": place})
    return _in_order_of(notes, bases)


def _words(note: Json) -> str:
    return as_text([note["text"], note["position"]])


def _in_order_of(items: list[Json], bases: list[Json]) -> list[Json]:
    """Those that were there as they stood, then the new ones."""
    places: dict[str, int] = {}
    for at, base in enumerate(bases):
        places.setdefault(base["id"], at)
    return sorted(items, key=lambda item: places.get(item["id"], len(places)))
