"""Numeric: the answer's number is near enough to the expected one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from dataclasses import field as param
from decimal import Context, Decimal, Overflow
from typing import Any

from studio.engine.errors import EngineError
from studio.engine.example import Example
from studio.engine.metrics.base import MetricKind, Score, field_param, find_pair, one_of, shown
from studio.engine.metrics.normal import alternatives
from studio.engine.metrics.numbers import Number, find_answer
from studio.engine.trace import Prediction

_EXACT = Context(prec=800)


@dataclass(frozen=True, kw_only=True)
class NumericParams:
    """What people may set."""

    field: str = field_param("The output that holds the number, as a number or inside a text.")
    absolute: float = param(
        default=0.0,
        metadata={
            "label": "Tolerance",
            "help": "How far the number may be from the expected one.",
            "min": 0.0,
        },
    )
    relative: float = param(
        default=0.0,
        metadata={
            "label": "Relative tolerance",
            "help": "The same as a share of the expected number: 0.01 is one percent.",
            "min": 0.0,
            "max": 1.0,
        },
    )
    which: str = param(
        default="last",
        metadata={
            "label": "Which number",
            "help": "Of a text with several numbers: the last one, the first one, or none at all "
            "unless it is the only one. A number after #### always counts.",
            "choices": ("last", "first", "only"),
        },
    )
    percent: bool = param(
        default=True,
        metadata={
            "label": "50 % is 0.5",
            "help": "When only one of the two has a percent sign, it may also mean the fraction.",
        },
    )

    def __post_init__(self) -> None:
        for tolerance in (self.absolute, self.relative):
            if not 0 <= tolerance < float("inf"):
                raise EngineError(f"Tolerance: {tolerance} is no finite number of 0 or more.")


@dataclass(frozen=True)
class Numeric:
    """1 when the numbers are equal within the tolerance, else 0."""

    params: NumericParams

    @property
    def name(self) -> str:
        """See `Metric.name`."""
        return f"number in {self.params.field}"

    def __call__(self, example: Example, prediction: Prediction) -> Score:
        """See `Metric.__call__`; a gold list is met by one of its items."""
        pair = find_pair(self.params.field, example, prediction)
        if isinstance(pair, Score):
            return pair
        gold, got = pair
        wanted = alternatives(gold, got)
        numbers = [find_answer(each, self.params.which) for each in wanted]
        known = [number for number in numbers if number is not None]
        if not known:
            return Score.unscored(f"the example's “{self.params.field}” holds no number")
        answer = find_answer(got, self.params.which)
        if answer is None:
            return Score(0.0, f"expected {one_of(wanted)}, and there is no number in {shown(got)}")
        if any(self._near(number, answer) for number in known):
            return Score(1.0, f"{_written(answer)}, as expected")
        return Score(
            0.0,
            f"expected {' or '.join(map(_written, known[:3]))}, got {_written(answer)} "
            f"(in {shown(got)})",
        )

    def _near(self, gold: Number, answer: Number) -> bool:
        if self._close(gold.value, answer.value):
            return True
        if not self.params.percent or gold.percent == answer.percent:
            return False
        one, other = (
            replace(each, value=each.value / 100) if each.percent else each
            for each in (gold, answer)
        )
        return self._close(one.value, other.value)

    def _close(self, gold: Decimal, answer: Decimal) -> bool:
        try:
            off = abs(_EXACT.subtract(gold, answer))
            share = _EXACT.multiply(Decimal(str(self.params.relative)), abs(gold))
        except Overflow:
            return False
        return off <= Decimal(str(self.params.absolute)) or off <= share


def _written(number: Number) -> Any:
    text = format(number.value, "f") if -20 < number.value.adjusted() < 20 else str(number.value)
    text = f"{text[:59]}…" if len(text) > 60 else text
    return f"{text} %" if number.percent else text


NUMERIC = MetricKind(
    name="numeric",
    title="Number",
    sentence="The number in the answer is the expected one, within a tolerance.",
    params=NumericParams,
    make=lambda params, runtime: Numeric(params),
)
