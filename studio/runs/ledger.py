"""The engine's ledger, kept in the database: what is stored is never run again."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.db import transaction

from studio.engine.errors import BudgetSpent
from studio.engine.evaluation import Answered, Scored, Traced, judge_or_reason
from studio.engine.example import Example
from studio.engine.lm.metered import Spent
from studio.engine.metrics.base import Metric, Score
from studio.engine.trace import Prediction, Step
from studio.runs import leases
from studio.runs.batching import Batcher
from studio.runs.models import AnswerRow, Run, ScoreRow, TraceRow
from studio.runs.reuse import Earlier, EarlierScore
from studio.runs.sources import Source
from studio.runs.storable import storable

Row = ScoreRow | TraceRow | AnswerRow

Key = tuple[str, str, int]
"""Candidate, example, and which answer it is."""

_SEARCHED = 4_000
"""Letters of each value that a search looks at."""
_MOST_SEARCHED = 20_000


@dataclass(frozen=True, slots=True)
class _Item:
    """A row on its way into the database."""

    row: Row
    saved: int = 0
    """For one that is taken over: the calls that it took then."""


class DatabaseLedger:
    """Keeps scores, traces and answers of one run as rows, written in small batches.

    `put_score`, `put_trace` and `put_answer` return when the row is written, together with what
    was spent until then. They raise `LeaseLost` when another worker has taken the run over.

    What an earlier run knows is taken over as a row of this one when it is first asked for;
    `metric` judges answers that another metric judged then. With `answer_field` two answers are
    the same when they are so in this field; without `keeps_predictions` those that are written
    are not kept in memory as well.
    """

    def __init__(
        self,
        run: Run,
        owner: str,
        sources: Mapping[str, Source],
        spent: Callable[[], Spent],
        *,
        metric: Metric,
        earlier: Earlier | None = None,
        answer_field: str = "",
        keeps_predictions: bool = True,
    ) -> None:
        self._answer_field = answer_field
        self._keeps_predictions = keeps_predictions
        self._run = run
        self._owner = owner
        self._sources = sources
        self._spent = spent
        self._metric = metric
        self._earlier = earlier
        self._scores: dict[Key, Scored] = {}
        self._traces: dict[tuple[str, str, int], Traced] = {}
        self._answers: dict[str, Answered] = {}
        self._rows = Batcher[_Item](sync_to_async(self._write))
        self._taking: defaultdict[Hashable, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._saved = {"runs": 0, "answers": 0, "calls": 0, **run.saved}

    @property
    def saved(self) -> dict[str, int]:
        """What was taken over from earlier runs: program runs, answers, and the calls of both."""
        return dict(self._saved)

    def load(self) -> None:
        """Read what earlier attempts stored."""
        scores = ScoreRow.objects.filter(run=self._run).defer("gold", "words")
        if not self._keeps_predictions:
            scores = scores.defer("gold", "words", "prediction")
        for score in scores.iterator():
            key = score.candidate, score.example, score.repeat
            self._scores[key] = scored_of(score) if self._keeps_predictions else told_of(score)
        for trace in TraceRow.objects.filter(run=self._run).iterator():
            self._traces[trace.teacher, trace.example, trace.round] = Traced(
                trace.passed, trace.reason, tuple(map(Step.from_dict, trace.steps)), trace.calls
            )
        for row in AnswerRow.objects.filter(run=self._run).iterator():
            self._answers[row.key] = Answered(row.answer, row.problem, row.calls)

    def repetition(self, repeat: int) -> Repetition:
        """The same ledger for answers that are asked for once more."""
        return Repetition(self, repeat)

    async def get_score(
        self, candidate_hash: str, example_id: str, repeat: int = 0
    ) -> Scored | None:
        """See `Ledger.get_score`. Of earlier runs only first answers are taken over."""
        key = candidate_hash, example_id, repeat
        known = self._scores.get(key)
        if known is not None or self._earlier is None or repeat:
            return known
        found = await self._earlier.score(candidate_hash, example_id)
        if found is None:
            return None
        async with self._taking[key]:
            if key not in self._scores:
                scored = await self._judged(example_id, found)
                if scored is not None:
                    await self._keep_score(key, scored, saved=found.calls)
            return self._scores.get(key)

    async def put_score(
        self, candidate_hash: str, example_id: str, scored: Scored, repeat: int = 0
    ) -> None:
        """See `Ledger.put_score`."""
        await self._keep_score((candidate_hash, example_id, repeat), scored)

    async def get_trace(self, teacher_hash: str, example_id: str, round: int) -> Traced | None:
        """See `Ledger.get_trace`."""
        key = teacher_hash, example_id, round
        known = self._traces.get(key)
        if known is not None or self._earlier is None:
            return known
        found = await self._earlier.trace(teacher_hash, example_id, round)
        if found is None:
            return None
        async with self._taking[key]:
            if key not in self._traces:
                await self._keep_trace(key, found.traced, saved=found.calls)
            return self._traces[key]

    async def put_trace(
        self, teacher_hash: str, example_id: str, round: int, traced: Traced
    ) -> None:
        """See `Ledger.put_trace`."""
        await self._keep_trace((teacher_hash, example_id, round), traced)

    async def get_answer(self, key: str) -> Answered | None:
        """See `Ledger.get_answer`."""
        known = self._answers.get(key)
        if known is not None or self._earlier is None:
            return known
        found = await self._earlier.answer(key)
        if found is None:
            return None
        async with self._taking[key]:
            if key not in self._answers:
                await self._keep_answer(key, found.role, found.answered, saved=found.calls)
            return self._answers[key]

    async def put_answer(self, key: str, role: str, answered: Answered) -> None:
        """See `Ledger.put_answer`."""
        await self._keep_answer(key, role, answered)

    async def drain(self) -> None:
        """Done when everything that was put is written."""
        await self._rows.drain()

    async def _judged(self, example_id: str, found: EarlierScore) -> Scored | None:
        """The earlier answer with its score by this run's metric; None when that cannot be had."""
        score = found.score
        source = self._sources.get(example_id)
        if score is None and source is not None:
            try:
                score = await judge_or_reason(
                    self._metric, Example(source.values), found.prediction
                )
            except BudgetSpent:
                return None  # nothing was asked of the program: it is not known
        if score is None:
            return None
        return Scored(score, found.prediction, 0, found.seconds)

    async def _keep_score(self, key: Key, scored: Scored, *, saved: int | None = None) -> None:
        candidate_hash, example_id, repeat = key
        source = self._sources.get(example_id)
        prediction = scored.prediction
        row = ScoreRow(
            run=self._run,
            candidate=candidate_hash,
            example=example_id,
            repeat=repeat,
            value=scored.score.value,
            reason=storable(scored.score.reason),
            prediction=prediction_to_dict(prediction),
            split=source.split if source else "",
            number=source.number if source else None,
            gold=dict(source.values) if source else {},
            calls=scored.calls,
            seconds=scored.seconds,
            cost=scored.cost,
            failed=not prediction.values,
            answer=self._answer_mark(prediction),
            words=self._words(source, scored) if self._run.kind == Run.Kind.EVALUATE else "",
            borrowed=saved is not None,
        )
        await self._rows.add(_Item(row, saved or 0))
        self._scores[key] = scored if self._keeps_predictions else told_of(row)

    def _answer_mark(self, prediction: Prediction) -> str:
        """Equal for equal answers; empty when there is none."""
        values, name = prediction.values, self._answer_field
        said = {name: values[name]} if name in values else dict(values)
        mark = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
        return mark.hexdigest()[:16] if said else ""

    def _words(self, source: Source | None, scored: Scored) -> str:
        """What people may look for."""
        told = [*(source.values.values() if source else ()), *scored.prediction.values.values()]
        texts = [
            one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in told
        ]
        whole = "\n".join([*(text[:_SEARCHED] for text in texts), scored.score.reason])
        return str(storable(whole.casefold()))[:_MOST_SEARCHED]

    async def _keep_trace(
        self, key: tuple[str, str, int], traced: Traced, *, saved: int | None = None
    ) -> None:
        teacher_hash, example_id, round_ = key
        source = self._sources.get(example_id)
        row = TraceRow(
            run=self._run,
            teacher=teacher_hash,
            example=example_id,
            round=round_,
            passed=traced.passed,
            reason=storable(traced.reason),
            steps=[step.to_dict() for step in traced.steps],
            calls=traced.calls,
            number=source.number if source else None,
            borrowed=saved is not None,
        )
        await self._rows.add(_Item(row, saved or 0))
        self._traces[key] = traced

    async def _keep_answer(
        self, key: str, role: str, answered: Answered, *, saved: int | None = None
    ) -> None:
        row = AnswerRow(
            run=self._run,
            key=key,
            role=role,
            answer=dict(answered.values),
            problem=storable(answered.problem),
            calls=answered.calls,
            borrowed=saved is not None,
        )
        await self._rows.add(_Item(row, saved or 0))
        self._answers[key] = answered

    @transaction.atomic
    def _write(self, items: list[_Item]) -> None:
        leases.holds(self._run.pk, self._owner)
        rows = [item.row for item in items]
        ScoreRow.objects.bulk_create([row for row in rows if isinstance(row, ScoreRow)])
        TraceRow.objects.bulk_create([row for row in rows if isinstance(row, TraceRow)])
        AnswerRow.objects.bulk_create([row for row in rows if isinstance(row, AnswerRow)])
        saved = dict(self._saved)
        for item in items:
            if item.row.borrowed:
                saved["answers" if isinstance(item.row, AnswerRow) else "runs"] += 1
                saved["calls"] += item.saved
        Run.objects.filter(pk=self._run.pk).update(**asdict(self._spent()), saved=saved)
        self._saved = saved


@dataclass(frozen=True, slots=True)
class Repetition:
    """The ledger of a run as those see it who ask every question once more."""

    ledger: DatabaseLedger
    repeat: int

    async def get_score(self, candidate_hash: str, example_id: str) -> Scored | None:
        """See `Ledger.get_score`."""
        return await self.ledger.get_score(candidate_hash, example_id, self.repeat)

    async def put_score(self, candidate_hash: str, example_id: str, scored: Scored) -> None:
        """See `Ledger.put_score`."""
        await self.ledger.put_score(candidate_hash, example_id, scored, self.repeat)


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
        row.seconds or 0.0,
        row.cost,
    )


def told_of(row: ScoreRow) -> Scored:
    """The same without what the program answered."""
    return Scored(
        Score(row.value, row.reason), Prediction({}), row.calls, row.seconds or 0.0, row.cost
    )
