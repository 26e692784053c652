"""The caps on tokens, money and time, what earlier attempts spent, and what is kept back."""

from __future__ import annotations

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.engine.errors import BudgetSpent, LMTimeout
from studio.engine.lm.cached import MemoryStore
from studio.engine.lm.compose import compose
from studio.engine.lm.metered import Budget, Metered, Spent
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Completion, Request, Usage

HELLO = Request(prompt="hello")


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Costly(ScriptedLM):
    """Takes as many turns of the loop, seconds, tokens and dollars as chance says."""

    def __init__(self, rng: random.Random, clock: Clock) -> None:
        super().__init__([])
        self.rng, self.clock = rng, clock
        self.flying: list[Usage] = []
        self.begun: list[tuple[float, int, float]] = []
        """For each call: when, and the tokens and dollars in flight then, its own among them."""

    async def complete(self, request: Request) -> Completion:
        cost = self.rng.choice([0.0, 0.001, 0.01, 0.5])
        usage = Usage(prompt_tokens=self.rng.randint(0, 90), completion_tokens=7, cost=cost)
        self.flying.append(usage)
        tokens = sum(one.prompt_tokens + one.completion_tokens for one in self.flying)
        self.begun.append((self.clock.now, tokens, sum(one.cost for one in self.flying)))
        for _ in range(self.rng.randint(1, 6)):
            await asyncio.sleep(0)
            self.clock.now += 0.1
        self.flying.remove(usage)
        return Completion(text="yes", usage=usage)


def spend(budget: Budget, *usages: Usage) -> None:
    """So many calls, one after the other."""
    for usage in usages:
        budget.take()
        budget.add(usage)


@settings(deadline=None)
@given(
    seed=st.integers(0, 10_000),
    workers=st.integers(1, 12),
    tokens=st.integers(0, 3_000),
    cents=st.integers(0, 900),
    seconds=st.integers(0, 200),
    calls=st.integers(0, 90),
)
def test_no_cap_is_passed_by_more_than_what_was_in_flight(
    seed: int, workers: int, tokens: int, cents: int, seconds: int, calls: int
) -> None:
    clock = Clock()
    budget = Budget(
        calls, max_tokens=tokens, max_cost=cents / 100, max_seconds=seconds, clock=clock
    )
    lm = Costly(random.Random(seed), clock)
    metered = Metered(lm, budget)

    async def worker() -> None:
        for _ in range(20):
            try:
                await metered.complete(HELLO)
            except BudgetSpent:
                return

    async def run() -> None:
        await asyncio.gather(*(worker() for _ in range(workers)))

    asyncio.run(run())
    spent = budget.spent
    assert spent.calls == len(lm.begun) <= calls
    if lm.begun:
        last, tokens_flying, cost_flying = lm.begun[-1]
        assert spent.tokens < tokens + tokens_flying
        assert spent.cost < cents / 100 + cost_flying
        assert last - 1_000 < seconds
    room = (
        spent.calls < calls
        and spent.tokens < tokens
        and spent.cost < cents / 100
        and spent.seconds < seconds
    )
    # Nobody is stopped too early.
    assert not room or spent.calls == 20 * workers


def test_one_at_a_time_the_caps_are_passed_by_one_answer_at_the_most() -> None:
    budget = Budget(max_tokens=100)
    with pytest.raises(BudgetSpent, match="100 tokens is spent"):
        spend(budget, *[Usage(prompt_tokens=20, completion_tokens=10)] * 9)
    assert budget.spent.tokens == 120
    assert budget.used == 4


def test_threads_share_all_caps() -> None:
    budget = Budget(max_tokens=5_000)

    def take_many() -> None:
        for _ in range(500):
            try:
                spend(budget, Usage(prompt_tokens=10))
            except BudgetSpent:
                return

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(take_many) for _ in range(8)]:
            done.result()
    assert 5_000 <= budget.spent.tokens < 5_000 + 8 * 10


def test_time_counts_from_when_the_budget_is_made_and_goes_on_from_earlier_attempts() -> None:
    clock = Clock()
    budget = Budget(max_seconds=60, already=Spent(seconds=45.0), clock=clock)
    clock.now += 14
    budget.take()
    assert budget.spent.seconds == pytest.approx(59)
    clock.now += 1
    with pytest.raises(BudgetSpent, match="60 seconds is spent"):
        budget.take()


def test_what_earlier_attempts_spent_counts_under_every_cap() -> None:
    already = Spent(calls=8, tokens=900, cost=0.75, seconds=10.0)
    assert Budget(10, already=already).remaining == 2
    assert Budget(already=already).used == 8
    spent = Budget(already=already, clock=Clock()).spent
    assert spent == already
    caps: list[dict[str, Any]] = [
        {"max_calls": 8},
        {"max_tokens": 900},
        {"max_cost": 0.75},
        {"max_seconds": 10},
    ]
    for cap in caps:
        with pytest.raises(BudgetSpent):
            Budget(**cap, already=already).take()
    budget = Budget(10, already=already)
    spend(budget, Usage(prompt_tokens=5, cost=0.25), Usage(completion_tokens=6))
    assert budget.spent.tokens == 911
    assert budget.spent.cost == 1.0
    assert budget.usage == Usage(calls=2, prompt_tokens=5, completion_tokens=6, cost=0.25)


