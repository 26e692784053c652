"""What calibration does to labels, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


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
