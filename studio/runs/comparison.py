"""Two candidates side by side on the same examples: which rows got better, which got worse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from studio.engine.statistics import Interval, paired_bootstrap
from studio.runs.models import Run, ScoreRow

WAYS = ("better", "worse", "same")


@dataclass(frozen=True, slots=True)
class Pair:
    """One example under both candidates."""

    number: int | None
    gold: Mapping[str, Any]
    before: ScoreRow
    after: ScoreRow

    @property
    def way(self) -> str:
        """`better`, `worse` or `same`; an unscored side counts as the same."""
        if self.before.value is None or self.after.value is None:
            return "same"
        if self.after.value == self.before.value:
            return "same"
        return "better" if self.after.value > self.before.value else "worse"


@dataclass(frozen=True)
class Comparison:
    """All examples that both candidates were scored on."""

    pairs: tuple[Pair, ...]

    def having(self, way: str) -> tuple[Pair, ...]:
        """The pairs that went this way."""
        return tuple(pair for pair in self.pairs if pair.way == way)

    @property
    def counts(self) -> dict[str, int]:
        """How many rows went each way."""
        return {way: len(self.having(way)) for way in WAYS}

    def difference(self) -> Interval | None:
        """Mean of after − before with its 95 % interval; None when nothing can be compared."""
        both = [
            (pair.before.value, pair.after.value)
            for pair in self.pairs
            if pair.before.value is not None and pair.after.value is not None
        ]
        if not both:
            return None
        return paired_bootstrap([a for a, _ in both], [b for _, b in both])

    def means(self) -> tuple[float, float] | None:
        """Mean score before and after, on the examples that both were scored on."""
        both = [
            (pair.before.value, pair.after.value)
            for pair in self.pairs
            if pair.before.value is not None and pair.after.value is not None
        ]
        if not both:
            return None
        return sum(a for a, _ in both) / len(both), sum(b for _, b in both) / len(both)


def compare(run: Run, before: str, after: str, *, split: str = "test") -> Comparison:
    """The rows of `run` on one split under the candidates with these hashes."""
    rows = ScoreRow.objects.filter(run=run, split=split, candidate__in=(before, after))
    found: dict[str, dict[str, ScoreRow]] = {}
    for row in rows.order_by("number", "pk"):
        found.setdefault(row.example, {})[row.candidate] = row
    return Comparison(tuple(_pairs(found.values(), before, after)))


def _pairs(found: Iterable[Mapping[str, ScoreRow]], before: str, after: str) -> Iterable[Pair]:
    for rows in found:
        if before in rows and after in rows:
            yield Pair(rows[after].number, rows[after].gold, rows[before], rows[after])
