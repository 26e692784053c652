"""Numbers for small bar pictures; the templates draw them as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.datasets.models import Dataset, Split

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


@dataclass(frozen=True, slots=True)
class Share:
    """A value with the part of the rows that have it."""

    text: str
    count: int
    width: float
    """Percent of the longest bar."""
    percent: float
    """Of all rows."""


@dataclass(frozen=True, slots=True)
class Bin:
    """A bar of a histogram that is 100 wide and 30 high."""

    start: float
    width: float
    top: float
    height: float
    says: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """How numbers are spread."""

    low: str
    high: str
    middle: str
    """The median."""
    bins: tuple[Bin, ...]
    is_exact: bool


@dataclass(frozen=True, slots=True)
class ColumnChart:
    """What a column looks like."""

    name: str
    field: str
    """The signature's field that it fills."""
    rows: int
    filled: int
    empty: int
    percent: float
    """Of the rows that are filled."""
    kinds: str
    different: int
    different_is_exact: bool
    values: tuple[Share, ...]
    values_are_exact: bool
    numbers: Histogram | None
    range: str
    """The smallest and the largest number, the mean and the median."""
    lengths: Histogram | None
    letters: str
    """The same of the texts' lengths."""


def column_charts(profile: Mapping[str, Any], dataset: Dataset) -> list[ColumnChart]:
    """The columns of a profile that `profiles.make_profile` has made."""
    fields: dict[str, list[str]] = {}
    for name, column in dataset.mapping.items():
        fields.setdefault(column, []).append(name)
    return [
        _column_chart(name, ", ".join(fields.get(name, ())), found)
        for name, found in profile["columns"].items()
    ]


def _column_chart(name: str, field: str, found: Mapping[str, Any]) -> ColumnChart:
    rows, filled = found["rows"], found["filled"]
    numbers, texts = found.get("numbers"), filled - found.get("numbers", {}).get("count", 0)
    few = found["different_is_exact"] and len(found["values"]) == found["different"]
    shown = [] if numbers and not few and not texts else found["values"]
    longest = max((count for _text, count in found["values"]), default=0)
    return ColumnChart(
        name=name,
        field=field,
        rows=rows,
        filled=filled,
        empty=rows - filled,
        percent=round(100 * filled / rows, 1) if rows else 0.0,
        kinds=_kinds(found["kinds"], filled),
        different=found["different"],
        different_is_exact=found["different_is_exact"],
        values=tuple(
            Share(text, count, round(100 * count / longest, 2), round(100 * count / rows, 1))
            for text, count in shown
        ),
        values_are_exact=found["values_are_exact"],
        numbers=_histogram(numbers) if numbers and not few else None,
        range=_range(numbers, f", mean {_short(numbers['mean'])}") if numbers else "",
        lengths=_histogram(found["lengths"]) if texts else None,
        letters=_range(found["lengths"]) if texts else "",
    )


def _range(found: Mapping[str, Any], mean: str = "") -> str:
    low, high = found.get("low", found["from"]), found.get("high", found["to"])
    if low == high:
        return f"always {_short(low)}"
    return f"{_short(low)} to {_short(high)}{mean}, median {_short(found['quantiles'][2])}"


def _kinds(kinds: Mapping[str, int], filled: int) -> str:
    """“text”, or with their shares when there are several."""
    if len(kinds) < 2:
        return "".join(kinds) or "empty"
    return ", ".join(f"{kind} {_percent(count / filled)}" for kind, count in kinds.items())


def _percent(part: float) -> str:
    return "< 1 %" if part < 0.01 else f"{100 * part:.0f} %"


def _histogram(found: Mapping[str, Any]) -> Histogram | None:
    bins = found["bins"]
    if len(bins) < 2:
        return None
    low, high, tallest = found["from"], found["to"], max(bins)
    step = (high - low) / len(bins)
    width = 100 / len(bins)
    drawn = []
    for at, count in enumerate(bins):
        height = max(30 * count / tallest, 0.6 if count else 0)
        says = f"{_short(low + at * step)} to {_short(low + (at + 1) * step)}: {count:,}"
        drawn.append(
            Bin(
                round(at * width + 0.15, 2), round(width - 0.3, 2),
                round(30 - height, 2), round(height, 2), says,
            )
        )  # fmt: skip
    return Histogram(
        low=_short(found.get("low", low)),
        high=_short(found.get("high", high)),
        middle=_short(found["quantiles"][2]),
        bins=tuple(drawn),
        is_exact=found["is_exact"],
    )


def _short(number: float) -> str:
    """A number with as many digits as one reads."""
    if number == int(number) and abs(number) < 1e15:
        return f"{int(number):,}"
    return f"{number:,.2f}" if 0.01 <= abs(number) < 1e6 else f"{number:.3g}"
