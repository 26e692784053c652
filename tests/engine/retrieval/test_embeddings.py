"""Embeddings, the vectors that are kept, and the search among them."""

from __future__ import annotations

import asyncio
import math
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.engine.errors import LMUnavailable, RetrievalError
from studio.engine.retrieval import vectors
from studio.engine.retrieval.base import Passage
from studio.engine.retrieval.embeddings import Embeddings
from studio.engine.retrieval.nearest import FEW, Nearest, cosine, unit
from studio.engine.retrieval.vectors import KeptEmbedder, VectorStore, embed_checked
from tests.engine.retrieval.fakes import SaysVectors, WordsEmbedder


def plain(vectors: list[Any], query: Any, k: int) -> list[tuple[int, float]]:
    scored = sorted(((-cosine(query, vector), at) for at, vector in enumerate(vectors)))
    return [(at, -score) for score, at in scored[:k]]


@pytest.mark.parametrize(("count", "dimensions"), [(FEW, 3), (FEW + 1, 1), (500, 7), (300, 384)])
def test_the_nearest_are_exactly_the_nearest(count: int, dimensions: int) -> None:
    chance = random.Random(count)
    all_ = [unit([chance.gauss(0, 1) for _ in range(dimensions)]) for _ in range(count)]
    nearest = Nearest(all_)
    for k in (1, 10, count, count * 2):
        query = unit([chance.gauss(0, 1) for _ in range(dimensions)])
        assert nearest.search(query, k) == plain(all_, query, k)


number = st.floats(-1, 1, allow_nan=False, width=32)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(number, number, number), min_size=1, max_size=150), st.data())
def test_the_nearest_of_any_vectors(rows: list[tuple[float, ...]], data: st.DataObject) -> None:
    all_ = [unit(row) for row in rows]
    query = unit(data.draw(st.tuples(number, number, number)))
    assert Nearest(all_).search(query, 5) == plain(all_, query, 5)


def test_vectors_that_are_almost_the_same_are_told_apart() -> None:
    all_ = [unit([1.0, at * 1e-5, *[0.01] * 30]) for at in range(500)]
    query = unit([1.0, 250 * 1e-5, *[0.01] * 30])
    assert Nearest(all_).search(query, 3) == plain(all_, query, 3)


def test_a_direction_has_length_1() -> None:
    assert math.hypot(*unit([3.0, 4.0])) == pytest.approx(1)
    assert list(unit([0.0, 0.0])) == [0.0, 0.0]
    with pytest.raises(ValueError, match="finite"):
        unit([math.inf])


@pytest.mark.parametrize(
    "answer",
    [
        [],
        [[1.0], [1.0, 2.0]],
        [[], []],
        [[math.nan], [1.0]],
        [[math.inf], [1.0]],
        [[1e300], [1.0]],
        [["a"], [1.0]],
    ],
)
def test_an_embedder_that_answers_no_vectors_is_named(answer: Any) -> None:
    with pytest.raises(RetrievalError, match="embedding model says answered"):
        asyncio.run(embed_checked(SaysVectors(answer), ["one", "two"]))


def test_vectors_of_another_length_ask_for_building_again() -> None:
    async def go() -> None:
        says = SaysVectors([[1.0, 0.0]], [[1.0]])
        collection = await Embeddings.build([Passage(text="x")], says)
        await collection.search("x", 1)

    with pytest.raises(RetrievalError, match="build it again"):
        asyncio.run(go())


def test_a_server_that_does_not_answer_is_what_it_is() -> None:
    failing = WordsEmbedder(failing=LMUnavailable())
    with pytest.raises(LMUnavailable):
        asyncio.run(Embeddings.build([Passage(text="x")], failing))


def test_title_and_text_are_embedded_together() -> None:
    embedder = WordsEmbedder()
    asyncio.run(Embeddings.build([Passage(title="T", text="x"), Passage(text="y")], embedder))
    assert sorted(embedder.asked[0]) == ["T\nx", "y"]


