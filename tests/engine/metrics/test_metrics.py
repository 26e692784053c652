"""Each metric's own judgement."""

from __future__ import annotations

from typing import Any

import pytest

from studio.engine.example import Example
from studio.engine.metrics import Score, make_metric
from studio.engine.metrics.normal import normalise
from studio.engine.trace import Prediction


def judge(kind: str, gold: Any, got: Any, **params: Any) -> Score:
    metric = make_metric(kind, {"field": "answer", **params})
    score = metric(Example({"answer": gold}), Prediction({"answer": got}))
    assert isinstance(score, Score)
    return score


def test_normalised_texts_have_no_case_punctuation_articles_or_double_spaces() -> None:
    assert normalise("The  “Blue” one, an’ a Half!") == "blue one half"
    assert normalise("Theatre") == "theatre"
    assert normalise("$1,000.50. (e.g. 3-4)") == "1,000.50 eg 3-4"


@pytest.mark.parametrize(
    ("gold", "got", "value"),
    [
        ("billing", "Billing.", 1.0),
        ("blue one", "The blue one", 1.0),
        ("3", 3, 1.0),
        (3, 3.0, 1.0),
        (True, "true", 1.0),
        (["a", "b"], ["a", "b"], 1.0),
        (["a", "b"], ["b", "a"], 0.0),
        (["The cat"], ["cat."], 1.0),
        (1.5, 15, 0.0),
        ("1.5", "15", 0.0),
        ("3.", "3", 1.0),
        ("+", "-", 0.0),
        ("the", "a", 0.0),
        ("", "", 1.0),
    ],
)
def test_exact_match(gold: Any, got: Any, value: float) -> None:
    assert judge("exact_match", gold, got).value == value


def test_exact_match_can_be_strict() -> None:
    assert judge("exact_match", "billing", "Billing", normalise=False).value == 0.0
    assert judge("exact_match", "billing", "billing", normalise=False).value == 1.0


def test_exact_match_says_what_was_expected() -> None:
    assert judge("exact_match", "billing", "account").reason == "expected “billing”, got “account”"


@pytest.mark.parametrize(
    ("gold", "got", "value"),
    [
        ("the quick brown fox", "quick brown fox", 1.0),
        ("quick brown fox", "brown fox", 0.8),
        ("fox", "a fox and another fox", pytest.approx(0.4)),
        ("fox", "dog", 0.0),
        ("the", "the", 1.0),
        ("the", "fox", 0.0),
    ],
)
def test_token_f1(gold: str, got: str, value: float) -> None:
    assert judge("token_f1", gold, got).value == value


def test_token_f1_says_how_many_words_are_shared() -> None:
    assert judge("token_f1", "quick brown fox", "brown fox").reason.startswith(
        "2 of 3 expected words, 2 words in the answer"
    )


@pytest.mark.parametrize(
    ("gold", "got", "value"),
    [
        ("Paris", "It is paris, of course", 1.0),
        ("art", "The party starts", 0.0),
        (["Paris", "Lutetia"], "They called it Lutetia.", 1.0),
        (["Paris", "Lutetia"], "London", 0.0),
        (42, "about 42 of them", 1.0),
        ("?", "really?", 1.0),
        ("", "anything", None),
        ([], "anything", None),
    ],
)
def test_contains(gold: Any, got: str, value: float | None) -> None:
    assert judge("contains", gold, got).value == value


def test_contains_can_be_strict() -> None:
    assert judge("contains", "art", "The party", normalise=False).value == 1.0
    assert judge("contains", "Art", "The party", normalise=False).value == 0.0


def test_long_values_are_cut_in_reasons() -> None:
    assert len(judge("exact_match", "x" * 10_000, "y" * 10_000).reason) < 200
