"""What is known of a column in each block of a group: which blocks a filter need not read.

A dict of plain JSON for each column, lists with an item for each block:

    {"empty": [3, 0], "filled": [509, 512], "low": [1.5, 7], "high": [90, 80],
     "values": {"billing": "3", "shipping": "2"}}

`low` and `high` are those of the numbers (None: it has none), `values` the blocks that hold a
value, a bit for each, as a hexadecimal number; there is none when the values are too many.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from studio.datasets.blocks import Content
from studio.datasets.uploading.judging import text_of

MOST_VALUES = 60
"""A column with more different values in a group than this has none that are remembered."""
LONGEST_VALUE = 80
MOST_COLUMNS = 200
"""Of columns behind these nothing is known; blocks are read for them."""
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


def as_number(value: Any) -> float | None:
    """The value as a number, also of text such as “-1.5e3”; None when it is not one."""
    if isinstance(value, str):
        if len(value) > 40 or not _NUMBER.fullmatch(value):
            return None
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def is_empty(value: Any) -> bool:
    """Whether a row has nothing there that one could read."""
    return value is None or value == "" or (isinstance(value, str) and not value.strip())


class FactList:
    """The facts of a group, gathered block by block."""

    def __init__(self) -> None:
        self._facts: dict[str, dict[str, Any]] = {}
        self._masks: dict[str, dict[str, int]] = {}
        self._many: set[str] = set()
        self._rows: list[int] = []

    def add(self, content: Content) -> None:
        """The next block."""
        before = len(self._rows)
        self._rows.append(content.count)
        for name, values in zip(content.columns, content.cells, strict=True):
            if name not in self._facts:
                if len(self._facts) >= MOST_COLUMNS:
                    continue
                self._facts[name] = {
                    "empty": self._rows[:before],
                    "filled": [0] * before,
                    "low": [None] * before,
                    "high": [None] * before,
                }
                self._masks[name] = {}
            self._add(name, values, 1 << before)
        for name in self._facts.keys() - set(content.columns):
            self._add(name, [None] * content.count, 1 << before)

    def _add(self, name: str, values: Sequence[Any], bit: int) -> None:
        facts = self._facts[name]
        filled = [value for value in values if not is_empty(value)]
        numbers = [number for value in filled if (number := as_number(value)) is not None]
        facts["empty"].append(len(values) - len(filled))
        facts["filled"].append(len(filled))
        facts["low"].append(min(numbers, default=None))
        facts["high"].append(max(numbers, default=None))
        if name in self._many:
            return
        masks = self._masks[name]
        for text in _different(filled):
            masks[text] = masks.get(text, 0) | bit
            if len(masks) > MOST_VALUES or len(text) > LONGEST_VALUE:
                self._many.add(name)
                self._masks[name] = {}
                return

    def to_dict(self) -> dict[str, Any]:
        """For each column what is known of it."""
        found = {}
        for name, facts in self._facts.items():
            found[name] = dict(facts)
            if name not in self._many:
                masks = self._masks[name]
                found[name]["values"] = {text: f"{mask:x}" for text, mask in masks.items()}
        return found


def _different(values: Iterable[Any]) -> Iterable[str]:
    return dict.fromkeys(value if isinstance(value, str) else text_of(value) for value in values)
