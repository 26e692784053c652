"""Rows that ask the same, or nearly: found in full, and nothing else."""

from __future__ import annotations

import random

from studio.datasets.scanning.alike import Inputs
from studio.datasets.scanning.folding import LONGEST, fold, jaccard
from studio.engine.compilers.near import ALIKE, read_alike
from tests.benchmarks import near_duplicates


def near(*texts: str) -> set[tuple[int, int]]:
    """Places of the texts that are nearly equal, or equal."""
    inputs = Inputs()
    for text in texts:
        inputs.add([text])
    clusters = inputs.clusters(lambda places: {place: [texts[place]] for place in places})
    item = inputs.item_of
    return {
        (one, other)
        for one in range(len(texts))
        for other in range(one + 1, len(texts))
        if clusters.root(item[one]) == clusters.root(item[other])
    }


def test_planted_pairs_are_found() -> None:
    recall, _seconds = near_duplicates.measure(6_000)
    assert recall >= 0.95


def test_what_is_found_is_alike() -> None:
    texts, _pairs = near_duplicates.planted(3_000)
    inputs = Inputs()
    for text in texts:
        inputs.add([text])
    clusters = inputs.clusters()
    assert clusters.pairs
    for one, other in clusters.pairs:
        mine, its = (fold(texts[inputs.first[item]]).words for item in (one, other))
        assert jaccard(mine, its) >= ALIKE


def test_case_blanks_punctuation_and_unicode_forms_do_not_matter() -> None:
    assert near("Where is my parcel?", "  where IS my\tparcel!! ") == {(0, 1)}
    assert near("A café — “open”", "a cafe\u0301 - open") == {(0, 1)}


def test_a_word_of_ten_may_differ() -> None:
    text = "my {} has not come yet although it was sent last week"
    assert near(text.format("parcel"), text.format("package")) == {(0, 1)}


def test_another_number_makes_another_row() -> None:
    text = "please send me the invoice with the number {} by mail today"
    assert not near(text.format(17), text.format(18))
    assert not near("message 1", "message 2")
    assert not near("this costs 5 $ a month, which I find too much", "this costs 5 € a month, which I find too much")  # fmt: skip  # noqa: E501


def test_short_texts_have_to_be_equal() -> None:
    assert not near("turn it on", "turn it off")
    assert near("turn it on", "Turn it on.") == {(0, 1)}


def test_a_typo_is_forgiven_in_short_texts_as_in_a_compile() -> None:
    one, other = "where is the parcel now", "where is the parcle now"
    assert read_alike(one, other)
    assert jaccard(fold(one).words, fold(other).words) < ALIKE
    assert near(one, other) == {(0, 1)}


def test_texts_without_spaces_between_words_are_compared_by_letters() -> None:
    assert near("我的包裹在哪里今天能到吗请告诉我", "我的包裹在哪里今天能到么请告诉我") == {(0, 1)}


def test_each_input_has_to_be_alike() -> None:
    context = "the studio is open from nine to five on all days but sunday and holidays"
    inputs = Inputs()
    inputs.add(["when does it open in the morning these days", context])
    inputs.add(["who works there at night when it is closed", context])
    inputs.add(["when does it open in the morning these days?", context.upper() + " too"])
    clusters = inputs.clusters()
    assert clusters.pairs == {(0, 2)}


def test_inputs_that_are_no_texts_have_to_be_equal() -> None:
    text = "how many of the lamps in the list are broken by now"
    inputs = Inputs()
    for others in ("[1]", "[2]", "[1]"):
        inputs.add([text], others)
    assert inputs.item_of.tolist() == [0, 1, 0]
    assert not inputs.clusters().pairs


def test_rows_without_inputs_are_nobodys_duplicates() -> None:
    inputs = Inputs()
    assert inputs.add([""]) is None
    assert inputs.add([" ?! "]) is None
    assert not inputs.keys


def test_very_many_rows_that_are_all_alike_become_one_cluster() -> None:
    rng = random.Random(1)
    words = [f"word{chr(97 + n)}" for n in range(24)]
    texts = []
    for number in range(3_000):
        changed = list(words)
        changed[rng.randrange(24)] = "".join(chr(97 + int(digit)) for digit in str(number))
        texts.append(" ".join(changed))
    inputs = Inputs()
    for text in texts:
        inputs.add([text])
    clusters = inputs.clusters()
    assert len({clusters.root(item) for item in range(len(inputs.keys))}) == 1
    assert len(clusters.pairs) < 40 * len(texts)


def test_of_a_very_long_text_the_beginning_is_compared() -> None:
    text = "many words of a long text " * 50_000
    inputs = Inputs()
    inputs.add([text])
    inputs.add([text + "and an end"])
    assert inputs.cut == 2
    assert len(inputs.words(0)) * 4 < LONGEST * 2
    assert inputs.clusters().pairs == {(0, 1)}
