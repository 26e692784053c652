"""Rows of an evaluation that people look for: filtered, searched, sorted, and shown in full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from studio.runs.evaluations.results import STATES, Results, RowResult, candidate_of_run
from studio.runs.evaluations.slices import Slices
from studio.runs.models import Run, ScoreRow

CHANGING = "changing"
"""The filter for rows that were not answered alike each time."""

COLUMNS = {
    "inputs": "Inputs",
    "expected": "Expected",
    "answer": "Answer",
    "reason": "Reason",
    "calls": "Calls",
    "seconds": "Time",
    "cost": "Cost",
}
"""Those that can be hidden."""

LONGEST_SEARCH = 200

_SORTS: dict[str, tuple[str, Callable[[RowResult], float]]] = {
    "row": ("Row", lambda row: row.number or 0),
    "score": ("Score", lambda row: -1.0 if row.mean is None else row.mean),
    "time": ("Time", lambda row: row.seconds),
    "cost": ("Cost", lambda row: row.cost),
    "calls": ("Calls", lambda row: row.calls),
}
SORTS: dict[str, str] = {
    "row": "Row",
    "score": "Score, lowest first",
    "-score": "Score, highest first",
    "-time": "Time, longest first",
    "time": "Time, shortest first",
    "-cost": "Cost, highest first",
    "-calls": "Calls, most first",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to see; the address of the page says it."""

    show: str = ""
    q: str = ""
    sort: str = "row"
    hide: tuple[str, ...] = ()
    by: str = ""
    """The column that slices are cut by."""
    part: str = ""
    """The slice."""

    @classmethod
    def read(cls, query: QueryDict) -> Wish:
        """Out of an address; what makes no sense is left out."""
        show, sort = query.get("show", ""), query.get("sort", "")
        return cls(
            show=show if show in (*STATES, CHANGING) else "",
            q=query.get("q", "").replace("\0", "")[:LONGEST_SEARCH].strip(),
            sort=sort if sort in SORTS else "row",
            hide=tuple(name for name in COLUMNS if name in query.getlist("hide")),
            by=query.get("by", "")[:200],
            part=query.get("part", "")[:200],
        )

    def address(self, **other: Any) -> str:
        """The query of a page with this wish, but for what is named."""
        own: dict[str, Any] = {"show": self.show, "q": self.q, "sort": self.sort, "by": self.by}
        own |= {"part": self.part, "hide": self.hide, **other}
        usual = {"sort": "row"}
        return urlencode(
            {name: value for name, value in own.items() if value and value != usual.get(name)},
            doseq=True,
        )

    @property
    def is_narrow(self) -> bool:
        """Whether not all rows are asked for."""
        return bool(self.show or self.q or self.part)


@dataclass(frozen=True)
class Shown:
    """A row with everything that a table shows of it."""

    result: RowResult
    gold: Mapping[str, Any] = field(default_factory=dict)
    answers: tuple[ScoreRow, ...] = ()

    @property
    def first(self) -> ScoreRow | None:
        """Its first answer."""
        return self.answers[0] if self.answers else None

    @property
    def predictions(self) -> list[tuple[Mapping[str, Any], int]]:
        """Its different answers with how often each was given, the most frequent first."""
        times: dict[str, int] = {}
        values: dict[str, Mapping[str, Any]] = {}
        for row in self.answers:
            times[row.answer] = times.get(row.answer, 0) + 1
            values.setdefault(row.answer, row.prediction.get("values", {}))
        order = sorted(times, key=lambda mark: -times[mark])
        return [(values[mark], times[mark]) for mark in order]

    @property
    def reason(self) -> str:
        """Of the answer with the lowest score."""
        told = [row for row in self.answers if row.reason]
        if not told:
            return ""
        return min(told, key=lambda row: -1.0 if row.value is None else row.value).reason

    @property
    def borrowed(self) -> bool:
        """Whether all of it was taken over from earlier runs."""
        return bool(self.answers) and all(row.borrowed for row in self.answers)


def find(run: Run, results: Results, wish: Wish, slices: Slices | None) -> list[RowResult]:
    """The rows that are wished for, in the order that is wished for."""
    rows: Iterable[RowResult] = results.rows
    if wish.part and slices is not None:
        part = slices.named(wish.part)
        rows = part.rows if part else ()
    if wish.show == CHANGING:
        rows = [row for row in rows if row.same is False]
    elif wish.show:
        rows = [row for row in rows if row.state == wish.show]
    if wish.q:
        known = _having(run, wish.q)
        rows = [row for row in rows if row.example in known or wish.q == str(row.number)]
    name = wish.sort.removeprefix("-")
    return sorted(rows, key=_SORTS[name][1], reverse=wish.sort.startswith("-"))


def in_full(run: Run, rows: Sequence[RowResult]) -> list[Shown]:
    """The rows with inputs, answers and reasons."""
    found: dict[str, list[ScoreRow]] = {row.example: [] for row in rows}
    for score in scores_of(run).filter(example__in=found).order_by("repeat").defer("words"):
        found[score.example].append(score)
    return [
        Shown(row, there[0].gold if there else {}, tuple(there))
        for row in rows
        for there in (found[row.example],)
    ]


def scores_of(run: Run) -> Any:
    """The query for the scores that are meant."""
    scores = ScoreRow.objects.filter(run=run)
    candidate = candidate_of_run(run)
    return scores.filter(candidate=candidate) if candidate else scores


def _having(run: Run, text: str) -> set[str]:
    rows = scores_of(run).filter(words__contains=text.casefold())
    return set(rows.values_list("example", flat=True))
