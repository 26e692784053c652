"""What became of a drawing: the changes from one spec to another, each with a sentence.

A node is the same one when its id is, and its name or its kind; else when its name is. Wires are
told apart by their ends, so that a wire that was drawn anew is no change. What was only moved is
told as a move.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

from studio.engine.graph.changes import Change, Place, called, quoted, same
from studio.engine.graph.node_diff import node_changes
from studio.engine.graph.shape import shape_problem
from studio.engine.graph.spec import VERSION

Item = Mapping[str, Any]
Pair = tuple[Item | None, Item | None]
_NOTHING: Item = {"version": VERSION, "nodes": [], "edges": []}
_TOLD = frozenset({"nodes", "edges", "notes"})
_NOWHERE = -1
"""Where wires stand whose two nodes are not there."""


def diff_specs(before: Any, after: Any) -> tuple[Change, ...]:
    """All that differs between two specs; never raises, whatever they are.

    The order is that of `after`: the pipeline itself, its nodes with their wires and with what is
    inside of them, then the nodes that are gone, then the notes.
    """
    changes: list[Change] = []
    readable = []
    for spec, which in ((before, "before"), (after, "after")):
        problem = shape_problem(spec)
        readable.append(_NOTHING if problem else spec)
        if problem:
            sentence = f"What was drawn {which} cannot be read. {problem.message}"
            changes.append(Change(what="pipeline", how="changed", sentence=sentence))
    return (*changes, *_level(readable[0], readable[1], Place()))


def match_nodes(before: Sequence[Item], after: Sequence[Item]) -> list[Pair]:
    """Which node became which, in the order of `after`; then those that are gone."""
    return _match(
        before,
        after,
        lambda node: (node["id"], node["name"]),
        lambda node: (node["id"], node["kind"]),
        lambda node: node["name"],
    )


def _level(before: Item, after: Item, place: Place) -> Iterator[Change]:
    """One pipeline; the ones inside its nodes are looked at with the nodes."""
    yield from _rest(before, after, place)
    pairs = match_nodes(before["nodes"], after["nodes"])
    wires = _wire_changes(before, after, pairs, place)
    for number, (old, new) in enumerate(pairs):
        if old is None and new is not None:
            yield _whole(new, "added", f"{called(new)} is new.", place)
        elif new is None and old is not None:
            yield _whole(old, "removed", f"{called(old)} is gone.", place)
        elif old is not None and new is not None:
            yield from node_changes(old, new, place)
            yield from _part_changes(old, new, place)
        yield from wires.get(number, ())
    yield from wires.get(_NOWHERE, ())
    yield from _note_changes(before.get("notes", []), after.get("notes", []), place)


def _rest(before: Item, after: Item, place: Place) -> Iterator[Change]:
    for key in sorted((set(before) | set(after)) - _TOLD):
        old, new = before.get(key), after.get(key)
        if not same(old, new):
            yield Change(
                what="pipeline",
                how="changed",
                sentence=place.tell(f"“{quoted(key)}” of the pipeline is another."),
                aspect=key,
                label=key,
                before=old,
                after=new,
                way=place.way,
            )


def _whole(node: Item, how: str, sentence: str, place: Place) -> Change:
    return Change(
        what="node",
        how=how,
        sentence=place.tell(sentence),
        id=node["id"],
        node=node["name"],
        before=node if how == "removed" else None,
        after=node if how == "added" else None,
        way=place.way,
        where=place.words,
    )


def _part_changes(before: Item, after: Item, place: Place) -> Iterator[Change]:
    old_parts: Item = before.get("parts") or {}
    new_parts: Item = after.get("parts") or {}
    for name in dict.fromkeys((*new_parts, *old_parts)):
        old, new = old_parts.get(name), new_parts.get(name)
        if old is not None and new is not None:
            yield from _level(old, new, place.inside(after, name))
            continue
        inner, how = (new, "added") if old is None else (old, "removed")
        size = _nodes(inner)
        sentence = (
            f"{called(after)} has a pipeline “{quoted(name)}” now, of {size}."
            if how == "added"
            else f"The pipeline “{quoted(name)}” inside {called(after)}, of {size}, is gone."
        )
        yield Change(
            what="part",
            how=how,
            sentence=place.tell(sentence),
            id=after["id"],
            node=after["name"],
            aspect=f"part:{name}",
            label=f"Pipeline {name}",
            before=old,
            after=new,
            way=place.way,
            where=place.words,
        )


def _nodes(spec: Any) -> str:
    count = len(spec["nodes"])
    return "1 node" if count == 1 else f"{count} nodes"


def _wire_changes(
    before: Item, after: Item, pairs: Sequence[Pair], place: Place
) -> dict[int, list[Change]]:
    """Wires that came, went or begin elsewhere, by the place of their node in `pairs`.

    A wire belongs to the node that it fills, but to its source when that is new or gone.
    """
    numbers: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for number, pair in enumerate(pairs):
        for side, node in zip(numbers, pair, strict=True):
            if node is not None:
                side.setdefault(node["id"], number)
    old, new = (
        dict.fromkeys(_ends(edge, side) for edge in spec["edges"])
        for spec, side in zip((before, after), numbers, strict=True)
    )
    gone = _by_target(key for key in old if key not in new)
    come = _by_target(key for key in new if key not in old)
    found: dict[int, list[Change]] = {}

    def add(key: _Ends, how: str, sentence: str, **more: Any) -> None:
        ends = [end for end in (key[2], key[0]) if isinstance(end, int)]
        half = [end for end in ends if None in pairs[end] and how != "changed"]
        home = next(iter([*half, *ends]), _NOWHERE)
        node = _either(pairs, home)
        found.setdefault(home, []).append(
            Change(
                what="wire",
                how=how,
                sentence=place.tell(sentence),
                id=node["id"] if node else "",
                node=node["name"] if node else "",
                aspect="wire",
                label=f"{_end(pairs, key[2])}.{quoted(key[3])}",
                way=place.way,
                where=place.words,
                **more,
            )
        )

    for target in dict.fromkeys((*come, *gone)):
        left, right = gone.get(target, []), come.get(target, [])
        into = f"{_end(pairs, target[0])}.{quoted(target[1])}"
        if len(left) == len(right) == 1:
            was, now = (f"{_end(pairs, key[0])}.{quoted(key[1])}" for key in (left[0], right[0]))
            sentence = f"{into} gets {now} now, not {was}."
            add(right[0], "changed", sentence, before=was, after=now)
            continue
        for key in left:
            source = f"{_end(pairs, key[0])}.{quoted(key[1])}"
            sentence = f"{source} does not go into {into} any more."
            add(key, "removed", sentence, before=source)
        for key in right:
            source = f"{_end(pairs, key[0])}.{quoted(key[1])}"
            add(key, "added", f"{source} goes into {into} now.", after=source)
    return found


_Ends = tuple[int | str, str, int | str, str]


def _ends(edge: Item, numbers: Mapping[str, int]) -> _Ends:
    return (
        numbers.get(edge["source"], edge["source"]),
        edge["source_field"],
        numbers.get(edge["target"], edge["target"]),
        edge["target_field"],
    )


def _by_target(keys: Iterator[_Ends]) -> dict[tuple[int | str, str], list[_Ends]]:
    found: dict[tuple[int | str, str], list[_Ends]] = {}
    for key in keys:
        found.setdefault(key[2:], []).append(key)
    return found


def _either(pairs: Sequence[Pair], end: int | str) -> Item | None:
    """The node at the end of a wire as it is now, or as it was."""
    if not isinstance(end, int) or not 0 <= end < len(pairs):
        return None
    old, new = pairs[end]
    return new or old


def _end(pairs: Sequence[Pair], end: int | str) -> str:
    node = _either(pairs, end)
    return called(node) if node else f"a node that is not there ({quoted(end)})"


def _note_changes(before: Sequence[Item], after: Sequence[Item], place: Place) -> Iterator[Change]:
    by_id, by_text = (lambda note: note["id"]), (lambda note: note["text"])
    for old, new in _match(before, after, by_id, by_text):
        changed = Change(
            what="note",
            how="changed",
            sentence="",
            id=(new or old or {}).get("id", ""),
            label="Note",
            before=old["text"] if old else None,
            after=new["text"] if new else None,
            way=place.way,
            where=place.words,
        )
        if old is None and new is not None:
            yield changed.told("added", place.tell(f"The note “{quoted(new['text'])}” is new."))
        elif new is None and old is not None:
            yield changed.told("removed", place.tell(f"The note “{quoted(old['text'])}” is gone."))
        elif old is not None and new is not None:
            text = quoted(new["text"])
            if old["text"] != new["text"]:
                yield changed.told("changed", place.tell(f"A note says “{text}” now."))
            if not same(old["position"], new["position"]):
                yield changed.told("moved", place.tell(f"The note “{text}” was moved."))


def _match(
    before: Sequence[Item], after: Sequence[Item], *keys: Callable[[Item], Hashable]
) -> list[Pair]:
    """Pairs of what is alike under the first of the keys, then the second …; then what is left."""
    partner: dict[int, int] = {}
    free = dict.fromkeys(range(len(before)))
    for key in keys:
        index: dict[Hashable, int] = {}
        for number in free:
            index.setdefault(key(before[number]), number)
        for number, item in enumerate(after):
            if number not in partner and (found := index.pop(key(item), None)) is not None:
                partner[number] = found
                del free[found]
    pairs: list[Pair] = [
        (before[partner[number]] if number in partner else None, item)
        for number, item in enumerate(after)
    ]
    return [*pairs, *((before[number], None) for number in free)]
