"""What is kept of a budget: whatever runs out, the best so far is confirmed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from studio.engine.compilers.events import CompileResult
from studio.engine.errors import CompileError
from studio.engine.evaluation import MemoryLedger
from studio.engine.lm.metered import Budget, Metered, Spent
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Completion, Request
from studio.engine.runtime import Runtime
from tests.engine.compilers.builders import (
    StrictLedger,
    World,
    learner,
    make_examples,
    make_world,
    result_of,
    run,
    writes,
)

NOTHING = Spent()
IN_FLIGHT = 8


class Ticking(ScriptedLM):
    """Each answer takes a second of a clock that only answers move, and a cent."""

    def __init__(self, lm: ScriptedLM) -> None:
        super().__init__(lm._answer)
        self.now = 0.0

    async def complete(self, request: Request) -> Completion:
        found = await super().complete(request)
        self.now += 1.0
        return replace(found, usage=replace(found.usage, cost=0.01))


def capped(already: Spent = NOTHING, ledger: MemoryLedger | None = None, **caps: Any) -> World:
    """A compile with a budget of these caps."""
    lm = Ticking(writes(learner))
    budget = Budget(**caps, already=already, clock=lambda: lm.now)
    dev, test = make_examples(100, 48), make_examples(200, 20)
    world = make_world(lm, dev=dev, test=test, ledger=ledger, concurrency=IN_FLIGHT)
    task = replace(world.task, runtime=Runtime(lm=Metered(lm, budget)), budget=budget)
    return World(lm, task, world.ledger)


@pytest.mark.parametrize("share", [0.55, 0.7, 0.85])
@pytest.mark.parametrize("cap", ["calls", "tokens", "cost", "seconds"])
def test_whatever_runs_out_in_the_search_the_best_so_far_is_confirmed(
    cap: str, share: float
) -> None:
    unlimited = capped()
    run(unlimited.task)
    assert unlimited.task.budget
    spent = getattr(unlimited.task.budget.spent, cap)
    limit = type(spent)(share * spent)
    world = capped(**{f"max_{cap}": limit})
    result = result_of(run(world.task))
    assert "budget ran out in the search" in result.note
    # Kept is what calls took on average, and the confirmation's may take more.
    assert result.confirmed_on >= 15
    assert world.task.budget
    most = 2 * IN_FLIGHT * spent / unlimited.calls if cap != "calls" else 0
    assert getattr(world.task.budget.spent, cap) <= limit + most


@pytest.mark.parametrize(
    ("tokens", "enough"),
    [(0, False), (100, False), (3_000, False), (9_000, False), (45_000, True), (60_000, True)],
)
def test_any_cap_ends_in_a_result_or_a_sentence(tokens: int, enough: bool) -> None:
    world = capped(max_tokens=tokens)
    if enough:
        assert result_of(run(world.task)).confirmed_on > 0
    else:
        with pytest.raises(CompileError, match="The budget ran out before"):
            run(world.task)


def test_a_run_that_goes_on_has_what_the_first_attempt_left() -> None:
    ledger = StrictLedger()
    first = capped(max_calls=180, ledger=ledger)
    cut_short = result_of(run(first.task))
    assert first.task.budget
    spent = first.task.budget.spent
    assert spent.calls <= 180
    second = capped(spent, ledger, max_calls=500)
    whole = result_of(run(second.task))
    assert first.calls + second.calls <= 500
    assert second.task.budget
    assert second.task.budget.used == first.calls + second.calls
    assert whole.confirmed_on >= cut_short.confirmed_on
    assert whole.confirmed_on == 20


def test_what_was_not_spent_is_there_when_the_search_is_through() -> None:
    world = capped(max_calls=1_000)
    run(world.task)
    assert world.task.budget
    assert world.task.budget.remaining == 1_000 - world.calls


def test_a_release_takes_its_share_of_the_confirmation() -> None:
    done: CompileResult = result_of(run(capped().task))
    release = replace(
        done.candidate.states["classify"], instruction="Say which colour it is.", demos=()
    )
    world = capped(max_calls=220)
    candidate = replace(done.candidate, states={"classify": release})
    result = result_of(run(replace(world.task, release=candidate)))
    assert world.calls <= 220
    assert result.confirmed_on > 10
