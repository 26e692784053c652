"""LM judge: a language model says what the answer is worth, by a rubric, with its reasons.

L. Zheng et al., Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena, 2023,
https://arxiv.org/abs/2306.05685.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from dataclasses import field as param
from typing import Any

from studio.engine.example import Example
from studio.engine.fields import Constraints, parse_type
from studio.engine.metrics.base import MetricKind, Score, as_text, gold_of
from studio.engine.metrics.judging import CAUTION, REASONING, Judge, given, said, share, wanted
from studio.engine.signature import Field, Signature
from studio.engine.trace import Prediction

_ONE_TO_FIVE = replace(
    wanted("verdict", "From 1, not at all, to 5, fully.", parse_type("int")),
    constraints=Constraints(min=1, max=5),
)
_SCALES: dict[str, tuple[Field, Callable[[Any], float]]] = {
    "yes/no": (
        wanted("verdict", "Whether the answer meets the rubric.", parse_type("enum[yes, no]")),
        lambda verdict: float(verdict == "yes"),
    ),
    "1-5": (_ONE_TO_FIVE, lambda verdict: (verdict - 1) / 4),
    "0-1": (share("verdict", "From 0, not at all, to 1, fully."), float),
}
"""For each scale what the judge writes, and the score that this is."""


@dataclass(frozen=True, kw_only=True)
class LMJudgeParams:
    """What people may set."""

    rubric: str = param(
        metadata={
            "label": "Rubric",
            "help": "What makes an answer a good one, in your own words.",
            "required": True,
            "widget": "text",
        }
    )
    field: str = param(
        default="",
        metadata={"label": "Field", "help": "The output that is judged; empty: all of them."},
    )
    scale: str = param(
        default="yes/no",
        metadata={
            "label": "Scale",
            "help": "What the judge answers; 1 to 5 becomes 0, 0.25, 0.5, 0.75 and 1.",
            "choices": tuple(_SCALES),
        },
    )
    reference: str = param(
        default="",
        metadata={
            "label": "Reference",
            "help": "The example's field with a right answer, for the judge to compare with; "
            "empty: it judges without.",
        },
    )
    shown: tuple[str, ...] = param(
        default=(),
        metadata={
            "label": "Shown inputs",
            "help": "The example's fields that the judge sees; empty: all that are no outputs.",
            "widget": "names",
        },
    )


@dataclass(frozen=True)
class LMJudge:
    """What the judge answers, as a number between 0 and 1."""

    params: LMJudgeParams
    judge: Judge

    @property
    def name(self) -> str:
        """See `Metric.name`."""
        return f"judge of {self.params.field or 'the answer'}"

    async def __call__(self, example: Example, prediction: Prediction) -> Score:
        """See `Metric.__call__`; unscored when the judgement cannot be read. Raises `LMError`."""
        params = self.params
        asked: dict[str, Any] = {}
        if params.reference:
            gold = gold_of(params.reference, example)
            if isinstance(gold, Score):
                return gold
            asked["reference"] = as_text(gold)
        if params.field and params.field not in prediction.values:
            return Score(0.0, f"the answer has no “{params.field}”")
        if not prediction.values:
            return Score(0.0, "there is no answer")
        asked["answer"] = (
            as_text(prediction.values[params.field]) if params.field else _json(prediction.values)
        )
        asked["task"] = _json(self._task(example, prediction))
        found = await self.judge.ask(asked)
        if isinstance(found, Score):
            return found
        value = _SCALES[params.scale][1](found["verdict"])
        return Score(value, f"{as_text(found['verdict'])}: {said(found['reasoning'])}")

    def _task(self, example: Example, prediction: Prediction) -> dict[str, Any]:
        hidden = {self.params.reference, self.params.field, *prediction.values}
        names = self.params.shown or tuple(n for n in example.values if n not in hidden)
        return {name: example.values[name] for name in names if name in example.values}


def _json(values: Any) -> str:
    return json.dumps(dict(values), ensure_ascii=False, indent=1, default=str)


def _signature(params: LMJudgeParams) -> Signature:
    inputs = [given("task", "What was asked, as JSON.")]
    if params.reference:
        inputs.append(given("reference", "A right answer, to compare with."))
    inputs.append(given("answer", "The answer to judge."))
    outputs = [REASONING, _SCALES[params.scale][0]]
    return Signature(
        (*inputs, *outputs),
        f"Judge the answer by this rubric and by nothing else:\n\n{params.rubric.strip()}\n\n"
        f"{CAUTION}",
    )


LM_JUDGE = MetricKind(
    name="lm_judge",
    title="LM judge",
    sentence="A language model judges the answer by your rubric, and gives its reasons.",
    params=LMJudgeParams,
    make=lambda params, runtime: LMJudge(params, Judge.of(_signature(params), runtime)),
    needs=frozenset({"lm"}),
)
