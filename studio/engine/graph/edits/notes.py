"""Words on the board. The program knows nothing of them."""

from __future__ import annotations

from typing import Any

from studio.engine.errors import GraphError
from studio.engine.fields import shorten
from studio.engine.graph.edits.fresh import free_id
from studio.engine.graph.edits.levels import Spec
from studio.engine.graph.spec import LONGEST_NOTE

_ABOVE = 200


def add_note(level: Spec, text: str) -> Spec:
    """The level with one more note, above everything."""
    notes = level.get("notes", [])
    places = [item["position"] for item in (*level["nodes"], *notes)]
    note = {
        "id": free_id("t", {item["id"] for item in (*level["nodes"], *notes)}),
        "text": _clean(text),
        "position": {
            "x": min((place["x"] for place in places), default=0),
            "y": min((place["y"] for place in places), default=0) - _ABOVE,
        },
    }
    return {**level, "notes": [*notes, note]}


def set_note(level: Spec, id_: str, text: str) -> Spec:
    """Other words. Raises `GraphError` when the note is gone."""
    _find(level, id_)
    words = _clean(text)
    notes = [{**note, "text": words} if note["id"] == id_ else note for note in level["notes"]]
    return {**level, "notes": notes}


def remove_note(level: Spec, id_: str) -> Spec:
    """Without the note. Raises `GraphError` when it is gone."""
    _find(level, id_)
    notes = [note for note in level["notes"] if note["id"] != id_]
    others = {key: value for key, value in level.items() if key != "notes"}
    return {**others, "notes": notes} if notes else others


def _find(level: Spec, id_: str) -> dict[str, Any]:
    for note in level.get("notes", []):
        if note["id"] == id_:
            found: dict[str, Any] = note
            return found
    raise GraphError(f"There is no note “{shorten(id_)}” here any more.")


def _clean(text: str) -> str:
    if not text.strip():
        raise GraphError("The note is empty: write something, or remove it.")
    if len(text) > LONGEST_NOTE:
        raise GraphError(f"The note has {len(text):,} letters; {LONGEST_NOTE:,} is the most.")
    return text
