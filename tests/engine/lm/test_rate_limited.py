"""Rate limits that workers share."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from studio.engine.errors import BudgetSpent, EngineError, LMRateLimited, LMTimeout, LMUnavailable
from studio.engine.lm.compose import compose
from studio.engine.lm.metered import Budget
from studio.engine.lm.rate_bucket import Bucket, RateLimits
from studio.engine.lm.rate_limited import RateLimited, estimated_tokens
from studio.engine.lm.rate_stores import (
    MemoryRates,
    RateStore,
    RedisRates,
    SQLiteRates,
    open_rates,
)
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Completion, Message, Request, Usage

HELLO = Request(prompt="hello", max_tokens=10)


def answering(*answers: Any, usage: int = 5, **options: Any) -> ScriptedLM:
    def answer(request: Request) -> Any:
        nonlocal answers
        if answers:
            first, *rest = answers
            answers = tuple(rest)
            return first
        return Completion(text="ok", usage=Usage(calls=1, prompt_tokens=usage))

    return ScriptedLM(answer, **options)


async def bucket_of(store: RateStore, key: str) -> Bucket:
    def look(bucket: Bucket | None, now: float) -> tuple[Bucket, Bucket]:
        assert bucket is not None
        return bucket, bucket

    return await store.change(key, look)


def test_calls_beyond_the_limit_wait_in_the_order_of_asking() -> None:
    # 1,200 a minute are 200 at once and then 20 a second.
    inner = answering()
    lm = RateLimited(inner, RateLimits(requests_per_minute=1_200), MemoryRates())
    begun = time.monotonic()

    async def run() -> None:
        asking = (lm.complete(Request(prompt=str(number))) for number in range(206))
        await asyncio.gather(*asking)

    asyncio.run(run())
    assert 0.25 <= time.monotonic() - begun < 15
    assert [request.prompt for request in inner.requests] == [str(n) for n in range(206)]


def test_what_was_not_used_lets_the_next_go_at_once() -> None:
    # A hundred at once and ten a second: a guess of 90 would keep the second waiting for 8 s.
    inner = answering(usage=1, latency_s=0.02)
    lm = RateLimited(inner, RateLimits(tokens_per_minute=600), MemoryRates())
    begun = time.monotonic()

    async def run() -> None:
        request = Request(prompt="", max_tokens=89)
        await asyncio.gather(*(lm.complete(request) for _ in range(5)))

    asyncio.run(run())
    assert time.monotonic() - begun < 7.0


@pytest.mark.parametrize("streamed", [False, True])
def test_what_a_call_used_is_settled(streamed: bool) -> None:
    store = MemoryRates(clock=lambda: 0.0)
    lm = RateLimited(answering(usage=30), RateLimits(tokens_per_minute=6_000), store, key="k")

    async def run() -> None:
        if streamed:
            async for _ in lm.stream(HELLO):
                assert (await bucket_of(store, "k")).tokens == 1_000 - estimated_tokens(HELLO)
        else:
            await lm.complete(HELLO)
        assert (await bucket_of(store, "k")).tokens == 970

    asyncio.run(run())


@pytest.mark.parametrize(
    ("error", "left"),
    [(LMUnavailable(), 1_000), (LMTimeout(), 1_000 - 12), (BudgetSpent(), 1_000)],
    ids=["unavailable", "timeout", "budget"],
)
def test_what_a_failed_call_used(error: Exception, left: float) -> None:
    store = MemoryRates(clock=lambda: 0.0)
    lm = RateLimited(answering(error, error), RateLimits(tokens_per_minute=6_000), store, key="k")

    async def run() -> None:
        with pytest.raises(type(error)):
            await lm.complete(HELLO)
        assert (await bucket_of(store, "k")).tokens == left
        with pytest.raises(type(error)):
            async for _ in lm.stream(HELLO):
                pass

    asyncio.run(run())


def test_a_server_that_is_busy_keeps_all_workers_waiting() -> None:
    store, limits = MemoryRates(), RateLimits(requests_per_minute=6_000)
    busy = RateLimited(answering(LMRateLimited(retry_after_s=0.3)), limits, store, key="k")
    other = RateLimited(answering(), limits, store, key="k")

    async def run() -> float:
        with pytest.raises(LMRateLimited):
            await busy.complete(HELLO)
        begun = time.monotonic()
        await other.complete(HELLO)
        return time.monotonic() - begun

    assert 0.25 < asyncio.run(run()) < 1.0


def test_labels_are_limited_as_well() -> None:
    inner = ScriptedLM([], label_scores=lambda prompt, labels: dict.fromkeys(labels, 0.0))
    store = MemoryRates(clock=lambda: 0.0)
    lm = RateLimited(inner, RateLimits(requests_per_minute=60), store, key="k")

    async def run() -> None:
        await lm.score_labels("Which?", [" a", " b"])
        assert (await bucket_of(store, "k")).requests == 9

    asyncio.run(run())


def test_one_who_is_cancelled_holds_nobody_up() -> None:
    store, limits = MemoryRates(), RateLimits(requests_per_minute=600)  # A hundred, ten a second.
    lm = RateLimited(answering(), limits, store, key="k")
    another = RateLimited(answering(), limits, store, key="k")

    async def run() -> None:
        await asyncio.gather(*(lm.complete(HELLO) for _ in range(100)))
        waiting = asyncio.create_task(lm.complete(HELLO))
        await asyncio.sleep(0.02)
        assert len((await bucket_of(store, "k")).queue) == 1
        waiting.cancel()
        await asyncio.wait([waiting])
        assert (await bucket_of(store, "k")).queue == ()
        begun = time.monotonic()
        await another.complete(HELLO)
        assert time.monotonic() - begun < 7.0

    asyncio.run(run())


def test_composed_each_attempt_waits_its_turn_and_the_cache_does_not() -> None:
    from studio.engine.lm.stores import MemoryStore

    rates = MemoryRates(clock=lambda: 0.0)
    inner = answering(LMUnavailable())
    lm = compose(
        inner,
        budget=Budget(2),
        store=MemoryStore(),
        limits=RateLimits(requests_per_minute=600),
        rates=rates,
    )

    async def run() -> None:
        for _ in range(5):
            await lm.complete(HELLO)
        assert (await bucket_of(rates, "scripted: scripted")).requests == 98

    asyncio.run(run())
    assert len(inner.requests) == 2


def work(place: str, key: str, number: int, sent: Any) -> None:
    """One worker: it asks as fast as it may, and tells when each call went."""

    async def main() -> None:
        def answer(request: Request) -> str:
            sent.put(time.time())
            return "ok"

        limits = RateLimits(requests_per_minute=600)  # A hundred at once, then ten a second.
        lm = RateLimited(ScriptedLM(answer), limits, open_rates(place), key=key)
        await asyncio.gather(*(lm.complete(HELLO) for _ in range(number)))

    asyncio.run(main())


@pytest.mark.parametrize("where", ["file", pytest.param("redis", marks=pytest.mark.servers)])
def test_two_processes_share_the_limit(where: str, tmp_path: Path) -> None:
    redis = os.environ.get("STUDIO_TEST_BROKER_URL", "")
    place = str(tmp_path / "rates.db") if where == "file" else redis
    context = multiprocessing.get_context("spawn")
    sent, key = context.Queue(), uuid.uuid4().hex
    workers = [context.Process(target=work, args=(place, key, 60, sent)) for _ in range(2)]
    for worker in workers:
        worker.start()
    times = sorted(sent.get(timeout=60) for _ in range(120))
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    # 120 calls, a hundred of them at once: the others take two seconds if both keep one count.
    assert times[-1] - times[0] > 1.5
    for first, moment in enumerate(times):
        within = sum(1 for other in times[first:] if other - moment <= 1.0)
        assert within <= 100 + 10 + 3


@pytest.mark.servers
def test_redis_changes_a_bucket_in_one_step() -> None:
    store, key = RedisRates(os.environ["STUDIO_TEST_BROKER_URL"]), uuid.uuid4().hex

    def one_more(bucket: Bucket | None, now: float) -> tuple[Bucket, int]:
        count = int(bucket.tokens) + 1 if bucket else 1
        return Bucket(requests=0.0, tokens=float(count), at=now), count

    async def run() -> None:
        counts = await asyncio.gather(*(store.change(key, one_more) for _ in range(30)))
        assert sorted(counts) == list(range(1, 31))

    asyncio.run(run())


@pytest.mark.parametrize("where", ["redis", "file"])
def test_without_its_store_a_worker_counts_alone(
    where: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    store: RateStore = (
        RedisRates("redis://:hunter2@127.0.0.1:9/0")
        if where == "redis"
        else SQLiteRates(tmp_path / "file" / "rates.db")
    )
    lm = RateLimited(answering(), RateLimits(requests_per_minute=1_200), store)
    begun = time.monotonic()

    async def run() -> None:
        await asyncio.gather(*(lm.complete(HELLO) for _ in range(206)))

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    assert time.monotonic() - begun >= 0.25
    assert len(caplog.records) == 1
    assert "hunter2" not in caplog.text


def test_a_file_with_other_things_in_it_is_begun_anew(tmp_path: Path) -> None:
    store = SQLiteRates(tmp_path / "rates.db")
    lm = RateLimited(answering(), RateLimits(requests_per_minute=60), store, key="k")
    asyncio.run(lm.complete(HELLO))
    import sqlite3

    with sqlite3.connect(tmp_path / "rates.db") as connection:
        connection.execute("UPDATE buckets SET bucket = '[1]'")
    connection.close()
    asyncio.run(lm.complete(HELLO))


def test_the_address_chooses_the_store(tmp_path: Path) -> None:
    assert isinstance(open_rates("memory:"), MemoryRates)
    assert isinstance(open_rates(tmp_path / "r.db"), SQLiteRates)
    assert isinstance(open_rates("redis://localhost"), RedisRates)
    with pytest.raises(EngineError, match="“postgresql:”"):
        open_rates("postgresql://localhost")


def test_the_estimate_counts_prompt_and_answer() -> None:
    chat = Request(messages=(Message("user", "x" * 400),), max_tokens=50)
    assert estimated_tokens(chat) == 151
