"""Contains: the expected text stands somewhere in the answer."""

from __future__ import annotations

from dataclasses import dataclass

from studio.engine.example import Example
from studio.engine.metrics.base import (
    MetricKind,
    Score,
    as_text,
    field_param,
    find_pair,
    one_of,
    shown,
)
from studio.engine.metrics.normal import normalisation_param, normalise_param, normaliser
from studio.engine.trace import Prediction


@dataclass(frozen=True, kw_only=True)
class ContainsParams:
    """What people may set."""

    field: str = field_param("The output that is searched.")
    normalise: bool = normalise_param()
    normalisation: str = normalisation_param()


@dataclass(frozen=True)
class Contains:
    """1 when the answer contains the example's value, else 0."""

    params: ContainsParams

    @property
    def name(self) -> str:
        """See `Metric.name`."""
        return f"{self.params.field} contains the expected text"

    def __call__(self, example: Example, prediction: Prediction) -> Score:
        """See `Metric.__call__`; a gold list is met when the answer holds one of its items."""
        pair = find_pair(self.params.field, example, prediction)
        if isinstance(pair, Score):
            return pair
        gold, got = pair
        wanted = [as_text(item) for item in gold] if isinstance(gold, list) else [as_text(gold)]
        if not any(text.strip() for text in wanted):
            return Score.unscored(f"the example's “{self.params.field}” is empty")
        answer = as_text(got)
        found = next((text for text in wanted if self._holds(answer, text)), None)
        if found is not None:
            return Score(1.0, f"the answer contains {shown(found)}")
        return Score(0.0, f"expected {one_of(wanted)} in {shown(answer)}")

    def _holds(self, answer: str, text: str) -> bool:
        normal = normaliser(self.params.normalise, self.params.normalisation)
        plain = normal(text)
        if normal is not str and plain:
            return f" {plain} " in f" {normal(answer)} "
        return bool(text.strip()) and text in answer


CONTAINS = MetricKind(
    name="contains",
    title="Contains",
    sentence="The expected text stands somewhere in the answer.",
    params=ContainsParams,
    make=lambda params, runtime: Contains(params),
)