@pytest.mark.parametrize(
    ("caps", "usage", "words"),
    [
        ({"max_tokens": 1_200}, Usage(prompt_tokens=1_200), "1,200 tokens is spent"),
        ({"max_tokens": 0}, Usage(), "0 tokens.*Set a budget of more tokens"),
        ({"max_cost": 2.5}, Usage(cost=2.75), "2.50 US dollars is spent"),
        ({"max_cost": 0.0004}, Usage(cost=0.1), "0.00040 US dollars is spent"),
        ({"max_cost": 0.0}, Usage(), "0.00 US dollars.*more than nothing"),
        ({"max_seconds": 0}, Usage(), "0 seconds, so only answers from the cache"),
        ({"max_calls": 1, "max_cost": 2.0}, Usage(cost=0.1), "1 call is spent. Raise it"),
    ],
)
def test_the_error_names_the_cap_and_the_way_out(
    caps: dict[str, Any], usage: Usage, words: str
) -> None:
    budget = Budget(**caps)
    with pytest.raises(BudgetSpent, match=words):
        spend(budget, usage, Usage())


def test_failures_and_retries_cost_calls_and_no_tokens() -> None:
    lm = ScriptedLM([LMTimeout(), "ok", "ok"])
    budget = Budget(3, max_tokens=1_000)
    metered = Metered(lm, budget)

    async def run() -> None:
        with pytest.raises(LMTimeout):
            await metered.complete(HELLO)
        await metered.complete(HELLO)

    asyncio.run(run())
    assert budget.spent.calls == 2
    assert budget.spent.tokens == budget.usage.prompt_tokens + budget.usage.completion_tokens > 0


def test_a_cached_answer_is_free_under_every_cap() -> None:
    store, clock = MemoryStore(), Clock()
    caps: dict[str, Any] = {"max_tokens": 1, "max_cost": 1.0, "max_seconds": 5.0}
    budget = Budget(1, **caps, clock=clock)
    lm = compose(ScriptedLM(lambda request: "yes"), budget=budget, store=store)
    asyncio.run(lm.complete(HELLO))
    clock.now += 100
    assert asyncio.run(lm.complete(HELLO)).cached


def test_affordable_is_what_fits_under_all_caps_at_the_average_so_far() -> None:
    assert Budget().affordable is None
    assert Budget(7).affordable == 7
    clock = Clock()
    budget = Budget(100, max_tokens=1_000, max_cost=1.0, max_seconds=40, clock=clock)
    assert budget.affordable == 100
    for _ in range(10):
        spend(budget, Usage(prompt_tokens=20, cost=0.01))
        clock.now += 1
    # 90 calls, 800 tokens at 20, 90 cents at 1, 30 seconds at 1.
    assert budget.affordable == 30


@pytest.mark.parametrize(
    ("caps", "fits"),
    [
        ({"max_calls": 50}, 50),
        ({"max_tokens": 500}, 50),
        ({"max_cost": 0.5}, 50),
        ({"max_seconds": 25}, 50),
    ],
)
def test_what_is_kept_is_left_afterwards_under_every_cap(caps: dict[str, Any], fits: int) -> None:
    clock = Clock()
    budget = Budget(**caps, clock=clock)
    usage = Usage(prompt_tokens=10, cost=0.01)

    def go() -> int:
        count = 0
        while True:
            try:
                spend(budget, usage)
            except BudgetSpent:
                return count
            clock.now += 0.5
            count += 1

    with budget.keep(20):
        assert go() == pytest.approx(fits - 20, abs=1)
        with pytest.raises(BudgetSpent, match="kept for the confirmation"):
            budget.take()
    assert budget.affordable == pytest.approx(20, abs=1)
    assert go() == pytest.approx(20, abs=1)


def test_at_most_half_is_kept() -> None:
    budget = Budget(20)
    with budget.keep(1_000):
        assert budget.remaining == 10
        spend(budget, *[Usage()] * 10)
        assert budget.remaining == 0
        with pytest.raises(BudgetSpent):
            budget.take()
    assert budget.remaining == 10


def test_what_is_kept_is_free_again_when_the_search_fails() -> None:
    budget = Budget(20)
    with pytest.raises(LMTimeout), budget.keep(5):
        raise LMTimeout
    assert budget.remaining == 20


def test_a_resumed_run_keeps_by_what_calls_took_before() -> None:
    budget = Budget(max_tokens=1_000, already=Spent(calls=10, tokens=200))
    with budget.keep(10):
        # 800 are left, of which 10 calls at 20 tokens are kept.
        spend(budget, *[Usage(prompt_tokens=20)] * 30)
        with pytest.raises(BudgetSpent):
            budget.take()
    assert budget.affordable == 10
