"""Semantic F1: how much of the expected meaning the answer has, and how much of its own it should.

Recall and precision of meaning are asked of an LM in one call, as people know it from DSPy.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as param

from studio.engine.example import Example
from studio.engine.metrics.base import MetricKind, Score, as_text, field_param, gold_of
from studio.engine.metrics.judging import (
    CAUTION,
    REASONING,
    TEXTS,
    Judge,
    given,
    harmonic,
    said,
    share,
    wanted,
)
from studio.engine.signature import Signature
from studio.engine.trace import Prediction


def question_param() -> str:
    """The dataclass field `question`."""
    found: str = param(
        default="question",
        metadata={
            "label": "Question",
            "help": "The example's field with the question; left out when there is none.",
        },
    )
    return found


def reference_param() -> str:
    """The dataclass field `reference`."""
    found: str = param(
        default="",
        metadata={
            "label": "Expected answer",
            "help": "The example's field with a right answer; empty: the one with the same name.",
        },
    )
    return found


@dataclass(frozen=True, kw_only=True)
class SemanticF1Params:
    """What people may set."""

    field: str = field_param("The output that is judged.")
    question: str = question_param()
    reference: str = reference_param()
    decompositional: bool = param(
        default=False,
        metadata={
            "label": "Key ideas first",
            "help": "The judge lists the key ideas of both answers before it compares them: "
            "slower, and better for long answers.",
        },
    )


@dataclass(frozen=True)
class SemanticF1:
    """The harmonic mean of the recall and the precision of what is meant."""

    params: SemanticF1Params
    judge: Judge

    @property
    def name(self) -> str:
        """See `Metric.name`."""
        return f"semantic F1 of {self.params.field}"

    async def __call__(self, example: Example, prediction: Prediction) -> Score:
        """See `Metric.__call__`; unscored when the judgement cannot be read. Raises `LMError`."""
        params = self.params
        gold = gold_of(params.reference or params.field, example)
        if isinstance(gold, Score):
            return gold
        if params.field not in prediction.values:
            return Score(0.0, f"the answer has no “{params.field}”")
        found = await self.judge.ask(
            {
                "question": as_text(example.values.get(params.question, "")),
                "expected_answer": as_text(gold),
                "answer": as_text(prediction.values[params.field]),
            }
        )
        if isinstance(found, Score):
            return found
        recall, precision = found["recall"], found["precision"]
        return Score(
            harmonic(recall, precision),
            f"recall {recall:.2f}, precision {precision:.2f}: {said(found['reasoning'])}",
        )


def _signature(params: SemanticF1Params) -> Signature:
    ideas = (
        wanted("expected_ideas", "The key ideas of the expected answer.", TEXTS),
        wanted("answer_ideas", "The key ideas of the answer.", TEXTS),
    )
    return Signature(
        (
            given("question", "What was asked; may be empty."),
            given("expected_answer", "A right answer."),
            given("answer", "The answer to judge."),
            *(ideas if params.decompositional else ()),
            REASONING,
            share(
                "recall", "The share (0 to 1) of what the expected answer says that is covered."
            ),
            share("precision", "The share (0 to 1) of what the answer says that is right."),
        ),
        "Compare what the answer means with what the expected answer means; how it is worded does "
        f"not count. {CAUTION}",
    )


SEMANTIC_F1 = MetricKind(
    name="semantic_f1",
    title="Semantic F1",
    sentence="How much of the expected meaning the answer has, and of its own is right.",
    params=SemanticF1Params,
    make=lambda params, runtime: SemanticF1(params, Judge.of(_signature(params), runtime)),
    needs=frozenset({"lm"}),
)
