"""Complete and grounded: nothing of the expected answer is missing, and nothing is made up."""

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
    both,
    given,
    harmonic,
    said,
    share,
    wanted,
)
from studio.engine.metrics.passage_match import passage_texts
from studio.engine.metrics.semantic_f1 import question_param, reference_param
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from studio.engine.trace import Prediction

_QUESTION = given("question", "What was asked; may be empty.")
_ANSWER = given("answer", "The answer to judge.")

COMPLETENESS = Signature(
    (
        _QUESTION,
        given("expected_answer", "A right answer."),
        _ANSWER,
        wanted("expected_ideas", "The key ideas of the expected answer.", TEXTS),
        REASONING,
        share("completeness", "The share (0 to 1) of these ideas that the answer has, too."),
    ),
    "Find out how much of the expected answer is in the answer; how it is worded does not count. "
    f"{CAUTION}",
)
GROUNDEDNESS = Signature(
    (
        _QUESTION,
        given("context", "What was known when the answer was written.", TEXTS),
        _ANSWER,
        wanted("claims", "What the answer claims, claim by claim.", TEXTS),
        REASONING,
        share("groundedness", "The share (0 to 1) of these claims that the context supports."),
    ),
    f"Find out how much of the answer is supported by the context, and not made up. {CAUTION}",
)


@dataclass(frozen=True, kw_only=True)
class CompleteAndGroundedParams:
    """What people may set."""

    field: str = field_param("The output that is judged.")
    context: str = param(
        default="context",
        metadata={
            "label": "Context",
            "help": "The field with the passages that the answer should rest on: one of the "
            "answer's, or of the example's.",
            "required": True,
        },
    )
    question: str = question_param()
    reference: str = reference_param()


@dataclass(frozen=True)
class CompleteAndGrounded:
    """The harmonic mean of completeness and groundedness, two questions to the judge."""

    params: CompleteAndGroundedParams
    completeness: Judge
    groundedness: Judge

    @property
    def name(self) -> str:
        """See `Metric.name`."""
        return f"complete and grounded {self.params.field}"

    async def __call__(self, example: Example, prediction: Prediction) -> Score:
        """See `Metric.__call__`; unscored when a judgement cannot be read. Raises `LMError`."""
        params = self.params
        gold = gold_of(params.reference or params.field, example)
        if isinstance(gold, Score):
            return gold
        if params.field not in prediction.values:
            return Score(0.0, f"the answer has no “{params.field}”")
        context = prediction.values.get(params.context, example.values.get(params.context))
        if context is None:
            return Score.unscored(
                f"neither the answer nor the example has a “{params.context}” to rest on"
            )
        question = as_text(example.values.get(params.question, ""))
        answer = as_text(prediction.values[params.field])
        complete, grounded = await both(
            self.completeness.ask(
                {"question": question, "expected_answer": as_text(gold), "answer": answer}
            ),
            self.groundedness.ask(
                {"question": question, "context": passage_texts(context), "answer": answer}
            ),
        )
        if isinstance(complete, Score):
            return complete
        if isinstance(grounded, Score):
            return grounded
        one, other = complete["completeness"], grounded["groundedness"]
        return Score(
            harmonic(one, other),
            f"complete {one:.2f}: {said(complete['reasoning'])} "
            f"Grounded {other:.2f}: {said(grounded['reasoning'])}",
        )


def _make(params: CompleteAndGroundedParams, runtime: Runtime | None) -> CompleteAndGrounded:
    return CompleteAndGrounded(
        params, Judge.of(COMPLETENESS, runtime), Judge.of(GROUNDEDNESS, runtime)
    )


COMPLETE_AND_GROUNDED = MetricKind(
    name="complete_and_grounded",
    title="Complete and grounded",
    sentence="The answer has all that is expected, and the context supports all that it says.",
    params=CompleteAndGroundedParams,
    make=_make,
    needs=frozenset({"lm"}),
)
