"""How many LM calls a compile is going to take, before it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.engine.compilers.base import CompilerKind, Situation
from studio.engine.compilers.calibrate import scored_fields
from studio.engine.params import read_params
from studio.engine.program import Program
from studio.engine.runtime import Runtime

_PRUNED = 0.6
"""The part of the dev examples that a candidate sees at the least, if it is dropped."""
_RETRIED = 1.25
"""Calls per written answer when one in four has to be asked for again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What the number of calls depends on."""

    train: int
    dev: int
    test: int
    calls_per_run: int = 1
    calibrates: bool = False
    """Some enum output is scored label by label."""
    writes: bool = True
    """Some output is written, and may have to be asked for again."""

    @classmethod
    def of(cls, program: Program, runtime: Runtime, *, train: int, dev: int, test: int) -> Sizes:
        """The sizes for a program and the LMs that are going to run it."""
        scored = scored_fields(program, runtime)
        written = any(
            len(signature.outputs) > len(scored.get(path, ()))
            for path, signature in program.predictors.items()
        )
        return cls(
            train=train,
            dev=dev,
            test=test,
            calls_per_run=calls_per_run(program, runtime),
            calibrates=bool(scored),
            writes=written,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """LM calls, as a range and by what they are for; the cache may save some."""

    low: int
    expected: int
    high: int
    parts: Mapping[str, int]
    """The expected calls, split."""

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return {
            "low": self.low,
            "expected": self.expected,
            "high": self.high,
            "parts": dict(self.parts),
        }


def calls_per_run(program: Program, runtime: Runtime) -> int:
    """Calls of one run when every answer can be read: one per scored label and written part.

    A model that continues text writes all outputs up to the next scored one in one call.
    """
    scored = scored_fields(program, runtime)
    calls = 0
    for path, signature in program.predictors.items():
        labels = scored.get(path, ())
        parts = [field.name in labels for field in signature.outputs]
        calls += sum(
            is_scored or place == 0 or parts[place - 1] for place, is_scored in enumerate(parts)
        )
    return calls


def estimate(kind: CompilerKind, values: Mapping[str, Any], sizes: Sizes) -> Estimate:
    """The calls of a compile with these parameters (JSON).

    Raises `EngineError` when a parameter cannot be read.
    """
    params = read_params(kind.params, values)
    dev = min(sizes.dev, params.dev_limit) if params.dev_limit else sizes.dev
    plan = kind.plan(params, Situation(sizes.train, dev))
    candidates = sum(plan.races)
    calibrations = candidates if plan.calibrations is None else plan.calibrations
    # Demos take up to half of the training examples, the calibration has what is left.
    usable = sizes.train if params.calibrate and sizes.calibrates else 0
    fewest, examples, full = (
        min(params.calibration_examples, usable * quarters // 4) for quarters in (2, 3, 4)
    )
    per_run = sizes.calls_per_run
    lowest, likely, most = plan.traces
    parts = {
        "uncompiled program on dev": dev * per_run,
        "bootstrapping": likely * per_run,
        "calibration": calibrations * examples * per_run,
        "candidates on dev": candidates * dev * per_run,
        "confirmation on test": 2 * sizes.test * per_run,
    }
    expected = sum(parts.values())
    spared = int((1 - _PRUNED) * parts["candidates on dev"]) if candidates > 1 else 0
    retried = _RETRIED if sizes.writes else 1.0
    less = likely - lowest + calibrations * (examples - fewest)
    more = most - likely + calibrations * (full - examples)
    return Estimate(
        low=expected - less * per_run - spared,
        expected=expected,
        high=int((expected + more * per_run) * retried),
        parts={name: calls for name, calls in parts.items() if calls},
    )
