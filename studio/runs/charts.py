"""The race of a compile as a picture: a lane for each candidate, and who came from whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from studio.runs.progress import CandidateProgress, Progress

SHOWN = 16
"""Lanes that are drawn before somebody asks for all."""

STEP_X, STEP_Y, EDGE = 64, 34, 20


@dataclass(frozen=True, slots=True)
class Lane:
    """One candidate; places are percent of the lane's width."""

    candidate: CandidateProgress
    at: float | None
    """The mean; None before there is one."""
    low: float
    high: float
    seen: int
    """Dev examples that it has met, its own among them."""
    share: float
    """Percent of the dev examples that it has met."""

    @property
    def width(self) -> float:
        """Of the interval."""
        return round(self.high - self.low, 2)

    @property
    def label(self) -> str:
        """The lane in words."""
        one = self.candidate
        name = "The uncompiled program" if one.baseline else f"Candidate {one.number}"
        if one.dev.value is None:
            return f"{name}: no scores yet."
        ended = " Dropped." if one.dropped else " Best so far." if one.best else ""
        return (
            f"{name}: {one.dev.value:.3f} on {one.dev.scored} examples, 95 % interval "
            f"{one.dev.low:.3f} to {one.dev.high:.3f}.{ended}"
        )


@dataclass(frozen=True)
class RaceChart:
    """The lanes, best first, with the uncompiled program above them."""

    lanes: tuple[Lane, ...]
    hidden: int
    """Lanes that are not drawn."""
    total: int
    """Dev examples."""
    baseline: float | None
    band: tuple[float, float] | None
    """Place and width of the uncompiled program's interval."""
    text: str


def draw_race(progress: Progress, *, whole: bool = False) -> RaceChart:
    """The race as it stands; `whole` draws every lane."""
    total = max(1, progress.dev)
    lanes = [_lane(one, total) for one in sorted(progress.candidates, key=_standing)]
    shown = lanes if whole or len(lanes) <= SHOWN + 2 else lanes[:SHOWN]
    plain = next((lane for lane in lanes if lane.candidate.baseline), None)
    measured = plain is not None and plain.at is not None
    return RaceChart(
        lanes=tuple(shown),
        hidden=len(lanes) - len(shown),
        total=progress.dev,
        baseline=plain.at if plain else None,
        band=(plain.low, plain.width) if plain and measured else None,
        text=_in_words(progress),
    )


def _standing(one: CandidateProgress) -> tuple[bool, bool, bool, bool, float, int]:
    """Reference first, then the best, then those still in by their mean, then the dropped."""
    value = one.dev.value
    return (not one.baseline, not one.best, value is None, one.dropped, -(value or 0), one.number)


def _lane(one: CandidateProgress, total: int) -> Lane:
    seen = min(total, one.dev.scored + one.own) if one.dev.scored else 0
    return Lane(
        candidate=one,
        at=None if one.dev.value is None else _percent(one.dev.value),
        low=_percent(one.dev.low),
        high=_percent(one.dev.high),
        seen=seen,
        share=round(100 * seen / total, 1),
    )


def _percent(score: float) -> float:
    """A little room at both ends, so that dots at 0 and 1 are whole."""
    return round(2 + 96 * min(1.0, max(0.0, score)), 2)


def _in_words(progress: Progress) -> str:
    scored = [one for one in progress.candidates if one.dev.value is not None]
    if not scored:
        return "No candidate has been scored yet."
    best = progress.best or max(scored, key=lambda one: one.dev.value or 0.0)
    name = "the uncompiled program" if best.baseline else f"candidate {best.number}"
    still = sum(not one.dropped for one in scored)
    return (
        f"{len(scored)} candidates have scores on dev, {still} of them are still in. The best so "
        f"far is {name} with {best.dev.value or 0.0:.3f}."
    )


@dataclass(frozen=True, slots=True)
class Node:
    """One candidate in the family tree."""

    x: int
    y: int
    number: int
    best: bool
    dropped: bool
    text: str


@dataclass(frozen=True)
class Lineage:
    """Who was made from whom: a column for each generation."""

    nodes: tuple[Node, ...]
    edges: tuple[str, ...]
    """Paths from parent to child."""
    width: int
    height: int
    text: str


def draw_lineage(candidates: Sequence[CandidateProgress]) -> Lineage | None:
    """The family tree; None when no candidate was made from another one."""
    by_number = {one.number: one for one in candidates}
    if not any(parent in by_number for one in candidates for parent in one.parents):
        return None
    column = _generations(candidates)
    filled: dict[int, int] = {}
    places: dict[int, tuple[int, int]] = {}
    for one in candidates:
        x = column[one.number]
        row = filled.get(x, 0)
        filled[x] = row + 1
        places[one.number] = (EDGE + STEP_X * x, EDGE + STEP_Y * row)
    nodes = tuple(
        Node(*places[one.number], one.number, one.best, one.dropped, _family(one))
        for one in candidates
    )
    edges = tuple(
        _path(places[parent], places[one.number])
        for one in candidates
        for parent in one.parents
        if parent in places
    )
    return Lineage(
        nodes=nodes,
        edges=edges,
        width=2 * EDGE + STEP_X * max(filled),
        height=2 * EDGE + STEP_Y * (max(filled.values()) - 1),
        text=f"{len(edges)} candidates or parts of them were made from earlier ones, over "
        f"{max(filled) + 1} generations. The rows above name each one’s parents.",
    )


def _generations(candidates: Sequence[CandidateProgress]) -> Mapping[int, int]:
    """One more than the latest parent's; a parent is always older, so one pass is enough."""
    found: dict[int, int] = {}
    for one in sorted(candidates, key=lambda one: one.number):
        older = [found[parent] for parent in one.parents if parent in found]
        found[one.number] = max(older) + 1 if older else 0
    return found


def _family(one: CandidateProgress) -> str:
    score = "no scores yet" if one.dev.value is None else f"{one.dev.value:.3f} on dev"
    parents = " and ".join(map(str, one.parents))
    return f"Candidate {one.number}: {score}{f', made from {parents}' if parents else ''}"


def _path(start: tuple[int, int], end: tuple[int, int]) -> str:
    middle = (start[0] + end[0]) // 2
    return f"M{start[0]} {start[1]}C{middle} {start[1]} {middle} {end[1]} {end[0]} {end[1]}"
