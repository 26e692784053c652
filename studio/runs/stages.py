"""The stages of a compile: which ones it has, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.engine.compilers import COMPILERS
from studio.engine.compilers.base import Plan, Situation
from studio.engine.errors import EngineError
from studio.engine.params import read_params
from studio.runs.models import Run
from studio.runs.states import State


@dataclass(frozen=True, slots=True)
class Stage:
    """One part of a compile: `done`, `now` or `todo`."""

    name: str
    title: str
    state: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a compile has done so far."""

    tried: int = 0
    """Tries of the teacher."""
    passed: int = 0
    asked: int = 0
    """Questions to the proposer."""
    made: int = 0
    """Candidates."""
    scored: int = 0
    """Candidates that have scores on dev."""
    bootstrapped: bool = False
    """Some candidate has bootstrapped demos."""
    confirming: int = 0
    """Scores on held-out examples."""


def read_stages(run: Run, done: Done, planned: Mapping[str, Any]) -> tuple[Stage, ...]:
    """The stages of the run, in their order."""
    plan = _plan(run, planned)
    over = run.state == State.SUCCEEDED
    later = over or done.confirming > 0
    stages = []
    if plan.traces[2] or done.tried:
        stages.append(
            Stage(
                "bootstrap",
                "Bootstrap demos",
                _state(later or done.bootstrapped, done.tried > 0),
                f"{done.passed:,} of {done.tried:,} tries passed" if done.tried else "",
            )
        )
    if plan.asks[2] or done.asked:
        several = "s" if done.asked != 1 else ""
        stages.append(
            Stage(
                "ask",
                "Ask for instructions",
                _state(later, done.asked > 0),
                f"{done.asked:,} question{several} answered" if done.asked else "",
            )
        )
    most = max(done.made, int(planned.get("candidates") or 0))
    stages.append(
        Stage(
            "candidates",
            "Race candidates",
            _state(later, done.made > 0),
            f"{done.scored} of up to {most} scored" if done.made else "",
        )
    )
    stages.append(
        Stage(
            "confirmation",
            "Confirm on held-out",
            _state(over, done.confirming > 0),
            f"{done.confirming:,} answers on held-out examples" if done.confirming else "",
        )
    )
    return tuple(stages)


def _state(done: bool, begun: bool) -> str:
    return "done" if done else "now" if begun else "todo"


def _plan(run: Run, planned: Mapping[str, Any]) -> Plan:
    """What its compiler means to do; nothing, when it is not known any more."""
    kind = COMPILERS.get(run.compiler)
    if kind is None:
        return Plan(races=())
    situation = Situation(int(planned.get("train") or 1), int(planned.get("dev") or 1))
    try:
        return kind.plan(read_params(kind.params, run.params), situation)
    except EngineError:
        return Plan(races=())
