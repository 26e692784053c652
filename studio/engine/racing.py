"""Which candidates deserve more examples: successive halving, a paired test, and exact bounds.

A race is pure: it is asked which (candidate, example) pairs to run next, and told what came out.
All candidates meet the examples in one shared order, so that every comparison is on the same
examples. At each rung three things end a candidate's race: its place (sequential halving: Karnin,
Koren and Somekh 2013, https://proceedings.mlr.press/v28/karnin13.html), a lead of the best one
that chance hardly explains (racing by paired tests: Birattari et al. 2002, as in irace,
https://doi.org/10.1016/j.orp.2016.09.002), or a lead that cannot be made up any more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

FEWEST = 12
"""Examples of a rung at the least: with fewer the best one is thrown out too often."""
FEW = 4
"""A race of so few candidates has as many rungs, and nobody is dropped there for its place."""
FINALISTS = 3
"""Of more candidates so many see all examples, unless test or bound ends it earlier."""
SURE = 2.0
"""A candidate is dropped when the best one leads it by so many standard errors …"""
SURE_IN_OVERTIME = 1.2
"""… or so many once all examples were run, where a mistake costs little."""
OVERTIME = 2 / 3
"""Extra examples at the most, as a part of the others."""

_FIRST, _STEPS = 18, 12
"""The first rung has one part in so many of the examples, each further one at least so many."""
_SHARE, _POWER = 0.12, 0.65
"""After the part x of the examples the part `_SHARE / x ** _POWER` of the candidates goes on."""
_SPARED = 0.09
"""What test and bound spare, as a part of the pairs of a race of many; less than they can."""
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Rung:
    """After `examples` of the shared order at most `keep` candidates go on."""

    examples: int
    keep: int


def schedule(candidates: int, examples: int, extra: int = 0) -> tuple[Rung, ...]:
    """The rungs of a race of so many candidates.

    One of them has all `examples`; behind it the last ones left go through `extra` more.
    """
    few = candidates <= FEW
    step = max(FEWEST, -(-examples // (FEW if few else _STEPS)))
    size = step if few else max(FEWEST, -(-examples // _FIRST))
    rungs, left = [], candidates
    # A rest that is smaller than most of a step is no rung of its own.
    while left > 1 and size <= examples - 0.7 * step:
        if not few:
            part = _SHARE / (size / examples) ** _POWER
            least = FINALISTS + (2 * size < examples)
            left = min(left, max(least, math.ceil(candidates * part)))
        rungs.append(Rung(size, left))
        size += max(step, size // 3)
    left = min(left, FINALISTS)
    rungs.append(Rung(examples, left if extra and left > 1 else 1))
    blocks = max(1, min(5, extra // FEWEST)) if extra and left > 1 else 0
    for block in range(1, blocks + 1):
        keep = min(left, 3 if block == 1 else 2) if block < blocks else 1
        rungs.append(Rung(examples + extra * block // blocks, keep))
    return tuple(rungs)


def expected_runs(candidates: int, examples: int, extra: int = 0) -> tuple[int, int, int]:
    """How many (candidate, example) pairs a race runs: fewest, expected, most.

    `candidates` are all that are in it; none of their values are known.
    """
    rungs = schedule(candidates, examples, extra)
    most, before, left = 0, 0, candidates
    for rung in rungs:
        most += left * (rung.examples - before)
        before, left = rung.examples, min(left, rung.keep)
    fewest = candidates * rungs[0].examples + examples - min(examples, rungs[0].examples)
    if candidates < 2:
        return most, most, most
    return fewest, max(fewest, round((1 - _SPARED) * most)), most


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

    def asks(self, example: str) -> bool:
        """Whether it has still to be run on this one."""
        return example not in self.values and example not in self.seen and example not in self.skip


class Race:
    """Candidates against each other on `examples` (ids, in the shared order).

    `entries` may bring values that are known already; those are not run again. Ties go to the
    candidate that stands first. When several are left after all `examples`, up to `extra` more
    decide between them. Everything follows from what is told, not from when or in which order.
    Scores lie between 0 and 1. `rungs` and `sure` are for those who study races.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        examples: Sequence[str],
        extra: Sequence[str] = (),
        *,
        rungs: Sequence[Rung] | None = None,
        sure: tuple[float, float] = (SURE, SURE_IN_OVERTIME),
    ) -> None:
        self.entries = tuple(entries)
        self._by_number = {entry.number: entry for entry in self.entries}
        self._places = {entry.number: place for place, entry in enumerate(self.entries)}
        more = list(extra)[: int(OVERTIME * len(examples))]
        self._order = (*examples, *more)
        self._examples = len(examples)
        self._rungs = rungs or schedule(len(self.entries), len(examples), len(more))
        self._sure = sure
        self._rung = -1
        self._done = 0
        """So many examples of the order make up the rungs that are complete."""
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
                self._finish(self._rungs[self._rung])
            alive, rung = self.alive, self._rungs[self._rung + 1]
            if rung.examples > self._examples and len(alive) < 2:
                break
            self._rung += 1
            seen = self._order[: rung.examples]
            pairs = [
                (entry.number, example)
                for entry in alive
                for example in seen
                if entry.asks(example)
            ]
            if pairs:
                return pairs
        if self._rung + 1 == len(self._rungs):
            self._done = len(self._order)
        self.settled = True
        return []

    def tell(self, number: int, example: str, value: float | None) -> None:
        """What came out of one pair; None when it could not be scored."""
        entry = self._by_number[number]
        entry.seen.add(example)
        if value is not None:
            entry.values[example] = value

    def ranking(self) -> list[Entry]:
        """Those still in, best first: by the mean of their leads over the others' mean.

        On the examples of the complete rungs, one by one, so that candidates that were left out
        of different examples are compared fairly.
        """
        alive = self.alive
        leads: dict[int, list[float]] = {entry.number: [] for entry in alive}
        for example in self._order[: self._done]:
            scored = [entry for entry in alive if example in entry.values]
            if len(scored) > 1:
                total = math.fsum(entry.values[example] for entry in scored)
                for entry in scored:
                    value = entry.values[example]
                    leads[entry.number].append(value - (total - value) / (len(scored) - 1))
        means = {
            number: round(math.fsum(found) / len(found), 10) if found else 0.0
            for number, found in leads.items()
        }
        return sorted(alive, key=lambda entry: -means[entry.number])

    def _finish(self, rung: Rung) -> None:
        """Drop those that need not go on after this rung."""
        self.settled = True
        self._done = rung.examples
        ranked = self.ranking()
        best = ranked[0]
        for entry in ranked[1:]:
            entry.dropped = self._reason(entry, best)
        for entry in [entry for entry in ranked if not entry.dropped][rung.keep :]:
            others = "one other was" if rung.keep == 1 else f"{rung.keep} others were"
            entry.dropped = f"dropped after {len(entry.values)} examples: {others} ahead of it"

    def _reason(self, entry: Entry, best: Entry) -> str:
        """Why `best` has beaten it already, in words; empty when it has not."""
        overtime = self._done > self._examples
        end = len(self._order) if overtime else self._examples
        leads, room = [], 0.0
        for place, example in enumerate(self._order[:end]):
            mine, its = entry.values.get(example), best.values.get(example)
            if mine is not None and its is not None:
                leads.append(its - mine)
            elif place >= self._done and example not in entry.skip and example not in best.skip:
                room += (1.0 if mine is None else mine) - (0.0 if its is None else its)
        behind = math.fsum(leads)
        after = self._places[entry.number] > self._places[best.number]
        said = f"dropped after {len(entry.values)} examples: "
        if end > self._done and (room - behind <= _TINY if after else room - behind < -_TINY):
            return (
                f"{said}even with everything right from there on it would not have been better "
                "than the best"
            )
        # One more example that speaks for each side: a few that agree prove nothing.
        error = math.sqrt(math.fsum(lead * lead for lead in leads) + 1)
        if behind > self._sure[overtime] * error:
            return f"{said}so far behind the best one that it would hardly have caught up"
        return ""


def mean_lead(values: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The mean of the differences over the examples that both were scored on; 0 when none is."""
    shared = [value - other[key] for key, value in values.items() if key in other]
    return math.fsum(shared) / len(shared) if shared else 0.0
