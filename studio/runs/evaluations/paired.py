"""Several evaluations against one baseline, on the rows that both of them scored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from studio.engine.statistics import (
    Interval,
    count_signs,
    holm,
    paired_bootstrap,
    permutation_test,
)
from studio.errors import Invalid
from studio.runs.evaluations.results import Results, RowResult, read_results
from studio.runs.evaluations.subjects import words_of_run
from studio.runs.models import Run

MOST = 5
"""Evaluations that are compared with one baseline."""
LEVEL = 0.05
_DISTINCT = 400
_LOOKED_AT = 20
FEWEST = 5
"""Rows in common below which nothing is said."""


@dataclass(frozen=True)
class Entry:
    """One evaluation of a comparison."""

    run: Run
    letter: str
    results: Results

    @property
    def words(self) -> str:
        """What was evaluated."""
        return f"{self.run.version.pipeline}, {words_of_run(self.run)}"


@dataclass(frozen=True)
class Against:
    """One evaluation against the baseline."""

    entry: Entry
    pairs: tuple[tuple[RowResult, RowResult], ...]
    """Rows that both have met: the baseline's and its own."""
    p_value: float | None
    adjusted: float | None = None
    """The p-value, corrected for there being several comparisons."""

    @cached_property
    def scored(self) -> list[tuple[float, float]]:
        """The mean scores of rows that both scored."""
        return [
            (one.mean, other.mean)
            for one, other in self.pairs
            if one.mean is not None and other.mean is not None
        ]

    @cached_property
    def difference(self) -> Interval | None:
        """Its mean minus the baseline's on these rows, with the 95 % interval."""
        return _difference(self.scored)

    @property
    def means(self) -> tuple[float, float] | None:
        """The baseline's mean and its own, on these rows."""
        n = len(self.scored)
        if not n:
            return None
        return (
            math.fsum(one for one, _ in self.scored) / n,
            math.fsum(other for _, other in self.scored) / n,
        )

    @property
    def signs(self) -> tuple[int, int]:
        """Rows that are better than under the baseline, and rows that are worse."""
        return count_signs([one for one, _ in self.scored], [other for _, other in self.scored])

    @property
    def same(self) -> int:
        """Rows that are neither."""
        return len(self.scored) - sum(self.signs)

    @property
    def verdict(self) -> str:
        """`better`, `worse`, or why it cannot be told."""
        difference = self.difference
        if difference is None:
            return "no row in common"
        if len(self.scored) < FEWEST:
            return "too few rows to tell"
        if self.adjusted is None or self.adjusted >= LEVEL:
            return "not distinguishable"
        return "better" if difference.value > 0 else "worse"


