"""A simulated LM whose accuracy with each set of demos is known."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from statistics import NormalDist
from typing import Any

LABELS = ("billing", "delivery", "refund", "other")
TRAIN, DEV, TEST = 200, 300, 160
"""Examples: to make demos of, to select on, to confirm on."""
RANDOM_CANDIDATES = 16
"""With the program as it is, labelled demos and the first bootstrapped ones: 19 candidates."""
CANDIDATES = RANDOM_CANDIDATES + 3
MAX_BOOTSTRAPPED, MAX_LABELED = 4, 16
IN_FLIGHT = 16
SIGNATURE = "message -> label"

_WITHOUT, _GAIN = 0.45, 0.10
"""The mean accuracy without demos, and what demos add."""
_SHARED = 0.5
"""The part of an answer's luck that comes with the example, for all candidates alike."""
_NORMAL = NormalDist()
_MESSAGE = re.compile(r"\[\[ ## message ## \]\]\n(.*)")
"""Both sides mark a message in the same way in their default formats."""


@dataclass(frozen=True)
class World:
    """One LM, and the examples of one project; everything follows from the seed."""

    seed: int
    spread: float = 0.05
    """Standard deviation of the true accuracies over sets of demos."""
    train: int = TRAIN
    dev: int = DEV
    test: int = TEST
    _luck: dict[str, float] = field(default_factory=dict, repr=False, compare=False)
    _bars: dict[frozenset[str], tuple[float, str]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @cached_property
    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Messages with their labels, by split."""
        found, start = {}, 0
        for name, count in (("train", self.train), ("dev", self.dev), ("test", self.test)):
            numbers = range(start, start + count)
            found[name] = [self._row(number) for number in numbers]
            start += count
        return found

    def accuracy(self, demos: frozenset[str]) -> float:
        """The true accuracy with these demos (their messages), over all possible messages."""
        bar, _ = self._bar(demos)
        return _NORMAL.cdf(bar)

    def answer(self, message: str, demos: frozenset[str]) -> str:
        """The label that the LM gives: the right one as often as `accuracy` says.

        Hard messages are hard for all candidates, so that comparisons on the same ones say more.
        """
        bar, key = self._bar(demos)
        luck = self._luck.get(message)
        if luck is None:
            luck = self._luck[message] = self._normal("message", message)
        own = self._normal("answer", key, message)
        right = _label(message)
        if _SHARED**0.5 * luck + (1 - _SHARED) ** 0.5 * own < bar:
            return right
        return LABELS[(LABELS.index(right) + 1) % len(LABELS)]

    def reply(self, turns: Iterable[str]) -> str:
        """The answer to a chat whose user turns are `turns`: demos first, the question last."""
        *demos, message = (found[1] for turn in turns if (found := _MESSAGE.search(turn)))
        label = self.answer(message, frozenset(demos))
        return f"[[ ## label ## ]]\n{label}\n\n[[ ## completed ## ]]"

    def _bar(self, demos: frozenset[str]) -> tuple[float, str]:
        found = self._bars.get(demos)
        if found is None:
            key = hashlib.sha256("\n".join(sorted(demos)).encode()).hexdigest()
            mean = _WITHOUT + (_GAIN if demos else 0.0)
            true = mean + self.spread * self._normal("accuracy", key)
            found = self._bars[demos] = _NORMAL.inv_cdf(min(0.97, max(0.03, true))), key
        return found

    def _row(self, number: int) -> dict[str, Any]:
        message = f"message {self.seed}/{number}"
        return {"message": message, "label": _label(message)}

    def _normal(self, *parts: object) -> float:
        digest = hashlib.blake2b(repr((self.seed, *parts)).encode(), digest_size=8).digest()
        return _NORMAL.inv_cdf((int.from_bytes(digest) + 0.5) / 2**64)


@dataclass(frozen=True)
class Outcome:
    """What one side made of one world."""

    accuracies: tuple[float, ...]
    """True accuracy of each candidate, in the order in which they were made."""
    winner: int
    """Its place among them."""
    runs: int
    """Program runs of the search."""
    confirming: int = 0
    """Program runs afterwards, on examples that the search did not see."""
    seconds: float = 0.0
    """Wall time of the search …"""
    whole_seconds: float = 0.0
    """… and with what came afterwards."""

    @property
    def accuracy(self) -> float:
        """The winner's."""
        return self.accuracies[self.winner]

    @property
    def regret(self) -> float:
        """What the best of the candidates has on the winner."""
        return max(self.accuracies) - self.accuracy

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return {
            "accuracies": list(self.accuracies),
            "winner": self.winner,
            "runs": self.runs,
            "confirming": self.confirming,
            "seconds": self.seconds,
            "whole_seconds": self.whole_seconds,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Outcome:
        """From JSON."""
        return cls(**{**data, "accuracies": tuple(data["accuracies"])})


def _label(message: str) -> str:
    return LABELS[int.from_bytes(hashlib.blake2b(message.encode(), digest_size=4).digest()) % 4]
