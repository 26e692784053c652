"""Which candidates deserve more examples: successive halving, with bounds that lose nothing.

A race is pure: it is asked which (candidate, example) pairs to run next, and told what came out.
All candidates meet the examples in one shared order, so that every comparison is on the same
examples. Sequential halving: Karnin, Koren and Somekh 2013
(https://proceedings.mlr.press/v28/karnin13.html).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

FIRST_SHARE = 8
"""The first rung of a race of many has one part in so many of the examples …"""
FEWEST = 12
"""… but no fewer than this: with fewer the best one is thrown out too often."""
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Rung:
    """After `examples` of the shared order at most `keep` candidates go on."""

    examples: int
    keep: int


def schedule(candidates: int, examples: int) -> tuple[Rung, ...]:
    """The rungs of a race of so many candidates; the last one has all examples."""
    size = min(examples, max(FEWEST, -(-examples // FIRST_SHARE)))
    rungs = []
    left = candidates
    while size < examples and left > 1:
        left = max(2, (left + 1) // 2)
        rungs.append(Rung(size, left))
        size = min(examples, 2 * size)
    return (*rungs, Rung(examples, 1))


def expected_runs(candidates: int, examples: int) -> tuple[int, int, int]:
    """How many (candidate, example) pairs a race runs: fewest, expected, most.

    `candidates` are all that are in it and none of whose values are known.
    """
    most, before, left = 0, 0, candidates
    for rung in schedule(candidates, examples):
        most += left * (rung.examples - before)
        before, left = rung.examples, min(left, rung.keep)
    fewest = min(most, max(candidates, 2) * min(examples, FEWEST) + examples)
    return fewest, round(0.85 * most) if candidates > 2 else most, most


@dataclass
class Entry:
    """One candidate in a race."""

    number: int
    values: dict[str, float] = field(default_factory=dict)
    """Score by example id; an unscored example is not in it."""
    skip: frozenset[str] = frozenset()
    """Its own examples: it is never run on them."""
    dropped: str = ""
    """Why it is out, in words; empty while it is in."""
    seen: set[str] = field(default_factory=set)
    """The examples on which it was run, scored or not."""


class Race:
    """Candidates against each other on `examples` (ids, in the shared order).

    `entries` may bring values that are known already; those are not run again. Ties go to the
    candidate that stands first. Everything follows from what is told, not from when.
    """

    def __init__(self, entries: Sequence[Entry], examples: Sequence[str]) -> None:
        self.entries = tuple(entries)
        self._examples = tuple(examples)
        self._rungs = schedule(len(self.entries), len(self._examples))
        self._rung = -1
        self.settled = False
        """At least one rung is complete, so that `ranking` says something."""

    @property
    def alive(self) -> list[Entry]:
        """Those that are still in."""
        return [entry for entry in self.entries if not entry.dropped]

    def next(self) -> list[tuple[int, str]]:
        """The (candidate number, example id) pairs to run now; none when the race is over.

        Everything that was asked for before has been told.
        """
        while self._rung + 1 < len(self._rungs):
            if self._rung >= 0:
                self._drop(self._rungs[self._rung])
            self._rung += 1
            seen = self._examples[: self._rungs[self._rung].examples]
            pairs = [
                (entry.number, example)
                for entry in self.alive
                for example in seen
                if example not in entry.skip
                and example not in entry.seen
                and example not in entry.values
            ]
            if pairs:
                return pairs
        self.settled = True
        return []

    def tell(self, number: int, example: str, value: float | None) -> None:
        """What came out of one pair; None when it could not be scored."""
        entry = next(entry for entry in self.entries if entry.number == number)
        entry.seen.add(example)
        if value is not None:
            entry.values[example] = value

    def ranking(self) -> list[Entry]:
        """Those still in, best first: by the sum of their leads over the others."""
        alive = self.alive
        return sorted(
            alive,
            key=lambda entry: -math.fsum(mean_lead(entry.values, other.values) for other in alive),
        )

    def _drop(self, rung: Rung) -> None:
        self.settled = True
        ranked = self.ranking()
        best = ranked[0]
        left = self._examples[rung.examples :]
        for entry in ranked[1:]:
            if _cannot_win(entry, best, left):
                entry.dropped = (
                    f"dropped after {len(entry.values)} examples: even with everything right from "
                    "there on it would not have been better than the best"
                )
        for entry in self.ranking()[rung.keep :]:
            entry.dropped = (
                f"dropped after {len(entry.values)} examples: {rung.keep} others were ahead of it"
            )


def mean_lead(values: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The mean of the differences over the examples that both were scored on; 0 when none is."""
    shared = [value - other[key] for key, value in values.items() if key in other]
    return math.fsum(shared) / len(shared) if shared else 0.0


def _cannot_win(entry: Entry, best: Entry, left: Sequence[str]) -> bool:
    """Whether being right on all that is left, and the best one on none, would not be enough."""
    behind = math.fsum(
        best.values[key] - value for key, value in entry.values.items() if key in best.values
    )
    room = 0.0
    for key in left:
        if key not in entry.skip and key not in best.skip and key not in entry.values:
            room += 1 - best.values.get(key, 0.0)
    return room - behind <= _TINY
