"""Changes in words: what was rewritten in an instruction, what calibration does to labels."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that was kept (`same`), `added` or `removed`."""

    kind: str
    text: str


def word_diff(before: str, after: str) -> tuple[Piece, ...]:
    """How `before` becomes `after`, word by word."""
    old, new = (re.findall(r"\s+|\w+|[^\w\s]", text) for text in (before, after))
    pieces: list[Piece] = []
    for code, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if code == "equal":
            pieces.append(Piece("same", "".join(old[i1:i2])))
            continue
        if i1 < i2:
            pieces.append(Piece("removed", "".join(old[i1:i2])))
        if j1 < j2:
            pieces.append(Piece("added", "".join(new[j1:j2])))
    return tuple(pieces)


@dataclass(frozen=True, slots=True)
class Shift:
    """What calibration does to one label."""

    label: str
    words: str
    share: int
    """Percent of the longest bar, for the drawing."""
    up: bool


def shifts(biases: Mapping[str, float]) -> tuple[Shift, ...]:
    """Each label's shift against the mean, the most favoured first."""
    if not biases:
        return ()
    middle = sum(biases.values()) / len(biases)
    apart = {label: bias - middle for label, bias in biases.items()}
    widest = max(abs(value) for value in apart.values()) or 1.0
    return tuple(
        Shift(label, _in_words(value), round(100 * abs(value) / widest), value > 0)
        for label, value in sorted(apart.items(), key=lambda item: -item[1])
    )


def _in_words(value: float) -> str:
    if abs(value) < 0.05:
        return "as the model has it"
    times = math.exp(abs(value))
    factor = f"{times:.1f}" if times < 10 else f"{times:.0f}"
    return f"{factor} times {'more' if value > 0 else 'less'} readily"
