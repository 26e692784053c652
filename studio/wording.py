"""How one text becomes another, word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

_MOST_WORDS = 2_000
"""Of both texts; longer ones are compared line by line, which is quicker by far."""
_MOST_LINES = 4_000
"""Of both texts; of longer ones only how they begin and end alike is found."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that was kept (`same`), `added` or `removed`."""

    kind: str
    text: str


def word_diff(before: str, after: str) -> tuple[Piece, ...]:
    """How `before` becomes `after`, word by word."""
    old, new = (re.findall(r"\s+|\w+|[^\w\s]", text) for text in (before, after))
    is_long = len(old) + len(new) > _MOST_WORDS
    if is_long:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    pieces: list[Piece] = []
    if len(old) + len(new) > _MOST_LINES:
        stretches = _ends_alike(old, new)
    else:
        stretches = [
            (code == "equal", old[i1:i2], new[j1:j2])
            for code, i1, i2, j1, j2 in SequenceMatcher(
                None, old, new, autojunk=is_long
            ).get_opcodes()
        ]
    for is_same, was, now in stretches:
        if is_same:
            pieces.append(Piece("same", "".join(was)))
            continue
        if was:
            pieces.append(Piece("removed", "".join(was)))
        if now:
            pieces.append(Piece("added", "".join(now)))
    return tuple(pieces)


def _ends_alike(old: list[str], new: list[str]) -> list[tuple[bool, list[str], list[str]]]:
    """What both begin with, what is between, and what both end with."""
    most = min(len(old), len(new))
    head = next((at for at in range(most) if old[at] != new[at]), most)
    most -= head
    tail = next((at for at in range(most) if old[-1 - at] != new[-1 - at]), most)
    ends = len(old) - tail, len(new) - tail
    found = [
        (True, old[:head], new[:head]),
        (False, old[head : ends[0]], new[head : ends[1]]),
        (True, old[ends[0] :], new[ends[1] :]),
    ]
    return [one for one in found if one[1] or one[2]]
