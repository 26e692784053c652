"""Edit similarity: how few letters have to be changed to get the expected answer."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as param
from typing import Any

from studio.engine.example import Example
from studio.engine.metrics.base import (
    MetricKind,
    Score,
    as_text,
    best_score,
    field_param,
    find_pair,
    shown,
)
from studio.engine.metrics.normal import alternatives
from studio.engine.metrics.sequences import edit_distance
from studio.engine.trace import Prediction

EXACT = 10_000
"""Letters up to which the distance is exact; longer texts are compared block by block."""
_BLOCK = 2_000
_MOST_BLOCKS = 60
"""Blocks that are compared letter by letter; of later ones, those that differ count as wrong."""


@dataclass(frozen=True, kw_only=True)
class EditSimilarityParams:
    """What people may set."""

    field: str = field_param("The output that is compared.")
    ignore_case: bool = param(
        default=False,
        metadata={"label": "Ignore case", "help": "Capital and small letters are the same."},
    )


@dataclass(frozen=True)
class EditSimilarity:
    """1 minus the edit distance as a share of the longer text."""

    params: EditSimilarityParams

    @property
    def name(self) -> str:
        """See `Metric.name`."""
        return f"edit similarity of {self.params.field}"

    def __call__(self, example: Example, prediction: Prediction) -> Score:
        """See `Metric.__call__`; of a gold list the nearest item counts."""
        pair = find_pair(self.params.field, example, prediction)
        if isinstance(pair, Score):
            return pair
        gold, got = pair
        return best_score(self._compare(each, got) for each in alternatives(gold, got)[:20])

    def _compare(self, one: Any, other: Any) -> Score:
        gold, got = as_text(one), as_text(other)
        wanted, found = (
            (gold.casefold(), got.casefold()) if self.params.ignore_case else (gold, got)
        )
        longer = max(len(wanted), len(found))
        changes = bounded_distance(wanted, found)
        value = 1 - changes / longer if longer else 1.0
        return Score(
            value,
            f"{changes} of {longer} letters differ: expected {shown(gold)}, got {shown(got)}",
        )


def bounded_distance(one: str, other: str) -> int:
    """The edit distance of two texts, exact up to 10,000 letters.

    Of longer ones an upper bound, in at most about a third of a second: the sum over blocks of
    2,000 letters that stand at the same place. An insertion near the beginning is then counted
    again in every block.
    """
    if one == other:
        return 0
    longer = max(len(one), len(other))
    if longer <= EXACT:
        return edit_distance(one, other)
    total = compared = 0
    for start in range(0, longer, _BLOCK):
        block, counterpart = one[start : start + _BLOCK], other[start : start + _BLOCK]
        if block == counterpart:
            continue
        compared += 1
        exact = compared <= _MOST_BLOCKS
        size = max(len(block), len(counterpart))
        total += edit_distance(block, counterpart) if exact else size
    return total


EDIT_SIMILARITY = MetricKind(
    name="edit_similarity",
    title="Edit similarity",
    sentence="How few letters have to be changed to make the answer the expected one.",
    params=EditSimilarityParams,
    make=lambda params, runtime: EditSimilarity(params),
)