@pytest.mark.parametrize("name", ["vectors.db", None])
def test_nothing_is_embedded_twice(tmp_path: Path, name: str | None) -> None:
    inner = WordsEmbedder()
    store = VectorStore(tmp_path / name if name else None)
    kept = KeptEmbedder(inner, store)

    async def go() -> None:
        first = await kept.embed(["a", "b", "a", ""])
        again = await kept.embed(["b", "c", "a"])
        assert [again[0], again[2]] == [first[1], first[0]]
        assert first[0] == pytest.approx(inner.vector("a"), abs=1e-6)
        assert first[0] == first[2]

    asyncio.run(go())
    assert inner.asked == [["a", "b", ""], ["c"]]
    store.close()


def test_vectors_outlive_the_process_and_belong_to_their_model(tmp_path: Path) -> None:
    one, other = WordsEmbedder(), WordsEmbedder()
    other.name = "other"
    for embedder, asked in ((one, [["a"]]), (one, [["a"]]), (other, [["a"]])):
        store = VectorStore(tmp_path / "v.db")
        asyncio.run(KeptEmbedder(embedder, store).embed(["a"]))
        store.close()
        assert embedder.asked == asked


def test_texts_that_are_under_way_are_not_asked_for_again() -> None:
    inner = WordsEmbedder()
    kept = KeptEmbedder(inner, VectorStore())

    async def go() -> None:
        await asyncio.gather(*(kept.embed(["a", "b"]) for _ in range(10)), kept.embed(["b", "c"]))

    asyncio.run(go())
    assert inner.asked == [["a", "b"], ["c"]]


def test_what_a_batch_brought_is_kept_when_a_later_one_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vectors, "BATCH", 2)
    monkeypatch.setattr(vectors, "IN_FLIGHT", 1)
    inner = WordsEmbedder()
    kept = KeptEmbedder(inner, VectorStore())
    embed = inner.embed

    async def failing(texts: Any) -> Any:
        if "c" in texts:
            raise LMUnavailable()
        return await embed(texts)

    inner.embed = failing  # type: ignore[method-assign]
    with pytest.raises(LMUnavailable):
        asyncio.run(kept.embed(["a", "b", "c"]))
    inner.embed = embed  # type: ignore[method-assign]
    asyncio.run(kept.embed(["a", "b", "c"]))
    assert inner.asked == [["a", "b"], ["c"]]


def test_one_that_waited_for_a_failure_asks_itself() -> None:
    inner = WordsEmbedder()
    kept = KeptEmbedder(inner, VectorStore())
    embed = inner.embed
    calls = 0

    async def first_fails(texts: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            await asyncio.sleep(0.01)
            raise LMUnavailable()
        return await embed(texts)

    inner.embed = first_fails  # type: ignore[method-assign]

    async def go() -> None:
        failed, answered = await asyncio.gather(
            kept.embed(["a"]), kept.embed(["a"]), return_exceptions=True
        )
        assert isinstance(failed, LMUnavailable)
        assert not isinstance(answered, BaseException)
        assert len(answered) == 1

    asyncio.run(go())


def test_a_damaged_store_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "v.db").write_bytes(b"no database " * 1000)
    with pytest.raises(RetrievalError, match="delete it"):
        VectorStore(tmp_path / "v.db")
    store = VectorStore(tmp_path / "good.db")
    store.close()
    with pytest.raises(RetrievalError, match="cannot be used"):
        asyncio.run(KeptEmbedder(WordsEmbedder(), store).embed(["a"]))


def test_building_again_over_kept_vectors_costs_no_call() -> None:
    inner = WordsEmbedder()
    kept = KeptEmbedder(inner, VectorStore())
    passages = [Passage(id=str(n), text=f"number {n}") for n in range(300)]
    first = asyncio.run(Embeddings.build(passages, kept))
    asked = sum(map(len, inner.asked))
    again = asyncio.run(Embeddings.build(passages, kept))
    assert asked == sum(map(len, inner.asked)) == 300
    assert first.hash == again.hash
    assert asyncio.run(again.search("number 7", 1))[0].id == "7"


def test_threads_and_loops_may_share_one_store(tmp_path: Path) -> None:
    kept = KeptEmbedder(WordsEmbedder(32), VectorStore(tmp_path / "v.db"))

    def work(number: int) -> int:
        texts = [f"{number} {n % 40}" for n in range(100)]
        return len(asyncio.run(kept.embed(texts)))

    async def go() -> list[int]:
        return await asyncio.gather(*(asyncio.to_thread(work, n % 3) for n in range(12)))

    assert asyncio.run(go()) == [100] * 12
