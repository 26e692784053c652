"""Values made comparable."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from dataclasses import field
from typing import Any

from studio.engine.metrics.base import as_text

_ARTICLES = re.compile(r"\b(a|an|the)\b")
# Unlike SQuAD, marks between digits stay: 1.5 is not 15.
_MARKS = re.compile(r"(?<!\d)[^\w\s]|[^\w\s](?!\d)|_")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise(text: str) -> str:
    """Small letters, no punctuation, no English articles, single spaces."""
    return " ".join(_ARTICLES.sub(" ", _MARKS.sub("", text.casefold())).split())


def squad_normalise(text: str) -> str:
    """As SQuAD's evaluation script does it: small letters, no ASCII punctuation at all, no English
    articles, single spaces (Rajpurkar et al. 2016, https://arxiv.org/abs/1606.05250).
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())


NORMALISATIONS: dict[str, Callable[[str], str]] = {
    "gentle": normalise,
    "squad": squad_normalise,
    "none": str,
}
"""What the param `normalisation` may name."""


def normalise_param() -> Any:
    """The dataclass field `normalise`; False is the same as the normalisation “none”."""
    return field(
        default=True,
        metadata={
            "label": "Ignore case, punctuation and articles",
            "help": "“The Blue one.” then equals “blue one”.",
        },
    )


def normalisation_param() -> Any:
    """The dataclass field `normalisation`."""
    return field(
        default="gentle",
        metadata={
            "label": "Normalisation",
            "help": "How texts are made comparable: “gentle” keeps the marks inside of numbers, "
            "“squad” removes all punctuation as the SQuAD benchmark does, “none” changes nothing.",
            "choices": tuple(NORMALISATIONS),
        },
    )


def normaliser(normalise: bool, normalisation: str) -> Callable[[str], str]:
    """What these two params together ask for."""
    return NORMALISATIONS[normalisation if normalise else "none"]


def same(one: Any, other: Any, normal: Callable[[str], str]) -> bool:
    """Whether two values are equal; texts, also in lists, up to `normal`."""
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(same(*pair, normal) for pair in pairs)
    if as_text(one) == as_text(other):
        return True
    if not (isinstance(one, str) and isinstance(other, str)):
        return False
    # Texts that are only punctuation (“+”, “?”) have nothing left to compare.
    plain = normal(one)
    return bool(plain) and plain == normal(other)


def alternatives(gold: Any, got: Any) -> list[Any]:
    """What the answer may be: each item of a gold list, unless the answer is a list itself."""
    if isinstance(gold, list) and gold and not isinstance(got, list):
        return gold
    return [gold]
