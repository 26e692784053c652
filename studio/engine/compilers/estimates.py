"""How many LM calls a compile is going to take, by whom, before it starts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from studio.engine.compilers.base import CompilerKind, Plan, Range, Situation
from studio.engine.compilers.calibrate import scored_fields
from studio.engine.example import Example
from studio.engine.metrics.base import Metric
from studio.engine.metrics.judging import judgements
from studio.engine.modules.calls import average_lengths, calls_of_program
from studio.engine.modules.often import NEVER, ONCE, Often, all_of, exactly, times
from studio.engine.params import read_params
from studio.engine.program import Program
from studio.engine.racing import expected_runs
from studio.engine.runtime import Runtime

_RETRIED: Often = (1.0, 1.0, 1.25)
"""Calls per written answer: at the most one in four has to be asked for again."""
_DEMOS = ("max_labeled", "max_demos")
"""Parameters that say how many training examples become demos: half of them at the most."""
_RUN_UP = 0.9
"""The part of dev on which a new candidate is run in a race of few."""
_ROLES = ("student", "teacher", "proposer", "judge")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What the number of calls depends on besides the parameters."""

    train: int
    dev: int
    test: int
    per_run: Often = ONCE
    """Calls of one run of the program."""
    judged: int = 0
    """Calls of one judgement of the metric."""
    predictors: int = 1
    calibrates: bool = False
    """Some enum output is scored label by label."""
    writes: bool = True
    """Some output is written, and may have to be asked for again."""
    taught: bool = False
    """Another than the student is the teacher."""
    released: bool = False
    """The winner is compared with a release as well."""

    @property
    def calls_per_run(self) -> int:
        """Calls that a run and its judgement are expected to take."""
        return max(1, math.ceil(self.per_run[1])) + self.judged

    @classmethod
    def of(
        cls,
        program: Program,
        runtime: Runtime,
        *,
        train: int,
        dev: int,
        test: int,
        metric: Metric | None = None,
        examples: Sequence[Example] = (),
        taught: bool = False,
        released: bool = False,
    ) -> Sizes:
        """The sizes for a program and the LMs that are going to run it.

        `examples` tell how long the lists are that a Map goes through.
        """
        scored = scored_fields(program, runtime)
        written = any(
            len(signature.outputs) > len(scored.get(path, ()))
            for path, signature in program.predictors.items()
        )
        return cls(
            train=train,
            dev=dev,
            test=test,
            per_run=_per_run(program, runtime, examples),
            judged=judgements(metric),
            predictors=len(program.predictors),
            calibrates=bool(scored),
            writes=written,
            taught=taught,
            released=released,
        )

    def situation(self, dev_limit: int) -> Situation:
        """What a compiler's plan depends on."""
        return Situation(
            self.train,
            min(self.dev, dev_limit or self.dev),
            self.predictors,
            test=self.test,
            calibrates=self.calibrates,
            writes=self.writes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """LM calls, as a range and by what they are for; the cache may save some."""

    low: int
    expected: int
    high: int
    parts: Mapping[str, int]
    """The expected calls by what they are for."""
    roles: Mapping[str, Range]
    """Low, expected and high by who is asked: student, teacher, proposer, judge.

    Where there is no proposer of its own, the student is asked in its place.
    """

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return {
            "low": self.low,
            "expected": self.expected,
            "high": self.high,
            "parts": dict(self.parts),
            "roles": {role: list(calls) for role, calls in self.roles.items()},
        }


def calls_per_run(program: Program, runtime: Runtime, examples: Sequence[Example] = ()) -> int:
    """Calls that one run is expected to take: one per scored label and written part.

    A model that continues text writes all outputs up to the next scored one in one call.
    """
    return math.ceil(_per_run(program, runtime, examples)[1])


def estimate(kind: CompilerKind, values: Mapping[str, Any], sizes: Sizes) -> Estimate:
    """The calls of a compile with these parameters (JSON).

    Raises `EngineError` when a parameter cannot be read.
    """
    params = read_params(kind.params, values)
    situation = sizes.situation(params.dev_limit)
    plan = kind.plan(params, situation)
    runs = _runs(plan, params, situation, sizes)
    teacher = "teacher" if sizes.taught else "student"
    per_run = times(sizes.per_run, _RETRIED) if sizes.writes else sizes.per_run
    rows = [
        (teacher if what == "bootstrapping" else "student", what, times(count, per_run))
        for what, count in runs.items()
    ]
    rows.append(("proposer", "questions to the proposer", times(plan.asks, _RETRIED)))
    judged = times(all_of(runs.values()), exactly(sizes.judged))
    rows.append(("judge", "judgements", times(judged, _RETRIED)))
    parts = {what: round(calls[1]) for _, what, calls in rows}
    roles: dict[str, Range] = {}
    for role in _ROLES:
        mine = [(what, calls) for whose, what, calls in rows if whose == role]
        low, _, high = all_of(calls for _, calls in mine)
        # The parts add up to the whole, rounded as they are.
        roles[role] = (int(low), sum(parts[what] for what, _ in mine), math.ceil(high))
    return Estimate(
        low=sum(role[0] for role in roles.values()),
        expected=sum(parts.values()),
        high=sum(role[2] for role in roles.values()),
        parts={what: calls for what, calls in parts.items() if calls},
        roles={role: calls for role, calls in roles.items() if calls[2]},
    )


def _runs(plan: Plan, params: Any, situation: Situation, sizes: Sizes) -> dict[str, Often]:
    """Runs of the program by what they are for."""
    candidates = sum(plan.races)
    calibrations = candidates if plan.calibrations is None else plan.calibrations
    compared = 3 if sizes.released else 2
    return {
        "uncompiled program on dev": exactly(situation.dev),
        "candidates on dev": _raced(plan.races, situation),
        "bootstrapping": plan.traces,
        "mini-batches": plan.runs,
        "calibration": times(exactly(calibrations), _calibrated_on(params, situation)),
        # If nothing was better than the uncompiled program, that is not run twice.
        "confirmation on test": (
            (compared - 1) * sizes.test,
            compared * sizes.test,
            compared * sizes.test,
        ),
    }


def _raced(races: Sequence[int], situation: Situation) -> Often:
    """What races take besides the uncompiled program, which counts elsewhere."""
    dev, known = situation.dev, 0
    rows: list[Often] = []
    for new in races:
        low, likely, high = expected_runs(1 + new, dev)
        # In later races the best so far is known; it may leave early, and others go on.
        expected = min(likely - dev + known / 2, _RUN_UP * new * dev)
        most = min(high - dev + known, new * dev)
        # Where steps have no labels, what is made may be what there was.
        least = low - dev if situation.predictors == 1 else 0
        rows.append((least, max(least, expected), most))
        known = dev
    return all_of(rows)


def _calibrated_on(params: Any, situation: Situation) -> Often:
    """Examples that calibrate one candidate: of the training examples those that are no demos."""
    if not (params.calibrate and situation.calibrates):
        return NEVER
    train, most = situation.train, params.calibration_examples
    demos = next((getattr(params, name) for name in _DEMOS if hasattr(params, name)), 0)
    likely = train - min(demos, (train + 1) // 2)
    return min(most, train // 3), min(most, likely), min(most, train)


def _per_run(program: Program, runtime: Runtime, examples: Sequence[Example]) -> Often:
    each = {path: float(count) for path, count in _calls_per_question(program, runtime).items()}
    return calls_of_program(program, each, average_lengths(program, examples))


def _calls_per_question(program: Program, runtime: Runtime) -> dict[str, int]:
    """By predictor: a new call begins with each scored label and behind it."""
    scored = scored_fields(program, runtime)
    calls = {}
    for path, signature in program.predictors.items():
        labels = scored.get(path, ())
        is_scored = [True, *(field.name in labels for field in signature.outputs)]
        calls[path] = sum(before or here for before, here in pairwise(is_scored))
    return calls
