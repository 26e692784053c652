"""Caps on tokens, money and time: checked at every door, kept over every attempt."""

from __future__ import annotations

import math
import threading

import pytest

from studio.engine.lm.scripted import ScriptedLM, builtin_scripted
from studio.engine.lm.scripts import support_triage
from studio.engine.messages import Request
from studio.errors import Invalid
from studio.runs.execute import budget_of, execute
from studio.runs.models import Run
from studio.runs.states import State
from tests.runs.builders import Kit, Lab

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("cap", ["max_tokens", "max_cost", "max_seconds"])
@pytest.mark.parametrize("value", [0, -1, 10**15])
def test_a_cap_that_makes_no_sense_is_refused(kit: Kit, cap: str, value: int) -> None:
    with pytest.raises(Invalid, match="The cap on") as caught:
        kit.start(**{cap: value})
    assert caught.value.problems[0]["field"] == cap
    assert not Run.objects.exists()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_money_is_a_number(kit: Kit, value: float) -> None:
    with pytest.raises(Invalid, match="money"):
        kit.start(max_cost=value)


def test_caps_stand_with_the_run(kit: Kit) -> None:
    run = kit.start(max_tokens=5_000_000_000, max_cost=0.25, max_seconds=60)
    run.refresh_from_db()
    assert (run.max_tokens, run.max_cost, run.max_seconds) == (5_000_000_000, 0.25, 60)


def test_what_was_spent_before_counts(kit: Kit) -> None:
    run = kit.start(max_tokens=100, max_cost=1.0, max_seconds=60)
    run.calls, run.tokens, run.cost, run.seconds = 7, 90, 0.5, 30.0
    budget = budget_of(run)
    spent = budget.spent
    assert (spent.calls, spent.tokens, spent.cost) == (7, 90, 0.5)
    assert spent.seconds >= 30
    assert budget.remaining == run.max_calls - 7


def tokens_of(run: Run) -> int:
    """The tokens that the run's answers say they took."""
    steps = [step for row in run.scores.all() for step in row.prediction["steps"]]
    steps += [step for row in run.traces.all() for step in row.steps]
    return sum(
        step["usage"]["prompt_tokens"] + step["usage"]["completion_tokens"] for step in steps
    )


def test_tokens_and_seconds_are_kept(kit: Kit) -> None:
    run = kit.compile()
    assert run.tokens == tokens_of(run) > 0
    assert run.seconds > 0


@pytest.mark.parametrize("percent", [1, 30, 60, 95])
def test_a_cap_on_tokens_is_passed_by_no_more_than_what_was_in_flight(
    kit: Kit, lab: Lab, percent: int
) -> None:
    whole = kit.compile()
    cap = whole.tokens * percent // 100
    run = kit.compile(max_tokens=cap)
    longest = 4 * whole.tokens // whole.calls
    assert run.tokens <= cap + kit.connection.concurrency * longest
    if run.state == State.SUCCEEDED:
        assert run.report["artifact"]
        assert "budget" in run.report["note"].lower()
    else:
        assert run.state == State.FAILED
        assert "budget" in run.error.lower()
        assert percent < 95


@pytest.mark.parametrize("cap", ["max_tokens", "max_seconds", "max_cost"])
def test_a_cap_that_was_reached_before_a_restart_is_still_reached(
    kit: Kit, lab: Lab, cap: str
) -> None:
    run = kit.start(**{cap: 50})
    spent = {"max_tokens": "tokens", "max_seconds": "seconds", "max_cost": "cost"}[cap]
    Run.objects.filter(pk=run.pk).update(**{spent: 50, "calls": 10})
    assert execute(run.pk) == State.FAILED
    run.refresh_from_db()
    assert "budget" in run.error.lower()
    assert lab.calls == 0


def test_what_is_spent_goes_on_after_a_restart(kit: Kit, lab: Lab) -> None:
    whole = kit.compile()
    run = kit.start()
    stop = threading.Event()

    def make() -> ScriptedLM:
        def answer(request: Request) -> str:
            if sum(len(lm.requests) for lm in lab.lms[1:]) >= 30:
                stop.set()
            return support_triage(request)

        return ScriptedLM(answer, latency_s=0.02)

    lab.make = make
    assert execute(run.pk, shutting_down=stop) == State.QUEUED
    run.refresh_from_db()
    tokens, seconds = run.tokens, run.seconds
    assert 0 < tokens < whole.tokens
    assert seconds > 0
    lab.make = lambda: builtin_scripted("support-triage")
    assert execute(run.pk) == State.SUCCEEDED
    run.refresh_from_db()
    # What was in flight when the worker left was paid for and asked again.
    assert run.tokens >= whole.tokens
    assert run.seconds > seconds
