"""ROUGE-L: the longest run of words, gaps allowed, that answer and expected answer share.

C.-Y. Lin, ROUGE: A Package for Automatic Evaluation of Summaries, 2004,
https://aclanthology.org/W04-1013.
"""

from __future__ import annotations

from dataclasses import dataclass
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
from studio.engine.metrics.sequences import common_length
from studio.engine.retrieval.words import words
from studio.engine.trace import Prediction

MOST_WORDS = 15_000
"""Words of each text that are compared: the first ones."""
_MOST_CHARS = 20 * MOST_WORDS


@dataclass(frozen=True, kw_only=True)
class RougeLParams:
    """What people may set."""

    field: str = field_param("The output that is compared.")


@dataclass(frozen=True)
class RougeL:
    """The harmonic mean of precision and recall of the longest common subsequence of words."""

    params: RougeLParams

    @property
    def name(self) -> str:
        """See `Metric.name`."""
        return f"ROUGE-L of {self.params.field}"

    def __call__(self, example: Example, prediction: Prediction) -> Score:
        """See `Metric.__call__`; of a gold list the nearest item counts."""
        pair = find_pair(self.params.field, example, prediction)
        if isinstance(pair, Score):
            return pair
        gold, got = pair
        return best_score(compare(each, got) for each in alternatives(gold, got)[:100])


def compare(one: Any, other: Any) -> Score:
    """The ROUGE-L F-measure of two values, as texts."""
    gold, got = as_text(one), as_text(other)
    wanted, found = (words(text[:_MOST_CHARS])[:MOST_WORDS] for text in (gold, got))
    shown_pair = f"expected {shown(gold)}, got {shown(got)}"
    if not wanted or not found:
        # Without words (“?”, “🙂”) only the same text is right.
        return Score(float(gold.strip() == got.strip()), shown_pair)
    shared = common_length(wanted, found)
    value = 2 * shared / (len(wanted) + len(found))
    return Score(
        value,
        f"{shared} of {len(wanted)} expected words in their order, {len(found)} words in the "
        f"answer: {shown_pair}",
    )


ROUGE_L = MetricKind(
    name="rouge_l",
    title="ROUGE-L",
    sentence="How much of the expected text the answer has, word after word in the same order.",
    params=RougeLParams,
    make=lambda params, runtime: RougeL(params),
)
