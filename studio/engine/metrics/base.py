"""What a metric is: it judges one prediction, with a number and a reason in words."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any, Literal, Protocol

from studio.engine.errors import BudgetSpent, LMError, MetricError
from studio.engine.example import Example
from studio.engine.runtime import Runtime
from studio.engine.trace import Prediction


@dataclass(frozen=True, slots=True)
class Score:
    """What a metric says of one prediction."""

    value: float | None
    """0 is wrong, 1 is right; None: nobody can say (it counts nowhere)."""
    reason: str = ""
    """Why, in words: for people, and for compilers that learn from it."""

    @classmethod
    def unscored(cls, reason: str) -> Score:
        """No number, because of `reason`."""
        return cls(None, reason)

    def passes(self, threshold: float = 1.0) -> bool:
        """Whether the prediction is good enough to learn from."""
        return self.value is not None and self.value >= threshold

    def to_dict(self) -> dict[str, Any]:
        """JSON; `Score.from_dict` reads it back."""
        return {"value": self.value, "reason": self.reason}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Score:
        """Read what `to_dict` wrote."""
        value = data.get("value")
        return cls(None if value is None else float(value), str(data.get("reason", "")))


class Metric(Protocol):
    """Judges a prediction against an example."""

    @property
    def name(self) -> str:
        """How people call it."""

    def __call__(self, example: Example, prediction: Prediction) -> Score | Awaitable[Score]:
        """A score between 0 and 1 with its reason, or `Score.unscored`; at once or awaited."""


@dataclass(frozen=True, slots=True)
class MetricKind:
    """A kind of metric that people can choose."""

    name: str
    title: str
    sentence: str
    params: type[Any]
    """A frozen dataclass; its metadata make the form."""
    make: Callable[[Any, Runtime | None], Metric]
    """From its parameters, and what it needs to ask an LM, an embedder or the sandbox."""
    needs: frozenset[Literal["lm", "embedder", "sandbox"]] = frozenset()
    """What the runtime must have."""


async def judge(metric: Metric, example: Example, prediction: Prediction) -> Score:
    """The metric's score.

    Raises `MetricError`, which names the metric and the example, when the metric raises or
    answers something that is no score between 0 and 1; and `LMError` and `BudgetSpent` as they
    are, for they say nothing of the example.
    """
    try:
        score = metric(example, prediction)
        if isawaitable(score):
            score = await score
    except (LMError, BudgetSpent):
        raise
    except MetricError as error:
        raise MetricError(
            f"The metric “{metric.name}” failed: {error} (example {_short(example)})."
        ) from error
    except Exception as error:
        raise MetricError(
            f"The metric “{metric.name}” raised {type(error).__name__}: {error} "
            f"(example {_short(example)})."
        ) from error
    if not isinstance(score, Score):
        raise MetricError(
            f"The metric “{metric.name}” answered {shown(score)} instead of a score "
            f"(example {_short(example)})."
        )
    if score.value is not None and not (math.isfinite(score.value) and 0 <= score.value <= 1):
        raise MetricError(
            f"The metric “{metric.name}” answered {score.value}: a score lies between 0 and 1 "
            f"(example {_short(example)})."
        )
    return score


def find_pair(field: str, example: Example, prediction: Prediction) -> tuple[Any, Any] | Score:
    """The gold value and the predicted one, or the score where one of them is missing."""
    if example.values.get(field) is None:
        return Score.unscored(f"the example has no “{field}” to compare with")
    if field not in prediction.values:
        return Score(0.0, f"the answer has no “{field}”")
    return example.values[field], prediction.values[field]


def gold_of(name: str, example: Example) -> Any:
    """The gold value, or the score where there is none."""
    gold = example.values.get(name)
    return Score.unscored(f"the example has no “{name}” to compare with") if gold is None else gold


def best_score(scores: Iterable[Score]) -> Score:
    """The highest of them, the first of equal ones; unscored when all are."""
    return max(scores, key=lambda score: -1.0 if score.value is None else score.value)


def field_param(help_: str, label: str = "Field") -> Any:
    """The dataclass field of a param that names a field of the signature, and must be there."""
    return field(metadata={"label": label, "help": help_, "required": True})


def as_text(value: Any) -> str:
    """A value as the text that is compared."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def shown(value: Any) -> str:
    """A value as it stands in a reason: quoted, not too long."""
    text = as_text(value)
    return f"“{text}”" if len(text) <= 80 else f"“{text[:79]}…”"


def one_of(values: Sequence[Any]) -> str:
    """Several values as they stand in a reason: the first three."""
    more = f" or one of {len(values) - 3} others" if len(values) > 3 else ""
    return " or ".join(shown(value) for value in values[:3]) + more


def _short(example: Example) -> str:
    return f"{example.id[:8]}, {shown(dict(example.values))}"
