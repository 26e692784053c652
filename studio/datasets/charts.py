"""Numbers for small bar pictures; the templates draw them as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.datasets.models import Split

SHOWN_LABELS = 20


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar."""

    split: str
    count: int
    start: float
    """Percent of the width."""
    width: float
    percent: float
    """Share of the bar."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar whose parts are the splits."""

    label: str
    count: int
    parts: tuple[Part, ...]


def _bar(label: str, counts: Mapping[str, int], scale: int) -> Bar:
    total = sum(counts.get(split, 0) for split in Split.values)
    parts, start = [], 0.0
    for split in Split.values:
        count = counts.get(split, 0)
        width = 100 * count / scale if scale else 0.0
        percent = 100 * count / total if total else 0.0
        parts.append(Part(split, count, round(start, 2), round(width, 2), round(percent, 1)))
        start += width
    return Bar(label, total, tuple(parts))


def split_bars(counts: Mapping[str, int]) -> Bar:
    """One bar as wide as the picture, cut into train, dev and test."""
    return _bar("", counts, sum(counts.values()))


def label_bars(labels: Mapping[str, Any]) -> list[Bar]:
    """A bar for each label, as long as it is frequent; the longest is as wide as the picture."""
    counts: Mapping[str, Mapping[str, int]] = labels.get("counts", {})
    shown = list(counts.items())[:SHOWN_LABELS]
    longest = max((sum(splits.values()) for _label, splits in shown), default=0)
    return [_bar(label, splits, longest) for label, splits in shown]
