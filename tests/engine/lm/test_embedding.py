"""Embedding models: batches in order, retries, budget, cache, and no faith in what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.errors import (
    BudgetSpent,
    LMAuthError,
    LMBadAnswer,
    LMError,
    LMInvalidRequest,
    LMUnavailable,
)
from studio.engine.lm.embedding import BatchedEmbedder, Batching, CachedEmbedder, read_vectors
from studio.engine.lm.litellm_client import LiteLLMEmbedder
from studio.engine.lm.metered import Budget
from studio.engine.lm.openai_embedder import OpenAIHttpEmbedder
from studio.engine.lm.retrying import Patience
from studio.engine.lm.stores import MemoryStore, SQLiteStore
from studio.engine.messages import Usage
from tests.engine.lm.fake_openai import KEY, FakeOpenAI, fake_openai

# litellm and what it brings along warn of their own futures.
pytestmark = pytest.mark.filterwarnings("ignore")

Make = Callable[..., Any]
QUICK = Patience(base_s=0.001)
TEXTS = ["alpha", "be", "", "gamma ä", "\x00", "😀 x", "word " * 200]


def openai_http(model: str, url: str, batching: Batching | None = None, **options: Any) -> Any:
    return OpenAIHttpEmbedder(model, url, KEY, batching=batching, **options)


def litellm(model: str, url: str, batching: Batching | None = None, **options: Any) -> Any:
    return LiteLLMEmbedder(f"openai/{model}", KEY, url, batching=batching, **options)


both = pytest.mark.parametrize("make", [openai_http, litellm])


def expected(text: str) -> list[float]:
    text = text or " "
    return [len(text) / 8, ord(text[0]) / 8]


def embed(
    make: Make,
    model: str,
    texts: Sequence[str] = TEXTS,
    failures: int = 0,
    **options: Any,
) -> tuple[list[list[float]], FakeOpenAI, Any]:
    async def run() -> tuple[list[list[float]], FakeOpenAI, Any]:
        async with fake_openai() as fake:
            fake.failures_left = failures
            embedder = make(model, fake.base_url, **options)
            try:
                return await embedder.embed(texts), fake, embedder
            finally:
                await embedder.aclose()

    return asyncio.run(run())


@both
@pytest.mark.parametrize("size", [1, 3, 100])
def test_each_text_gets_its_vector_in_order(make: Make, size: int) -> None:
    budget = Budget()
    vectors, fake, embedder = embed(make, "good", batching=Batching(size=size, budget=budget))
    assert vectors == [expected(text) for text in TEXTS]
    assert [len(body["input"]) for body in fake.bodies] == {
        1: [1] * 7,
        3: [3, 3, 1],
        100: [7],
    }[size]
    assert budget.usage.calls == embedder.used.calls == len(fake.bodies)
    assert budget.usage.prompt_tokens == embedder.used.prompt_tokens == len(TEXTS)
    assert KEY not in repr(embedder)


@both
def test_nothing_asks_nobody(make: Make) -> None:
    vectors, fake, _ = embed(make, "good", [])
    assert (vectors, fake.bodies) == ([], [])


def test_the_price_is_counted() -> None:
    _, _, embedder = embed(openai_http, "good", price=2.0)
    assert embedder.used.cost == pytest.approx(2.0 * len(TEXTS) / 1e6)


@both
def test_a_call_that_fails_is_made_again_and_counted(make: Make) -> None:
    budget = Budget()
    batching = Batching(patience=QUICK, budget=budget)
    vectors, fake, _ = embed(make, "flaky", failures=2, batching=batching)
    assert vectors == [expected(text) for text in TEXTS]
    assert budget.used == len(fake.bodies) == 3


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("denied", LMAuthError),
        ("unknown", LMInvalidRequest),
        ("broken", LMUnavailable),
        ("too-few", LMBadAnswer),
        ("no-numbers", LMBadAnswer),
        ("uneven", LMBadAnswer),
    ],
)
@pytest.mark.parametrize("size", [3, 100])
def test_failures(model: str, error: type[LMError], size: int) -> None:
    with pytest.raises(error) as caught:
        embed(openai_http, model, batching=Batching(size=size, patience=QUICK))
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("model", ["denied", "broken"])
def test_failures_through_litellm(model: str) -> None:
    with pytest.raises(LMError) as caught:
        embed(litellm, model, batching=Batching(patience=QUICK))
    assert KEY not in str(caught.value)


def test_the_budget_ends_it() -> None:
    with pytest.raises(BudgetSpent):
        embed(openai_http, "good", batching=Batching(size=1, budget=Budget(3)))


def test_so_many_calls_at_the_same_time_and_no_more() -> None:
    flying, most = 0, 0

    class Slow(BatchedEmbedder):
        name, endpoint = "slow", "here"

        async def embed_batch(self, texts: Sequence[str]) -> tuple[Any, Usage]:
            nonlocal flying, most
            flying += 1
            most = max(most, flying)
            await asyncio.sleep(0.002)
            flying -= 1
            return [{"embedding": [1.0]} for _ in texts], Usage(calls=1)

    asyncio.run(Slow(Batching(size=1, concurrency=3)).embed(["x"] * 12))
    assert most == 3


@pytest.mark.parametrize("where", ["memory", "file"])
def test_a_text_is_embedded_once(where: str, tmp_path: Path) -> None:
    store = MemoryStore() if where == "memory" else SQLiteStore(tmp_path / "a.db")

    async def run() -> None:
        async with fake_openai() as fake:
            inner = OpenAIHttpEmbedder("good", fake.base_url)
            cached = CachedEmbedder(inner, store)
            assert (cached.name, cached.endpoint) == (inner.name, inner.endpoint)
            found = await cached.embed(["a", "bb", "a"])
            assert found == [expected("a"), expected("bb"), expected("a")]
            assert await cached.embed(["bb", "ccc"]) == [expected("bb"), expected("ccc")]
            assert [body["input"] for body in fake.bodies] == [["a", "bb"], ["ccc"]]
            other = CachedEmbedder(OpenAIHttpEmbedder("another", fake.base_url), store)
            await other.embed(["a"])
            assert len(fake.bodies) == 3

    asyncio.run(run())


@pytest.mark.parametrize("kept", [{}, {"vector": []}, {"vector": ["x"]}, {"vector": None}])
def test_a_kept_vector_of_another_shape_is_as_good_as_none(kept: dict[str, Any]) -> None:
    class Odd(MemoryStore):
        async def get(self, key: str) -> dict[str, Any] | None:
            return kept

    async def run() -> None:
        async with fake_openai() as fake:
            cached = CachedEmbedder(OpenAIHttpEmbedder("good", fake.base_url), Odd())
            assert await cached.embed(["a"]) == [expected("a")]

    asyncio.run(run())


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["index", "embedding"]), inner)
    ),
    max_leaves=10,
)


@given(json_values, st.integers(0, 3))
def test_whatever_comes_is_vectors_or_an_lm_error(data: Any, number: int) -> None:
    try:
        vectors = read_vectors(data, number, name="m")
    except LMBadAnswer:
        return
    assert len(vectors) == number