@dataclass(frozen=True)
class Comparison:
    """A baseline and the others."""

    base: Entry
    others: tuple[Against, ...]
    notes: tuple[str, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All of them, the baseline first."""
        return (self.base, *(one.entry for one in self.others))


@dataclass(frozen=True)
class Flip:
    """A row that another evaluation answered better or worse than the baseline."""

    base: RowResult
    others: tuple[RowResult | None, ...]
    """Of all other evaluations, in their order."""


def compare_runs(runs: Sequence[Run]) -> Comparison:
    """The first one is the baseline. Raises `Invalid` when they cannot be compared."""
    check_comparable(runs)
    entries = [
        Entry(run, "ABCDEFGHIJ"[place], read_results(run)) for place, run in enumerate(runs)
    ]
    base, *rest = entries
    found = [_against(base, entry) for entry in rest]
    told = [one.p_value for one in found]
    adjusted = iter(holm([p for p in told if p is not None]))
    others = tuple(
        one if one.p_value is None else replace(one, adjusted=next(adjusted)) for one in found
    )
    return Comparison(base, others, tuple(_notes(base, others)))


def check_comparable(runs: Sequence[Run]) -> None:
    """Raise `Invalid` unless these are evaluations of the same rows by the same metric."""
    if len(runs) < 2:
        raise Invalid("Choose two evaluations or more: a baseline, and what to compare with it.")
    if len(runs) > MOST + 1:
        raise Invalid(
            f"At most {MOST} evaluations are compared with one baseline; these are "
            f"{len(runs) - 1}. Leave some out."
        )
    base = runs[0]
    for run in runs:
        if run.kind != Run.Kind.EVALUATE:
            raise Invalid("Only evaluations can be compared here: one of these runs is none.")
        if run.dataset_id is None or run.dataset_id != base.dataset_id:
            raise Invalid(
                f"These evaluations are of different datasets: {run.dataset or 'a deleted one'} "
                f"and {base.dataset or 'a deleted one'}. Evaluate both on the same one."
            )
        if run.params.get("split") != base.params.get("split"):
            raise Invalid(
                f"These evaluations are of different splits: {run.params.get('split')} and "
                f"{base.params.get('split')}. Evaluate both on the same one."
            )
        if run.fingerprints.get("metric") != base.fingerprints.get("metric"):
            raise Invalid(
                f"These evaluations were scored by different metrics: {_metric(run)} and "
                f"{_metric(base)}. Evaluate one of them again by the other’s metric; its answers "
                "are taken over, so that this costs nothing."
            )


def comparable(run: Run) -> Run | None:
    """The last evaluation of the pipeline before `run` that can be compared with it."""
    before = Run.objects.filter(
        project=run.project_id,
        kind=Run.Kind.EVALUATE,
        version__pipeline=run.version.pipeline_id,
        dataset=run.dataset_id,
        created_at__lt=run.created_at,
    ).only("params", "fingerprints", "kind", "dataset", "project", "created_at")
    wanted = run.params.get("split"), run.fingerprints.get("metric")
    return next(
        (
            one
            for one in before[:_LOOKED_AT]
            if (one.params.get("split"), one.fingerprints.get("metric")) == wanted
        ),
        None,
    )


def flips(comparison: Comparison, of: int, way: str) -> list[Flip]:
    """The rows that the evaluation at place `of` answered `better` or `worse`, or both."""
    others = [one.entry.results.by_example for one in comparison.others]
    found = []
    for one, other in comparison.others[of].pairs:
        if one.mean is None or other.mean is None or one.mean == other.mean:
            continue
        if way in ("", "better" if other.mean > one.mean else "worse"):
            found.append(Flip(one, tuple(rows.get(one.example) for rows in others)))
    return found


def _against(base: Entry, entry: Entry) -> Against:
    mine = entry.results.by_example
    pairs = tuple((row, mine[row.example]) for row in base.results.rows if row.example in mine)
    found = Against(entry, pairs, None)
    if not found.scored:
        return found
    before, after = zip(*found.scored, strict=True)
    return replace(found, p_value=permutation_test(before, after))


def _difference(scored: Sequence[tuple[float, float]]) -> Interval | None:
    if not scored:
        return None
    before, after = [one for one, _ in scored], [other for _, other in scored]
    if len({other - one for one, other in scored}) <= _DISTINCT:
        return paired_bootstrap(before, after)
    rounded = paired_bootstrap([0.0] * len(scored), [round(b - a, 3) for a, b in scored])
    value = math.fsum(b - a for a, b in scored) / len(scored)
    return Interval(value, min(rounded.low, value), max(rounded.high, value))


def _notes(base: Entry, others: Sequence[Against]) -> list[str]:
    notes = []
    versions = sorted({e.run.dataset_number or 1 for e in (base, *(o.entry for o in others))})
    if len(versions) > 1:
        listed = ", ".join(map(str, versions))
        notes.append(
            f"They read versions {listed} of the dataset: only rows that are the same in both of "
            "a pair are compared."
        )
    notes += [
        f"{one.letter} has not met all of its rows: what it has is compared."
        for one in (base, *(other.entry for other in others))
        if one.run.state != "succeeded"
    ]
    return notes


def _metric(run: Run) -> str:
    name = run.metric.name if run.metric else "a deleted one"
    return f"{name} v{run.metric_version.number}" if run.metric_version else name
