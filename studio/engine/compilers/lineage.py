"""Who descends from whom in a compile, and which two are worth merging."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from studio.engine.compilers.search import Standing
from studio.engine.example import Candidate, PredictorState

_TINY = 1e-9


@dataclass(frozen=True)
class Merged:
    """A candidate with the improvements of two."""

    candidate: Candidate
    parents: tuple[Standing, Standing]


class Lineage:
    """A family: candidate numbers, their parents, and whose turn it is among their predictors."""

    def __init__(self, root: int) -> None:
        self._parents: dict[int, tuple[int, ...]] = {root: ()}
        self._turns: dict[int, int] = {root: 0}

    @property
    def numbers(self) -> list[int]:
        """Everybody, in the order of their numbers."""
        return sorted(self._parents)

    def add(self, number: int, parents: Sequence[int]) -> None:
        """A child; one that was known before stays where it was."""
        if number not in self._parents:
            self._parents[number] = tuple(parents)
            self._turns[number] = max(self._turns[parent] for parent in parents)

    def take_turn(self, number: int) -> int:
        """How often this candidate or those that it descends from were looked at; counts on."""
        turn = self._turns[number]
        self._turns[number] += 1
        return turn

    def ancestors(self, number: int) -> set[int]:
        """All those that it descends from."""
        found: set[int] = set()
        left = list(self._parents[number])
        while left:
            parent = left.pop()
            if parent not in found:
                found.add(parent)
                left += self._parents[parent]
        return found

    def merge(
        self, members: Sequence[Standing], standings: Sequence[Standing], known: Set[str]
    ) -> Merged | None:
        """The first two of `members`, best first, that have something to give to each other.

        Neither descends from the other, both are at least as good as the latest ancestor that
        they share, and since then each has changed a predictor that the other has not. None when
        there are no such two, or what they would give is `known` (hashes).
        """
        order = sorted(members, key=lambda each: (-(each.mean or 0.0), each.number))
        for place, one in enumerate(order):
            for other in order[place + 1 :]:
                candidate = self._merged(one, other, standings)
                if candidate and candidate.hash not in known:
                    return Merged(candidate, (one, other))
        return None

    def _merged(
        self, one: Standing, other: Standing, standings: Sequence[Standing]
    ) -> Candidate | None:
        above, beside = self.ancestors(one.number), self.ancestors(other.number)
        if one.number in beside or other.number in above or not above & beside:
            return None
        ancestor = standings[max(above & beside)]
        if any(each.lead(ancestor) < -_TINY for each in (one, other)):
            return None
        base = ancestor.candidate.states
        mine, yours = _changed(base, one.candidate), _changed(base, other.candidate)
        if not mine - yours or not yours - mine:
            return None
        # What both have changed is taken from the better one.
        better, worse = (one, other) if one.lead(other) >= 0 else (other, one)
        keep = _changed(base, better.candidate)
        return Candidate(
            {
                path: state if path in keep else worse.candidate.states[path]
                for path, state in better.candidate.states.items()
            }
        )


def _changed(base: Mapping[str, PredictorState], candidate: Candidate) -> set[str]:
    """The predictors that are told something else; calibration is nobody's improvement."""
    return {
        path
        for path, state in candidate.states.items()
        if (state.instruction, state.demos) != (base[path].instruction, base[path].demos)
    }
