"""Regex: a pattern is found in the answer."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as param
from functools import cached_property
from typing import Any

from studio.engine.errors import EngineError, MetricError
from studio.engine.example import Example
from studio.engine.metrics.base import MetricKind, Score, as_text, field_param, shown
from studio.engine.trace import Prediction

LONGEST_S = 0.25
"""Seconds that one search may take; a pattern such as `(a+)+$` could take years."""
LONGEST_PATTERN = 2_000


@dataclass(frozen=True, kw_only=True)
class RegexParams:
    """What people may set."""

    field: str = field_param("The output that is searched.")
    pattern: str = param(
        metadata={
            "label": "Pattern",
            "help": "A regular expression, such as ^[A-Z]{2}-[0-9]+$.",
            "required": True,
        }
    )
    whole: bool = param(
        default=False,
        metadata={"label": "Whole text", "help": "The pattern has to cover the whole answer."},
    )
    ignore_case: bool = param(
        default=False,
        metadata={"label": "Ignore case", "help": "Capital and small letters are the same."},
    )
    absent: bool = param(
        default=False,
        metadata={
            "label": "Must be absent",
            "help": "The answer is right when the pattern is not found in it.",
        },
    )

    def __post_init__(self) -> None:
        if len(self.pattern) > LONGEST_PATTERN:
            raise EngineError(f"Pattern: it is longer than {LONGEST_PATTERN:,} characters.")
        compile_pattern(self.pattern, ignore_case=self.ignore_case)


def compile_pattern(pattern: str, *, ignore_case: bool) -> Any:
    """The compiled pattern, or `EngineError` that says where it is wrong."""
    import regex

    try:
        return regex.compile(pattern, regex.IGNORECASE if ignore_case else 0)
    except (regex.error, RecursionError, OverflowError) as error:
        raise EngineError(f"Pattern: it is no regular expression: {error}.") from None


@dataclass(frozen=True)
class Regex:
    """1 when the pattern is found, else 0; needs no gold value."""

    params: RegexParams

    @property
    def name(self) -> str:
        """See `Metric.name`."""
        return f"{self.params.field} matches {shown(self.params.pattern)}"

    @cached_property
    def _compiled(self) -> Any:
        return compile_pattern(self.params.pattern, ignore_case=self.params.ignore_case)

    def __call__(self, example: Example, prediction: Prediction) -> Score:
        """See `Metric.__call__`; raises `MetricError` when the search takes too long."""
        if self.params.field not in prediction.values:
            return Score(0.0, f"the answer has no “{self.params.field}”")
        text = as_text(prediction.values[self.params.field])
        search = self._compiled.fullmatch if self.params.whole else self._compiled.search
        try:
            found = search(text, timeout=LONGEST_S)
        except TimeoutError:
            raise MetricError(
                f"searching for the pattern {shown(self.params.pattern)} in {shown(text)} took "
                f"more than {LONGEST_S} s: make it simpler"
            ) from None
        if found and self.params.absent:
            return Score(0.0, f"{shown(found.group())} must not stand in {shown(text)}")
        if found:
            return Score(1.0, f"{shown(found.group())} matches {shown(self.params.pattern)}")
        reason = f"{shown(text)} does not match {shown(self.params.pattern)}"
        return Score(float(self.params.absent), reason)


REGEX = MetricKind(
    name="regex",
    title="Regular expression",
    sentence="A pattern is found in the answer.",
    params=RegexParams,
    make=lambda params, runtime: Regex(params),
)
