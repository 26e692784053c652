"""What every retriever keeps to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.engine.errors import RetrievalError
from studio.engine.retrieval.base import Passage, Retriever
from studio.engine.retrieval.embeddings import Embeddings
from studio.engine.retrieval.fulltext import FullText
from studio.engine.retrieval.hybrid import Hybrid
from tests.engine.retrieval.fakes import WordsEmbedder

Build = Callable[[Sequence[Passage], Path], Awaitable[Retriever]]


async def in_a_file(passages: Sequence[Passage], folder: Path) -> Retriever:
    return FullText.build(passages, folder / "collection.db")


async def stemmed(passages: Sequence[Passage], folder: Path) -> Retriever:
    return FullText.build(passages, folder / "stemmed.db", stem=True)


async def in_memory(passages: Sequence[Passage], folder: Path) -> Retriever:
    return FullText.build(passages)


async def embedded(passages: Sequence[Passage], folder: Path) -> Retriever:
    return await Embeddings.build(passages, WordsEmbedder())


async def hybrid(passages: Sequence[Passage], folder: Path) -> Retriever:
    return Hybrid((FullText.build(passages), await Embeddings.build(passages, WordsEmbedder())))


BUILDERS: dict[str, Build] = {
    "file": in_a_file,
    "stemmed": stemmed,
    "memory": in_memory,
    "embeddings": embedded,
    "hybrid": hybrid,
}
every = pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)

CITIES = (
    Passage(id="p1", title="Paris", text="Paris is the capital of France."),
    Passage(id="b1", title="Berlin", text="Berlin lies on the river Spree, in Germany."),
    Passage(id="z1", title="Zürich", text="Zürich lies at a lake, in Switzerland."),
    Passage(id="t1", title="東京", text="東京都は日本の首都である。"),
    Passage(id="m1", title="Москва", text="Москва стоит на реке Москве."),
)


def found(
    build: Build, folder: Path, query: str, k: int = 3, passages: Sequence[Passage] = CITIES
) -> tuple[Passage, ...]:
    async def go() -> tuple[Passage, ...]:
        retriever = await build(passages, folder)
        try:
            return await retriever.search(query, k)
        finally:
            close(retriever)

    return asyncio.run(go())


def close(retriever: Any) -> None:
    for each in getattr(retriever, "retrievers", (retriever,)):
        each.close()


@every
@pytest.mark.parametrize(
    ("query", "id_"),
    [
        ("the capital of France", "p1"),
        ("SPREE", "b1"),
        ("zurich lake", "z1"),
        ("日本の首都", "t1"),
        ("москва", "m1"),
        ("“river” (Spree) AND NOT*", "b1"),
        ("\x00 Germany\x07", "b1"),
    ],
)
def test_the_passage_with_the_words_of_the_query_comes_first(
    build: Build, tmp_path: Path, query: str, id_: str
) -> None:
    best = found(build, tmp_path, query)[0]
    assert best.id == id_
    assert best.text == next(passage.text for passage in CITIES if passage.id == id_)


@every
def test_scores_fall_and_no_passage_comes_twice(build: Build, tmp_path: Path) -> None:
    hits = found(build, tmp_path, "Berlin lies on a river of France", k=100)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len({hit.id for hit in hits}) == len(hits) >= 3


@every
@pytest.mark.parametrize("k", [0, -1, -(10**30)])
def test_none_are_found_when_none_are_wanted(build: Build, tmp_path: Path, k: int) -> None:
    assert found(build, tmp_path, "Paris", k) == ()


@every
@pytest.mark.parametrize("k", [6, 10_000, 10**30])
def test_there_are_no_more_than_there_are(build: Build, tmp_path: Path, k: int) -> None:
    assert 1 <= len(found(build, tmp_path, "Paris Berlin", k)) <= len(CITIES)


@every
def test_in_an_empty_collection_nothing_is_found(build: Build, tmp_path: Path) -> None:
    assert found(build, tmp_path, "Paris", passages=()) == ()


@every
@pytest.mark.parametrize("query", ["", "   ", "\n\t"])
def test_nothing_asked_nothing_found(build: Build, tmp_path: Path, query: str) -> None:
    assert found(build, tmp_path, query) == ()


@every
@pytest.mark.parametrize(
    "query",
    [
        '"',
        '""" OR 1',
        "NEAR(a b, 3)",
        "title : Paris",
        "{title text} : x",
        "-Paris",
        "^Paris + Berlin",
        "a* AND (b OR",
        "'; DROP TABLE passage; --",
        "🙂🙂",
        "\x00",
        "\ud800",
        "_" * 50,
        "{}[]()*^:,;%&",
    ],
)
def test_any_text_is_a_query(build: Build, tmp_path: Path, query: str) -> None:
    assert len(found(build, tmp_path, query)) <= 3


