"""Two states of a pipeline beside each other: which ones, and what differs, as a page tells it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from studio.accounts.models import User
from studio.engine.errors import EngineError
from studio.engine.graph import NODE_KINDS
from studio.engine.graph.changes import Change
from studio.engine.signature import Signature
from studio.errors import Invalid
from studio.pipelines.boxes import instruction_of
from studio.pipelines.models import Pipeline
from studio.pipelines.revisions import get_revision
from studio.pipelines.versions import get_version
from studio.pipelines.wording import Piece, word_diff

NOW = "now"
MOST_GROUPS = 200
"""Nodes whose changes one page tells."""
_LONGEST = 2_000
_KEY = re.compile(r"(r?)([0-9]{1,9})\Z", re.ASCII)
_TEXTS = ("instruction", "description")
"""What is always compared word by word."""
_MOST_COMPARED = 40_000
"""Letters that one page compares word by word; of later texts it shows both sides."""
_IN_A_SENTENCE = ("name", "kind", "lm", "module")
"""What a sentence tells in full."""


@dataclass(frozen=True, slots=True)
class State:
    """A state of the drawing that can be compared and brought back."""

    key: str
    """`now`, the number of a version, or `r` and the number of a revision."""
    label: str
    spec: Any
    by: User | None
    at: datetime
    message: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One change."""

    how: str
    sentence: str
    pieces: tuple[Piece, ...] = ()
    before: str = ""
    after: str = ""


@dataclass(slots=True)
class Group:
    """The changes of one node, or of what belongs to no node."""

    title: str
    where: str
    how: str = "changed"
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that differs, in the order in which it is told."""

    groups: list[Group]
    moved: list[str]
    """The names of what was only moved."""
    left_out: int
    """Groups that would make the page too long."""


def read_state(pipeline: Pipeline, key: str) -> State:
    """The state that an address names. Raises `Invalid` or `NotFound`."""
    if key == NOW:
        label = f"the board now (revision {pipeline.revision})"
        return State(NOW, label, pipeline.spec, pipeline.saved_by, pipeline.updated_at)
    found = _KEY.match(key)
    if not found:
        raise Invalid(
            f"“{key[:40]}” is no state of a pipeline: name a version (3), a revision (r12) or now."
        )
    number = int(found[2])
    if found[1]:
        revision = get_revision(pipeline, number)
        spec, by, at = revision.spec, revision.saved_by, revision.saved_at
        return State(f"r{number}", f"revision {number}", spec, by, at)
    version = get_version(pipeline, number)
    return State(
        str(number),
        f"version {number}",
        version.spec,
        version.created_by,
        version.created_at,
        version.message,
    )


def compare(changes: Sequence[Change]) -> Comparison:
    """The changes, grouped by node."""
    groups: dict[tuple[Any, ...], Group] = {}
    moved = []
    letters = 0
    for change in changes:
        if change.how == "moved":
            place = f"{change.node or 'a note'}"
            moved.append(f"{place} (in {change.where})" if change.where else place)
            continue
        is_note = change.what == "note"
        key = (change.way, "note" if is_note else change.id)
        title = "Notes" if is_note else change.node or "The pipeline"
        group = groups.setdefault(key, Group(title, change.where))
        if change.what == "node" and change.how in ("added", "removed"):
            group.how = change.how
            group.lines.extend(_whole(change))
        else:
            group.lines.append(_line(change, in_words=letters < _MOST_COMPARED))
            letters += sum(len(one) for one in (change.before, change.after) if _is_text(one))
    found = list(groups.values())
    return Comparison(found[:MOST_GROUPS], moved, max(0, len(found) - MOST_GROUPS))


def _whole(change: Change) -> Iterable[Line]:
    """A node that came or went, with what it is told to do."""
    node = change.after if change.how == "added" else change.before
    kind = NODE_KINDS[node["kind"]].title if node["kind"] in NODE_KINDS else node["kind"]
    yield Line(change.how, change.sentence, before="", after="")
    yield Line("same", f"It is of the kind {kind}{_signature(node)}.")
    if instruction := instruction_of(node):
        piece = Piece("same", instruction[:_LONGEST])
        yield Line("same", "Its instruction:", (piece,))


def _signature(node: Any) -> str:
    data = node.get("signature")
    if not isinstance(data, dict):
        return ""
    try:
        return f", {Signature.from_dict(data)}"
    except EngineError:
        return ""


def _line(change: Change, *, in_words: bool) -> Line:
    before, after = change.before, change.after
    if change.what in ("wire", "part"):
        return Line(change.how, change.sentence)
    if change.aspect in _IN_A_SENTENCE:
        return Line(change.how, change.sentence)
    is_short = _is_short(before) and _is_short(after)
    is_text = in_words and _is_text(before or "") and _is_text(after or "")
    told_in_words = change.aspect.endswith(_TEXTS) or (
        change.what == "note" and change.how == "changed"
    )
    if is_text and (told_in_words or not is_short):
        return Line(change.how, change.sentence, word_diff(before or "", after or ""))
    if is_short:
        return Line(change.how, change.sentence)
    return Line(change.how, change.sentence, before=_text(before), after=_text(after))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_short(value: Any) -> bool:
    return not isinstance(value, (dict, list)) and len(_text(value)) <= 40


def _text(value: Any) -> str:
    """A value as a page shows it, not too much of it."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
