"""Numbers in texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

_GROUP = "[,'’\u00a0\u202f\u2009]"
"""What may stand between thousands; a plain space or a point may as well mean something else."""
_NUMBER = re.compile(
    r"(?<![\w.,])(?P<sign>[-+−–]?)\s?[$€£¥]?\s?"
    r"(?P<number>"
    r"\d{1,3}(?:\.\d{3})+,\d+"  # 1.234,5
    rf"|\d{{1,3}}(?:{_GROUP}\d{{3}})+(?!\d)(?:\.\d+)?"  # 1,234.5
    r"|\d+(?:\.\d+)?|\.\d+)"
    r"(?P<power>[eE][-+]?\d{1,3})?(?![\d])"
    r"(?P<percent>\s?%)?",
)
_LONGEST = 400
"""Digits that a number may have."""
_END = 2_000


@dataclass(frozen=True, slots=True)
class Number:
    """A number, exactly as it was written."""

    value: Decimal
    percent: bool = False
    """It stood before a percent sign."""


def find_numbers(text: str) -> list[Number]:
    """Every number in a text, in order: `-3`, `1,234.50`, `1.234,5`, `$2.5`, `1e-3`, `50 %`."""
    found = (_read(match) for match in _NUMBER.finditer(text))
    return [number for number in found if number is not None]


def find_answer(value: Any, which: str) -> Number | None:
    """The number that a value means: itself, or the `last`, `first` or `only` one of a text.

    What stands after `####` (as in GSM8K, Cobbe et al. 2021, https://arxiv.org/abs/2110.14168)
    or inside `\\boxed{}` is the answer, wherever it is.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        number = Decimal(str(value)) if abs(value) < 10**_LONGEST else None
        return Number(number) if number is not None and number.is_finite() else None
    if not isinstance(value, str):
        return None
    _, mark, after = value.rpartition("####")
    if mark:
        found = find_numbers(after)
        return found[0] if found else None
    if "\\boxed{" in value:
        found = find_numbers(value.rpartition("\\boxed{")[2].partition("}")[0])
        return found[0] if found else None
    if which == "last":
        # Of a long text the end is enough, if what may be cut in two there is not the last one.
        found = find_numbers(value[-_END:])
        if len(found) > 1:
            return found[-1]
    found = find_numbers(value)
    if not found or (which == "only" and len(found) > 1):
        return None
    return found[0] if which == "first" else found[-1]


def _read(match: re.Match[str]) -> Number | None:
    text = match["number"]
    if len(text) > _LONGEST:
        return None
    if "," in text and "." in text and text.rindex(",") > text.rindex("."):
        text = text.replace(".", "").replace(",", ".")
    text = re.sub(_GROUP, "", text)
    sign = "-" if match["sign"] in ("-", "−", "–") else ""
    try:
        value = Decimal(sign + text + (match["power"] or ""))
    except InvalidOperation:
        return None
    return Number(value, percent=match["percent"] is not None)
