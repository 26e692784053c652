"""The words of blocks: a block that holds a phrase is never passed over."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.datasets.browsing import words
from studio.datasets.browsing.words import LONGEST, WordList, may_hold, terms_of


def blocks_with(phrase: str, blocks: Sequence[Sequence[str]]) -> list[int]:
    """The blocks that may hold the phrase, by their words."""
    found = WordList()
    for texts in blocks:
        found.add(texts)
    data, size = found.encode()
    mask = may_hold(data[:size], terms_of(phrase.casefold()), lambda: data[size:])
    return [at for at in range(len(blocks)) if mask >> at & 1]


BLOCKS = [["Where is my parcel?"], ["I was charged", "twice"], ["STRASSE", "parcel parcels"]]


@pytest.mark.parametrize(
    ("phrase", "found"),
    [
        ("parcel", [0, 2]),
        ("arce", [0, 2]),
        ("my parcel?", [0]),
        ("charged twice", [1]),
        ("Straße", [2]),
        ("refund", []),
        ("is my refund", []),
        ("  ", [0, 1, 2]),
    ],
)
def test_blocks_are_told_apart_by_parts_of_words(phrase: str, found: list[int]) -> None:
    assert blocks_with(phrase, BLOCKS) == found


texts = st.lists(st.text(alphabet="abäßİ \n1", max_size=90), max_size=4)


@given(blocks=st.lists(texts, min_size=1, max_size=5), data=st.data())
def test_a_block_with_the_phrase_is_always_found(
    blocks: list[list[str]], data: st.DataObject
) -> None:
    everything = [text for block in blocks for text in block if text]
    text = data.draw(st.sampled_from(everything or ["a"]))
    start = data.draw(st.integers(0, len(text) - 1))
    phrase = text[start : start + data.draw(st.integers(1, 60))]
    there = [
        at
        for at, block in enumerate(blocks)
        if any(phrase.casefold() in text.casefold() for text in block)
    ]
    assert set(there) <= set(blocks_with(phrase, blocks))


@pytest.mark.parametrize("at", [0, 40, 41, 63, 64, 100, 4_000, LONGEST - 3, LONGEST + 500, 5_990])
def test_a_phrase_inside_of_a_very_long_word_is_found(at: int) -> None:
    letters = "".join(chr(ord("a") + (n * n + n // 7) % 26) for n in range(6_000))
    assert blocks_with(letters[at : at + 30], [["short"], [letters]]) == [1]


def test_a_block_with_too_many_words_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "MOST", 3)
    assert blocks_with("nothing", [["one two"], ["three four five"], ["six"]]) == [1]


def test_the_last_of_many_blocks_has_its_own_bit() -> None:
    blocks = [[f"word{n}"] for n in range(words.GROUP)]
    assert blocks_with("word63", blocks) == [63]
    assert blocks_with("word", blocks) == list(range(words.GROUP))
