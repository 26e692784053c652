"""What differs between two states of one node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from studio.engine.graph.changes import Change, Place, called, quoted, same
from studio.engine.graph.spec import NODE_KINDS
from studio.engine.modules import MODULES

Node = Mapping[str, Any]
_TOLD = {"id", "kind", "name", "position", "signature", "fields", "params", "lm", "demos"} | {
    "module",
    "parts",
}
_FIELD_WORDS = {"type": "type", "description": "description", "default": "default"}


def node_changes(before: Node, after: Node, place: Place) -> Iterator[Change]:
    """The changes of a node itself: not of its wires, nor of what is inside of it."""
    change = Change(
        what="node",
        how="changed",
        sentence="",
        id=after["id"],
        node=after["name"],
        way=place.way,
        where=place.words,
    )
    for found in _aspects(before, after, change):
        yield replace(found, sentence=place.tell(found.sentence))


def _aspects(before: Node, after: Node, change: Change) -> Iterator[Change]:
    name = called(after)
    if before["name"] != after["name"]:
        sentence = f"{called(before)} is called {name} now."
        yield _with(change, "name", "Name", sentence, before["name"], after["name"])
    if before["kind"] != after["kind"]:
        was, now = _title(before["kind"]), _title(after["kind"])
        sentence = f"{name} is of the kind {now} now; it was {was}."
        yield _with(change, "kind", "Kind", sentence, was, now)
    yield from _signature(before, after, change)
    yield from _params(before, after, change)
    yield from _choices(before, after, change)
    for key in sorted((set(before) | set(after)) - _TOLD):
        if not same(before.get(key), after.get(key)):
            sentence = f"“{quoted(key)}” of {name} is another."
            yield _with(change, key, key, sentence, before.get(key), after.get(key))
    if not same(before["position"], after["position"]):
        moved = _with(
            change,
            "position",
            "Place",
            f"{name} was moved.",
            before["position"],
            after["position"],
        )
        yield replace(moved, how="moved")


def _with(
    change: Change, aspect: str, label: str, sentence: str, before: Any, after: Any
) -> Change:
    return replace(
        change, aspect=aspect, label=label, sentence=sentence, before=before, after=after
    )


def _title(kind: str) -> str:
    return NODE_KINDS[kind].title if kind in NODE_KINDS else f"“{quoted(kind)}”"


def _signature(before: Node, after: Node, change: Change) -> Iterator[Change]:
    """Instruction and fields; what cannot be read as these is compared as it is."""
    name = called(after)
    old, new = before.get("signature"), after.get("signature")
    if not isinstance(old, dict) or not isinstance(new, dict):
        if not same(old, new):
            sentence = (
                f"{name} has a signature now."
                if not isinstance(old, dict)
                else f"{name} has no signature any more."
                if new is None
                else f"The signature of {name} is another."
            )
            yield _with(change, "signature", "Signature", sentence, old, new)
        yield from _fields(before.get("fields"), after.get("fields"), name, change)
        return
    was, now = old.get("instruction") or "", new.get("instruction") or ""
    if not same(was, now):
        sentence = (
            f"{name} has an instruction now."
            if not was
            else f"{name} has no instruction any more."
            if not now
            else f"The instruction of {name} was rewritten."
        )
        yield _with(change, "instruction", "Instruction", sentence, was, now)
    yield from _fields(old.get("fields"), new.get("fields"), name, change)
    yield from _fields(before.get("fields"), after.get("fields"), name, change)
    for key in sorted((set(old) | set(new)) - {"instruction", "fields"}):
        if not same(old.get(key), new.get(key)):
            sentence = f"“{quoted(key)}” of the signature of {name} is another."
            yield _with(change, f"signature.{key}", key, sentence, old.get(key), new.get(key))


def _fields(before: Any, after: Any, name: str, change: Change) -> Iterator[Change]:
    if same(before, after):
        return
    old, new = _by_key(before), _by_key(after)
    if old is None or new is None:
        sentence = f"The fields of {name} are others now."
        yield _with(change, "fields", "Fields", sentence, before, after)
        return
    for key, field in new.items():
        if key not in old:
            verb = {"input": "takes", "output": "answers"}.get(key[0], "has")
            sentence = f"{name} {verb} {_field(field)} now."
            yield _with(change, _place(key), f"Field {quoted(key[1])}", sentence, None, field)
        else:
            yield from _field_changes(old[key], field, key, name, change)
    for key, field in old.items():
        if key not in new:
            verb = {"input": "takes", "output": "answers"}.get(key[0], "has")
            sentence = f"{name} {verb} no {quoted(key[1])} any more."
            yield _with(change, _place(key), f"Field {quoted(key[1])}", sentence, field, None)
    kept = [key for key in old if key in new]
    if kept != [key for key in new if key in old]:
        sentence = f"The fields of {name} stand in another order."
        was, now = ([quoted(key[1]) for key in side] for side in (old, new))
        yield _with(change, "fields", "Order of the fields", sentence, was, now)


def _field_changes(
    before: Node, after: Node, key: tuple[str, str], name: str, change: Change
) -> Iterator[Change]:
    whose = f"{name}.{quoted(key[1])}"
    for part in sorted((set(before) | set(after)) - {"name", "role"}):
        old, new = before.get(part), after.get(part)
        if same(old, new) and (part != "default" or (part in before) == (part in after)):
            continue
        if not (old or new or part == "default"):
            continue  # left out, or empty
        if part == "type":
            sentence = f"{whose} is of the type {quoted(new)} now; it was {quoted(old)}."
        else:
            sentence = f"The {_FIELD_WORDS.get(part, quoted(part))} of {whose} is another."
        yield _with(
            change, f"{_place(key)}:{part}", f"{quoted(key[1])}: {part}", sentence, old, new
        )


def _place(key: tuple[str, str]) -> str:
    return f"field:{key[0]}:{key[1]}"


def _by_key(data: Any) -> dict[tuple[str, str], Node] | None:
    """Fields by role and name; None when they cannot be told apart."""
    if data is None:
        return {}
    if not isinstance(data, list):
        return None
    found: dict[tuple[str, str], Node] = {}
    for field in data:
        if not isinstance(field, dict) or not isinstance(field.get("name"), str):
            return None
        role = field.get("role", "")
        found[(role if isinstance(role, str) else "", field["name"])] = field
    return found if len(found) == len(data) else None


def _field(field: Node) -> str:
    type_ = field.get("type", "str")
    return f"{quoted(field['name'])}: {quoted(type_)}"


def _params(before: Node, after: Node, change: Change) -> Iterator[Change]:
    name = called(after)
    old, new = before.get("params") or {}, after.get("params") or {}
    labels = _labels(after["kind"])
    for key in sorted(set(old) | set(new)):
        if key in old and key in new and same(old[key], new[key]):
            continue
        label = labels.get(key, quoted(key))
        if key not in new:
            sentence = f"{name}: {label} is not set any more; it was {_value(old[key])}."
        elif key not in old:
            sentence = f"{name}: {label} is {_value(new[key])} now."
        else:
            sentence = f"{name}: {label} is {_value(new[key])} now; it was {_value(old[key])}."
        yield _with(change, f"params.{key}", label, sentence, old.get(key), new.get(key))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"“{quoted(value)}”" if isinstance(value, str) else quoted(value)


def _labels(kind: str) -> dict[str, str]:
    """The parameters of a kind in words."""
    if kind not in MODULES:
        return {}
    return {
        field.name: str(field.metadata.get("label", field.name))
        for field in fields(MODULES[kind].params)
    }


def _choices(before: Node, after: Node, change: Change) -> Iterator[Change]:
    """The LM, the pinned demos, and the saved module that the step was made from."""
    name = called(after)
    was, now = before.get("lm", ""), after.get("lm", "")
    if was != now:
        sentence = (
            f"{name} is answered by {quoted(now)} now, not by "
            f"{quoted(was) or 'the language model of the run'}."
            if now
            else f"{name} is answered by the language model of the run now, not by {quoted(was)}."
        )
        yield _with(change, "lm", "Language model", sentence, was, now)
    old, new = before.get("demos", []), after.get("demos", [])
    if not same(old, new):
        sentence = (
            f"{name} shows {_demos(len(new))} now; it showed {len(old) or 'none'}."
            if len(old) != len(new)
            else f"The pinned demos of {name} are others now."
        )
        yield _with(change, "demos", "Pinned demos", sentence, old, new)
    if not same(before.get("module") or "", after.get("module") or ""):
        made = after.get("module")
        sentence = (
            f"{name} comes from the saved module {quoted(made)} now."
            if made
            else f"{name} does not come from a saved module any more."
        )
        yield _with(change, "module", "Saved module", sentence, before.get("module"), made)


def _demos(count: int) -> str:
    return {0: "no pinned demos", 1: "1 pinned demo"}.get(count, f"{count} pinned demos")