@every
def test_a_query_of_a_megabyte_is_answered(build: Build, tmp_path: Path) -> None:
    assert found(build, tmp_path, "Spree " + "lorem ipsum " * 87_000)[0].id == "b1"


@every
def test_equal_passages_count_once(build: Build, tmp_path: Path) -> None:
    twice = (Passage(text="the same"), Passage(text="the same"), Passage(text="another"))
    assert [hit.text for hit in found(build, tmp_path, "same", 5, twice)].count("the same") == 1


@every
def test_one_id_is_one_passage(build: Build, tmp_path: Path) -> None:
    with pytest.raises(RetrievalError, match="Two different passages have the id “a”"):
        found(build, tmp_path, "x", 1, (Passage(id="a", text="x"), Passage(id="a", text="y")))


@every
def test_passages_of_equal_score_are_in_the_order_of_their_ids(
    build: Build, tmp_path: Path
) -> None:
    ids = ["c", "a", "d", "b", "10", "9"]
    same = [Passage(id=id_, text="alike and alike") for id_ in ids]
    assert [hit.id for hit in found(build, tmp_path, "alike", 4, same)] == sorted(ids)[:4]


@every
def test_many_searches_at_once_are_as_one(build: Build, tmp_path: Path) -> None:
    async def go() -> None:
        retriever = await build(CITIES, tmp_path)
        queries = ["France", "Spree", "lake", "首都"] * 25
        alone = {query: await retriever.search(query, 2) for query in queries[:4]}
        together = await asyncio.gather(*(retriever.search(query, 2) for query in queries))
        assert list(together) == [alone[query] for query in queries]
        close(retriever)

    asyncio.run(go())


@every
def test_threads_with_loops_of_their_own_may_share_one(build: Build, tmp_path: Path) -> None:
    async def go() -> list[Any]:
        retriever = await build(CITIES, tmp_path)
        try:
            return await asyncio.gather(
                *(
                    asyncio.to_thread(lambda: asyncio.run(retriever.search("Spree", 1)))
                    for _ in range(20)
                )
            )
        finally:
            close(retriever)

    assert {hits[0].id for hits in asyncio.run(go())} == {"b1"}


@every
def test_a_closed_collection_says_so(build: Build, tmp_path: Path) -> None:
    async def go() -> None:
        retriever = await build(CITIES, tmp_path)
        close(retriever)
        await retriever.search("Paris", 1)

    with pytest.raises(RetrievalError, match="The collection is closed"):
        asyncio.run(go())


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(st.text(max_size=30), max_size=8),
    query=st.text(max_size=40),
    k=st.integers(-2, 12),
)
@pytest.mark.parametrize("build", [in_memory, embedded, hybrid])
def test_whatever_is_written_and_asked(build: Build, texts: list[str], query: str, k: int) -> None:
    passages = [Passage(id=str(at), text=text) for at, text in enumerate(texts)]
    hits = found(build, Path(), query, k, passages)
    assert len(hits) <= max(0, min(k, len(texts)))
    for hit in hits:
        assert hit.text == texts[int(hit.id)].encode("utf-8", "replace").decode()
