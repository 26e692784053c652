"""Passage match: the expected text stands in one of the passages that were found.

Compared word by word as in V. Karpukhin et al., Dense Passage Retrieval, 2020,
https://arxiv.org/abs/2004.04906: the expected words stand next to each other, in their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as param
from typing import Any

from studio.engine.example import Example
from studio.engine.metrics.base import MetricKind, Score, as_text, field_param, gold_of, one_of
from studio.engine.retrieval.words import words
from studio.engine.trace import Prediction


@dataclass(frozen=True, kw_only=True)
class PassageMatchParams:
    """What people may set."""

    field: str = field_param("The output that holds the passages: a list of texts, or one text.")
    gold: str = param(
        default="",
        metadata={
            "label": "Expected text",
            "help": "The example's field with the text, or list of texts, of which one must be "
            "found; empty: the one with the same name.",
        },
    )
    k: int | None = param(
        default=None,
        metadata={
            "label": "First passages",
            "help": "How many of the passages count; empty: all of them.",
            "min": 1,
            "max": 1000,
        },
    )


@dataclass(frozen=True)
class PassageMatch:
    """1 when one of the passages holds one of the expected texts, else 0."""

    params: PassageMatchParams

    @property
    def name(self) -> str:
        """See `Metric.name`."""
        return f"{self.params.field} hold the expected text"

    def __call__(self, example: Example, prediction: Prediction) -> Score:
        """See `Metric.__call__`."""
        name = self.params.gold or self.params.field
        gold = gold_of(name, example)
        if isinstance(gold, Score):
            return gold
        if self.params.field not in prediction.values:
            return Score(0.0, f"the answer has no “{self.params.field}”")
        texts = [as_text(each) for each in (gold if isinstance(gold, list) else [gold])]
        wanted = [text for text in texts if text.strip()]
        if not wanted:
            return Score.unscored(f"the example's “{name}” is empty")
        passages = passage_texts(prediction.values[self.params.field])[: self.params.k]
        needles = [_spaced(text) for text in wanted]
        for number, passage in enumerate(passages, 1):
            hay = _spaced(passage)
            for text, needle in zip(wanted, needles, strict=True):
                # Texts without words (“?”) are looked for as they are.
                if needle in hay if needle.strip() else text in passage:
                    return Score(
                        1.0, f"passage {number} of {len(passages)} holds {one_of([text])}"
                    )
        return Score(
            0.0,
            f"expected {one_of(wanted)} in one of {len(passages)} passages: "
            f"{one_of(passages) if passages else 'none was found'}",
        )


def passage_texts(value: Any) -> list[str]:
    """The texts of a field that holds passages; of an object its title and its text."""
    if not isinstance(value, list):
        value = [value]
    return [
        " | ".join(str(each[key]) for key in ("title", "text") if each.get(key))
        if isinstance(each, dict) and "text" in each
        else as_text(each)
        for each in value
        if each is not None
    ]


def _spaced(text: str) -> str:
    return f" {' '.join(words(text))} "


PASSAGE_MATCH = MetricKind(
    name="passage_match",
    title="Passage match",
    sentence="The expected text stands in one of the passages that were found.",
    params=PassageMatchParams,
    make=lambda params, runtime: PassageMatch(params),
)
