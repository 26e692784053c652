"""Exact match: the answer is the expected one."""

from __future__ import annotations

from dataclasses import dataclass

from studio.engine.example import Example
from studio.engine.metrics.base import MetricKind, Score, field_param, find_pair, one_of, shown
from studio.engine.metrics.normal import (
    alternatives,
    normalisation_param,
    normalise_param,
    normaliser,
    same,
)
from studio.engine.trace import Prediction


@dataclass(frozen=True, kw_only=True)
class ExactMatchParams:
    """What people may set."""

    field: str = field_param("The output that is compared.")
    normalise: bool = normalise_param()
    normalisation: str = normalisation_param()


@dataclass(frozen=True)
class ExactMatch:
    """1 when the field equals the example's, or one of several expected ones, else 0."""

    params: ExactMatchParams

    @property
    def name(self) -> str:
        """See `Metric.name`."""
        return f"exact match of {self.params.field}"

    def __call__(self, example: Example, prediction: Prediction) -> Score:
        """See `Metric.__call__`; a gold list is met by one of its items."""
        pair = find_pair(self.params.field, example, prediction)
        if isinstance(pair, Score):
            return pair
        gold, got = pair
        wanted = alternatives(gold, got)
        normal = normaliser(self.params.normalise, self.params.normalisation)
        if any(same(each, got, normal) for each in (*wanted, gold)):
            return Score(1.0, f"{shown(got)}, as expected")
        return Score(0.0, f"expected {one_of(wanted)}, got {shown(got)}")


EXACT_MATCH = MetricKind(
    name="exact_match",
    title="Exact match",
    sentence="The answer equals the expected one.",
    params=ExactMatchParams,
    make=lambda params, runtime: ExactMatch(params),
)
