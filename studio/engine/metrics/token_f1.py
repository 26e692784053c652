"""Token F1: how many words the answer shares with the expected one."""

from __future__ import annotations

from collections import Counter
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
from studio.engine.metrics.normal import NORMALISATIONS, alternatives, normalisation_param
from studio.engine.trace import Prediction


@dataclass(frozen=True, kw_only=True)
class TokenF1Params:
    """What people may set."""

    field: str = field_param("The output that is compared.")
    normalisation: str = normalisation_param()


@dataclass(frozen=True)
class TokenF1:
    """The harmonic mean of precision and recall over words, as SQuAD counts it."""

    params: TokenF1Params

    @property
    def name(self) -> str:
        """See `Metric.name`."""
        return f"token F1 of {self.params.field}"

    def __call__(self, example: Example, prediction: Prediction) -> Score:
        """See `Metric.__call__`; of a gold list the nearest item counts."""
        pair = find_pair(self.params.field, example, prediction)
        if isinstance(pair, Score):
            return pair
        gold, got = pair
        return best_score(self._compare(each, got) for each in alternatives(gold, got))

    def _compare(self, one: Any, other: Any) -> Score:
        normal = NORMALISATIONS[self.params.normalisation]
        gold, got = as_text(one), as_text(other)
        wanted, found = normal(gold).split(), normal(got).split()
        if not wanted or not found:
            same = wanted == found
            return Score(float(same), f"expected {shown(gold)}, got {shown(got)}")
        shared = (Counter(wanted) & Counter(found)).total()
        value = 2 * shared / (len(wanted) + len(found))
        if value == 1.0:
            return Score(1.0, "every word is as expected")
        return Score(
            value,
            f"{shared} of {len(wanted)} expected words, {len(found)} words in the answer: "
            f"expected {shown(gold)}, got {shown(got)}",
        )


TOKEN_F1 = MetricKind(
    name="token_f1",
    title="Token F1",
    sentence="The share of words that answer and expected answer have in common.",
    params=TokenF1Params,
    make=lambda params, runtime: TokenF1(params),
)
