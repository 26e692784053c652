"""The engine's ledger, kept in the database: what is stored is never run again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.db import transaction

from studio.engine.evaluation import Scored, Traced
from studio.engine.metrics.base import Score
from studio.engine.trace import Prediction, Step
from studio.runs import leases
from studio.runs.batching import Batcher
from studio.runs.models import Run, ScoreRow, TraceRow
from studio.runs.sources import Source


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run has spent over all attempts."""

    calls: int
    cost: float


class DatabaseLedger:
    """Keeps scores and traces of one run as rows, written in small batches.

    `put_score` and `put_trace` return when the row is written, together with what was spent until
    then. They raise `LeaseLost` when another worker has taken the run over.
    """

    def __init__(
        self,
        run: Run,
        owner: str,
        sources: Mapping[str, Source],
        spent: Callable[[], Spent],
    ) -> None:
        self._run = run
        self._owner = owner
        self._sources = sources
        self._spent = spent
        self._scores: dict[tuple[str, str], Scored] = {}
        self._traces: dict[tuple[str, str, int], Traced] = {}
        self._rows = Batcher[ScoreRow | TraceRow](sync_to_async(self._write))

    def load(self) -> None:
        """Read what earlier attempts stored."""
        for score in ScoreRow.objects.filter(run=self._run).iterator():
            self._scores[score.candidate, score.example] = scored_of(score)
        for trace in TraceRow.objects.filter(run=self._run).iterator():
            self._traces[trace.teacher, trace.example, trace.round] = Traced(
                trace.passed, trace.reason, tuple(map(Step.from_dict, trace.steps)), trace.calls
            )

    def borrow(self, other: Run, candidates: Iterable[str], split: str) -> None:
        """Copy the scores that another run made of these candidates, if all else is the same."""
        if other.fingerprints != self._run.fingerprints:
            return
        known = list(
            ScoreRow.objects.filter(run=other, candidate__in=list(candidates), split=split)
        )
        for row in known:
            row.pk = None
            row.run = self._run
            row.calls = 0
        with transaction.atomic():
            leases.holds(self._run.pk, self._owner)
            ScoreRow.objects.bulk_create(known, ignore_conflicts=True, batch_size=200)

    async def get_score(self, candidate_hash: str, example_id: str) -> Scored | None:
        """See `Ledger.get_score`."""
        return self._scores.get((candidate_hash, example_id))

    async def put_score(self, candidate_hash: str, example_id: str, scored: Scored) -> None:
        """See `Ledger.put_score`."""
        source = self._sources.get(example_id)
        await self._rows.add(
            ScoreRow(
                run=self._run,
                candidate=candidate_hash,
                example=example_id,
                value=scored.score.value,
                reason=scored.score.reason,
                prediction=prediction_to_dict(scored.prediction),
                split=source.split if source else "",
                number=source.number if source else None,
                gold=dict(source.values) if source else {},
                calls=scored.calls,
            )
        )
        self._scores[candidate_hash, example_id] = scored

    async def get_trace(self, teacher_hash: str, example_id: str, round: int) -> Traced | None:
        """See `Ledger.get_trace`."""
        return self._traces.get((teacher_hash, example_id, round))

    async def put_trace(
        self, teacher_hash: str, example_id: str, round: int, traced: Traced
    ) -> None:
        """See `Ledger.put_trace`."""
        source = self._sources.get(example_id)
        await self._rows.add(
            TraceRow(
                run=self._run,
                teacher=teacher_hash,
                example=example_id,
                round=round,
                passed=traced.passed,
                reason=traced.reason,
                steps=[step.to_dict() for step in traced.steps],
                calls=traced.calls,
                number=source.number if source else None,
            )
        )
        self._traces[teacher_hash, example_id, round] = traced

    async def drain(self) -> None:
        """Done when everything that was put is written."""
        await self._rows.drain()

    @transaction.atomic
    def _write(self, rows: list[ScoreRow | TraceRow]) -> None:
        leases.holds(self._run.pk, self._owner)
        ScoreRow.objects.bulk_create([row for row in rows if isinstance(row, ScoreRow)])
        TraceRow.objects.bulk_create([row for row in rows if isinstance(row, TraceRow)])
        spent = self._spent()
        Run.objects.filter(pk=self._run.pk).update(calls=spent.calls, cost=spent.cost)


def prediction_to_dict(prediction: Prediction) -> dict[str, Any]:
    """JSON of a prediction, steps and all."""
    return {
        "values": dict(prediction.values),
        "steps": [step.to_dict() for step in prediction.steps],
    }


def scored_of(row: ScoreRow) -> Scored:
    """The row as the engine knows it."""
    steps = tuple(map(Step.from_dict, row.prediction.get("steps", ())))
    return Scored(
        Score(row.value, row.reason),
        Prediction(row.prediction.get("values", {}), steps),
        row.calls,
    )
