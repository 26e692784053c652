"""Composite: several metrics as one, by weights and gates."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as param
from typing import Any

from studio.engine.errors import EngineError
from studio.engine.example import Example
from studio.engine.metrics.base import Metric, MetricKind, Score, judge
from studio.engine.params import read_params
from studio.engine.runtime import Runtime
from studio.engine.side_by_side import side_by_side
from studio.engine.trace import Prediction

MOST_PARTS = 20
MOST_NESTED = 3
"""Composites inside composites."""

EXAMPLE_PARTS = (
    '[{"kind": "token_f1", "params": {"field": "answer"}, "weight": 2},\n'
    ' {"kind": "regex", "params": {"field": "answer", "pattern": "\\\\S"}, "gate": 1}]'
)


@dataclass(frozen=True, kw_only=True)
class CompositeParams:
    """What people may set."""

    parts: str = param(
        metadata={
            "label": "Parts",
            "help": "A JSON list. Each part has a kind of metric, its params, a weight (1 if left "
            "out), and maybe a gate: the least score that it needs, or all is 0.",
            "required": True,
            "widget": "text",
        }
    )

    def __post_init__(self) -> None:
        read_parts(self.parts)


@dataclass(frozen=True, slots=True)
class Part:
    """One metric among several."""

    kind: str
    params: Mapping[str, Any]
    weight: float
    gate: float | None
    """The score that it must reach; None: any."""


@dataclass(frozen=True)
class Composite:
    """The weighted mean of its parts' scores; 0 when one does not pass its gate."""

    parts: tuple[tuple[Part, Metric], ...]

    @property
    def name(self) -> str:
        """See `Metric.name`."""
        return " + ".join(metric.name for _, metric in self.parts)[:200]

    async def __call__(self, example: Example, prediction: Prediction) -> Score:
        """See `Metric.__call__`; unscored when a part is. Raises what its parts raise."""
        return self.combine(await self.judge_parts(example, prediction))

    def combine(self, scores: Sequence[Score]) -> Score:
        """One score out of those of its parts, in their order; unscored when one of them is."""
        reasons, total, closed = [], 0.0, False
        for (part, metric), score in zip(self.parts, scores, strict=True):
            if score.value is None:
                return Score.unscored(f"{metric.name}: {score.reason}")
            total += part.weight * score.value
            short = part.gate is not None and score.value < part.gate
            closed = closed or short
            needs = f", and needs {part.gate:g}" if short else ""
            reasons.append(f"{metric.name} {score.value:.2f}{needs}: {score.reason}")
        weights = math.fsum(part.weight for part, _ in self.parts)
        mean = min(1.0, total / weights) if weights else 1.0
        return Score(0.0 if closed else mean, "; ".join(reasons))

    async def judge_parts(self, example: Example, prediction: Prediction) -> list[Score]:
        """What each part says on its own. Raises what its parts raise."""
        async with side_by_side() as group:
            tasks = [
                group.create_task(judge(metric, example, prediction)) for _, metric in self.parts
            ]
        return [task.result() for task in tasks]


def read_parts(text: str, depth: int = 0) -> tuple[Part, ...]:
    """The parts, checked to the last parameter; raises `EngineError` that says which is wrong."""
    if depth > MOST_NESTED:
        raise EngineError("Parts: composites are nested too deeply.")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise EngineError(f"Parts: it is no JSON: {error}. Write {EXAMPLE_PARTS}") from None
    if not isinstance(data, list) or not 1 <= len(data) <= MOST_PARTS:
        raise EngineError(
            f"Parts: expected a list of 1 to {MOST_PARTS} parts, such as {EXAMPLE_PARTS}"
        )
    parts = tuple(_read_part(item, number, depth) for number, item in enumerate(data, 1))
    if not any(part.weight for part in parts) and not all(p.gate is not None for p in parts):
        raise EngineError("Parts: without any weight, every part needs a gate.")
    return parts


def _read_part(item: Any, number: int, depth: int) -> Part:
    from studio.engine.metrics import METRICS  # the table that this kind stands in

    where = f"Part {number}"
    if not isinstance(item, dict):
        raise EngineError(f"{where}: expected an object with a kind and params.")
    unknown = sorted(set(item) - {"kind", "params", "weight", "gate"})
    if unknown:
        raise EngineError(f"{where}: a part has no “{unknown[0]}”.")
    kind, params = item.get("kind"), item.get("params", {})
    if not isinstance(kind, str) or kind not in METRICS:
        raise EngineError(f"{where}: there is no metric “{kind}”. Known: {', '.join(METRICS)}.")
    if not isinstance(params, dict):
        raise EngineError(f"{where}: params is an object of parameters and their values.")
    weight, gate = item.get("weight", 1), item.get("gate")
    if not _number(weight) or weight < 0:
        raise EngineError(f"{where}: its weight is a number of 0 or more, not {weight!r}.")
    if gate is not None and not (_number(gate) and 0 <= gate <= 1):
        raise EngineError(f"{where}: its gate is a number from 0 to 1, not {gate!r}.")
    try:
        read = read_params(METRICS[kind].params, params)
        if isinstance(read, CompositeParams):
            read_parts(read.parts, depth + 1)
    except EngineError as error:
        raise EngineError(f"{where} ({kind}): {error}") from None
    return Part(kind, params, float(weight), None if gate is None else float(gate))


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _make(params: CompositeParams, runtime: Runtime | None) -> Composite:
    from studio.engine.metrics import make_metric

    return Composite(
        tuple(
            (part, make_metric(part.kind, part.params, runtime))
            for part in read_parts(params.parts)
        )
    )


COMPOSITE = MetricKind(
    name="composite",
    title="Composite",
    sentence="Several metrics as one: a weighted mean, with parts that must be passed.",
    params=CompositeParams,
    make=_make,
)
