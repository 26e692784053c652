"""Reciprocal rank fusion, BM25 in memory, and words."""

from __future__ import annotations

import asyncio

import pytest

from studio.engine.errors import RetrievalError
from studio.engine.retrieval.base import Passage
from studio.engine.retrieval.bm25 import Bm25
from studio.engine.retrieval.fulltext import FullText
from studio.engine.retrieval.hybrid import Hybrid, fuse
from studio.engine.retrieval.words import words

A, B, C = (Passage(id=id_, text=id_) for id_ in "abc")


def test_what_stands_high_in_both_wins() -> None:
    fused = fuse([(A, B, C), (C, B)], 3)
    assert [hit.id for hit in fused] == ["c", "b", "a"]
    assert fused[0].score == pytest.approx(1 / 63 + 1 / 61)


def test_equal_sums_are_in_the_order_of_ids() -> None:
    assert [hit.id for hit in fuse([(B, A), (A, B)], 2)] == ["a", "b"]
    assert fuse([(A,)], 0) == fuse([], 5) == ()


def test_passages_without_ids_are_known_by_their_text() -> None:
    one, other = Passage(text="x"), Passage(text="y")
    assert [hit.text for hit in fuse([(one, other), (other,)], 5)] == ["y", "x"]


def test_the_first_failure_is_raised_as_it_is() -> None:
    closed = FullText.build([A])
    closed.close()
    with pytest.raises(RetrievalError, match="closed"):
        asyncio.run(Hybrid((FullText.build([A]), closed)).search("a", 1))


def test_bm25_prefers_rare_words_and_short_texts() -> None:
    index = Bm25(["the cat", "the dog and the bird and the fish", "the bird"])
    assert [at for at, _ in index.search("bird", 3)] == [2, 1, 0]
    assert [at for at, _ in index.search("the cat", 1)] == [0]
    assert index.search("nothing", 2) == [(0, 0.0), (1, 0.0)]
    assert Bm25([]).search("x", 3) == []
    assert Bm25(["", "🙂"]).search("x", 3) == [(0, 0.0), (1, 0.0)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Straße, CAFÉ!", ["strasse", "cafe"]),
        ("don't 3.5_x", ["don", "t", "3", "5", "x"]),
        ("東京 ab", ["東", "京", "ab"]),
        ("हिन्दी है।", ["हिन्दी", "है"]),
        ("", []),
        ("🙂 \x00", []),
    ],
)
def test_words(text: str, found: list[str]) -> None:
    assert words(text) == found
