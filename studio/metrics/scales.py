"""What people and judges answer with, so that their verdicts can be compared."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.engine.agreement import Weights

_YES = ("yes", "y", "true", "1", "1.0", "good", "right", "correct", "pass", "passed", "ok")
_NO = ("no", "n", "false", "0", "0.0", "bad", "wrong", "incorrect", "fail", "failed")


@dataclass(frozen=True, slots=True)
class Label:
    """One verdict."""

    title: str
    value: float
    """The score that it is."""
    key: str
    """What a person presses for it."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The verdicts that there are, the worst first."""

    name: str
    title: str
    labels: tuple[Label, ...]
    weights: Weights
    """Whether a near miss is better than a far one."""

    def index(self, value: float) -> int:
        """Which label a score is nearest to; halfway it is the better one."""
        places = range(len(self.labels))
        return min(places, key=lambda at: (abs(self.labels[at].value - value), -at))

    def read(self, cell: Any) -> float | None:
        """The score that a cell of a dataset means; None: it is no verdict."""
        text = str(cell).strip().casefold() if cell is not None else ""
        if self.name == STARS.name:
            number = _number(text)
            return (number - 1) / 4 if number in (1, 2, 3, 4, 5) else None
        if text in _YES or text in _NO:
            return float(text in _YES)
        number = _number(text)
        return number if number is not None and 0 <= number <= 1 else None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


YES_NO = Scale(
    "yes/no", "Yes or no", (Label("No", 0.0, "n"), Label("Yes", 1.0, "y")), weights="none"
)
STARS = Scale(
    "1-5",
    "From 1 to 5",
    tuple(Label(str(stars), (stars - 1) / 4, str(stars)) for stars in range(1, 6)),
    weights="quadratic",
)
SCALES: Mapping[str, Scale] = {scale.name: scale for scale in (YES_NO, STARS)}


def scale_of(params: Mapping[str, Any]) -> Scale:
    """The scale of a metric; a score that lies anywhere between 0 and 1 is a yes from 0.5 on."""
    return SCALES.get(str(params.get("scale", "")), YES_NO)
