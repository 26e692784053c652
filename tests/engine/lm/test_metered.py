"""The hard cap, and the order of the wrappers."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import reduce

import pytest

from studio.engine.errors import BudgetSpent, LMTimeout, LMUnavailable
from studio.engine.lm.cached import MemoryStore
from studio.engine.lm.compose import compose
from studio.engine.lm.metered import Budget, Metered
from studio.engine.lm.openai_http import OpenAIHttpLM
from studio.engine.lm.retrying import Patience
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Completion, Message, Request, Usage
from tests.engine.lm.fake_openai import fake_openai

HELLO = Request(prompt="hello")


def answers() -> ScriptedLM:
    return ScriptedLM(
        lambda request: "yes",
        label_scores=lambda prompt, labels: dict.fromkeys(labels, -1.0),
        latency_s=0.001,
    )


def test_fifty_tasks_never_send_more_than_the_budget() -> None:
    inner, budget = answers(), Budget(20)
    lm = Metered(inner, budget)

    async def run() -> list[object]:
        questions = [
            lm.complete(HELLO) if number % 2 else lm.score_labels("x", [" a", " b"])
            for number in range(50)
        ]
        return await asyncio.gather(*questions, return_exceptions=True)

    results = asyncio.run(run())
    assert sum(isinstance(result, BudgetSpent) for result in results) == 30
    assert len(inner.requests) + len(inner.label_requests) == 20
    assert (budget.used, budget.remaining, budget.usage.calls) == (20, 0, 20)


def test_threads_share_a_budget() -> None:
    budget = Budget(500)

    def take_many() -> int:
        taken = 0
        for _ in range(200):
            try:
                budget.take()
            except BudgetSpent:
                break
            taken += 1
        return taken

    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(lambda _: take_many(), range(8)))
    assert taken == budget.used == 500


def test_a_call_that_fails_was_a_call() -> None:
    budget = Budget(1)
    lm = Metered(ScriptedLM([LMTimeout(), "ok"]), budget)

    async def run() -> None:
        with pytest.raises(LMTimeout):
            await lm.complete(HELLO)
        with pytest.raises(BudgetSpent):
            await lm.complete(HELLO)

    asyncio.run(run())
    assert budget.usage.calls == 1


@pytest.mark.parametrize(
    ("cap", "words"), [(0, "at least one call"), (1, "1 call is"), (1_200, "1,200 calls is")]
)
def test_the_error_says_what_to_do(cap: int, words: str) -> None:
    budget = Budget(cap)
    for _ in range(cap):
        budget.take()
    with pytest.raises(BudgetSpent, match=words):
        budget.take()


def test_no_cap() -> None:
    budget = Budget()
    budget.take()
    assert (budget.used, budget.remaining) == (1, None)


def test_at_most_so_many_calls_are_in_flight() -> None:
    flying, most = 0, 0

    class Watched(ScriptedLM):
        async def complete(self, request: Request) -> Completion:
            nonlocal flying, most
            flying += 1
            most = max(most, flying)
            await asyncio.sleep(0.002)
            flying -= 1
            return Completion(text="ok")

    lm = Metered(Watched([]), Budget(), limit=3)

    async def run() -> None:
        await asyncio.gather(*(lm.complete(HELLO) for _ in range(12)))

    for _ in range(2):  # A second loop gets a gate of its own.
        asyncio.run(run())
    assert most == 3


def test_composed_a_cached_answer_costs_nothing() -> None:
    budget = Budget(1)
    lm = compose(answers(), budget=budget, store=MemoryStore(), concurrency=2)

    async def run() -> None:
        for _ in range(5):
            assert (await lm.complete(HELLO)).text == "yes"
        with pytest.raises(BudgetSpent):
            await lm.complete(Request(prompt="another"))

    asyncio.run(run())
    assert budget.used == 1


def test_composed_a_retry_costs_a_call_and_usage_agrees() -> None:
    async def run() -> None:
        async with fake_openai() as fake:
            fake.failures_left = 1
            budget = Budget(2)
            lm = compose(OpenAIHttpLM("flaky", fake.base_url), budget=budget, store=MemoryStore())
            completion = await lm.complete(Request(messages=(Message("user", "hello"),)))
            assert len(fake.bodies) == budget.used == completion.usage.calls == 2
            assert budget.usage.prompt_tokens == completion.usage.prompt_tokens == 11

    asyncio.run(run())


def test_composed_the_budget_ends_the_retries() -> None:
    budget = Budget(1)
    lm = compose(ScriptedLM([LMUnavailable()] * 9), budget=budget)
    with pytest.raises(BudgetSpent):
        asyncio.run(lm.complete(HELLO))
    assert budget.used == 1


def test_composed_with_the_cache_a_budget_of_zero_still_answers_what_is_known() -> None:
    store = MemoryStore()
    asyncio.run(compose(answers(), store=store).complete(HELLO))
    spent = compose(answers(), store=store, budget=Budget(0))
    assert asyncio.run(spent.complete(HELLO)).cached
    with pytest.raises(BudgetSpent, match="only answers from the cache"):
        asyncio.run(spent.complete(Request(prompt="new")))


def test_sixty_four_at_once_are_counted_exactly() -> None:
    """Budget and completions agree with the server, whatever fails, is cached or is streamed."""
    number, asked = 64, 320

    async def run() -> None:
        async with fake_openai() as fake:
            fake.failures_left = 20
            budget = Budget()
            lm = compose(
                OpenAIHttpLM("flaky", fake.base_url, price=(2.0, 10.0)),
                budget=budget,
                store=MemoryStore(),
                concurrency=number,
                attempts=30,
            )
            lm._lm._patience = Patience(attempts=30, base_s=0.001)  # type: ignore[attr-defined]
            numbers = iter(range(asked))
            usages: list[Usage] = []

            async def worker() -> None:
                for n in numbers:
                    # Every question is asked twice, every third one is streamed.
                    request = Request(messages=(Message("user", f"hello {n // 2}"),))
                    if n % 3:
                        usages.append((await lm.complete(request)).usage)
                    else:
                        *_, last = [piece async for piece in lm.stream(request)]
                        assert isinstance(last, Completion)
                        usages.append(last.usage)

            await asyncio.gather(*(worker() for _ in range(number)))
            await lm.aclose()
            total = reduce(Usage.__add__, usages)
            assert len(usages) == asked
            assert total.calls == budget.used == len(fake.bodies) == asked // 2 + 20
            assert total.prompt_tokens == budget.usage.prompt_tokens == 11 * asked // 2
            assert total.completion_tokens == budget.usage.completion_tokens == 3 * asked // 2
            price = asked // 2 * (11 * 2.0 + 3 * 10.0) / 1e6
            assert total.cost == pytest.approx(price)
            assert budget.usage.cost == pytest.approx(price)

    asyncio.run(run())


def test_a_stream_is_one_call_also_when_it_is_left() -> None:
    budget = Budget(2)
    lm = Metered(ScriptedLM(lambda request: "one two"), budget, limit=1)

    async def run() -> None:
        left = lm.stream(HELLO)
        assert await anext(left) == "one"
        await left.aclose()
        assert [piece async for piece in lm.stream(HELLO)][:2] == ["one", " two"]
        assert budget.usage.calls == 2
        assert budget.usage.completion_tokens == 2
        with pytest.raises(BudgetSpent):
            await anext(lm.stream(HELLO))

    asyncio.run(run())


def test_a_question_that_times_out_is_asked_twice_at_most_and_never_side_by_side() -> None:
    async def run() -> None:
        async with fake_openai() as fake:
            budget = Budget()
            lm = compose(
                OpenAIHttpLM("hang", fake.base_url, timeout_s=0.2),
                budget=budget,
                store=MemoryStore(),
                concurrency=8,
            )
            request = Request(messages=(Message("user", "hello"),))
            ways = (lm.complete(request) for _ in range(8))
            answers = await asyncio.gather(*ways, return_exceptions=True)
            assert all(isinstance(answer, LMTimeout) for answer in answers)
            assert len(fake.bodies) == budget.used == 2
            for _ in range(100):
                await asyncio.sleep(0.01)
                if fake.given_up == 2:
                    break
            # The server heard both times that nobody waits any more.
            assert fake.given_up == 2
            await lm.aclose()

    asyncio.run(run())
