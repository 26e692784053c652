"""One change of a drawing, where it happened, and the words that all changes share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

_LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that differs between two specs."""

    what: str
    """`node`, `part`, `wire`, `note`, or `pipeline` for what belongs to none of these."""
    how: str
    """`added`, `removed`, `changed`, or `moved` when only the place on the board differs."""
    sentence: str
    id: str = ""
    """Of the node or note, in the spec after; of what is gone, in the one before."""
    node: str = ""
    """The name of the node that it is about, as it is now; empty for notes."""
    aspect: str = ""
    """What of the node differs, such as `instruction`, `params.n` or `field:input:message`."""
    label: str = ""
    """The aspect in words."""
    before: Any = None
    after: Any = None
    way: tuple[tuple[str, str], ...] = ()
    """The way from the outermost pipeline: id of a node (in the spec after) and its part …"""
    where: str = ""
    """The way in words, such as `sort, billing`; empty in the outermost pipeline."""

    def told(self, how: str, sentence: str) -> Change:
        """The same, told otherwise."""
        return replace(self, how=how, sentence=sentence)

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return {
            "what": self.what,
            "how": self.how,
            "sentence": self.sentence,
            "id": self.id,
            "node": self.node,
            "aspect": self.aspect,
            "label": self.label,
            "before": self.before,
            "after": self.after,
            "way": [list(step) for step in self.way],
        }


@dataclass(frozen=True, slots=True)
class Place:
    """A pipeline inside of pipelines."""

    way: tuple[tuple[str, str], ...] = ()
    words: str = ""

    def inside(self, node: Mapping[str, Any], part: str) -> Place:
        """The pipeline `part` of a node that stands here."""
        words = f"{called(node)}, {quoted(part)}"
        above = f"{self.words}, " if self.words else ""
        return Place((*self.way, (node["id"], part)), above + words)

    def tell(self, sentence: str) -> str:
        """The sentence, with the way to the place in front of it."""
        return f"In {self.words}: {sentence}" if self.words else sentence


def called(node: Mapping[str, Any]) -> str:
    """What sentences call a node."""
    return quoted(node["name"]) or "a node without a name"


def quoted(value: Any) -> str:
    """A value inside a sentence: on one line, and not long."""
    text = " ".join((value if isinstance(value, str) else as_json(value)).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 2].rstrip()} …"


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal as JSON: 1 is 1.0, but not true."""
    if one is other:
        return True
    if isinstance(one, str) or isinstance(other, str):
        return bool(one == other)
    if type(one) is not type(other) and not (_is_number(one) and _is_number(other)):
        return False
    if _is_number(one):
        return bool(one == other)
    return as_json(one) == as_json(other)


def as_json(value: Any) -> str:
    """A value as JSON for people; what is no JSON says so."""
    try:
        return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return "(no JSON)"


def _plain(value: Any) -> Any:
    """Whole floats as whole numbers, so that 1.0 reads as 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
