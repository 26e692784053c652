"""What earlier runs of the project know that still holds: nobody pays for it a second time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async

from studio.engine.evaluation import Answered, Traced
from studio.engine.metrics.base import Score
from studio.engine.trace import Prediction, Step
from studio.runs.fingerprints import STEP_LM
from studio.runs.models import AnswerRow, Run, ScoreRow, TraceRow
from studio.runs.states import State

MOST_LOOKED_AT = 500
"""Runs among which those are looked for that still hold."""
MOST_RUNS = 30
"""Runs that results are taken from, the newest ones."""

_THRESHOLD = "metric_threshold"
"""The parameter that says when a trace has passed."""

Fingerprints = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EarlierScore:
    """A program run of before."""

    prediction: Prediction
    score: Score | None
    """None: another metric judged it, so it has to be judged again."""
    calls: int
    """LM calls that it took then."""
    seconds: float


@dataclass(frozen=True, slots=True)
class EarlierTrace:
    """A teacher's try of before."""

    traced: Traced
    """Its calls are 0."""
    calls: int


@dataclass(frozen=True, slots=True)
class EarlierAnswer:
    """What an LM said before."""

    role: str
    answered: Answered
    """Its calls are 0."""
    calls: int


class Earlier:
    """The results of earlier runs, read when a candidate, a teacher or an answer is asked for.

    Which runs these are does not change while this run goes on, also over restarts: those of the
    same project that had ended before it was made. What failed then is tried again.
    """

    def __init__(self, run: Run, runs: Iterable[Run] | None = None) -> None:
        found = list(_ended_before(run) if runs is None else runs)
        self._by_metric = {one.pk: _metric(one) == _metric(run) for one in found}
        self._scores_of = _ids(run, found, _program)
        self._traces_of = _ids(run, found, _teaching)
        self._answers_of = {one.pk: _lms(one) for one in found[:MOST_RUNS]}
        self._lms = _lms(run)
        self._scores: dict[str, dict[str, EarlierScore]] = {}
        self._traces: dict[str, dict[tuple[str, int], EarlierTrace]] = {}
        self._answers: dict[str, EarlierAnswer] | None = None
        self._reading = asyncio.Lock()

    async def score(self, candidate: str, example: str) -> EarlierScore | None:
        """What this candidate answered to this example, if an earlier run knows."""
        if not self._scores_of:
            return None
        async with self._reading:
            if candidate not in self._scores:
                self._scores[candidate] = await sync_to_async(self._read_scores)(candidate)
        return self._scores[candidate].get(example)

    async def trace(self, teacher: str, example: str, round: int) -> EarlierTrace | None:
        """What this teacher did on this example in this round."""
        if not self._traces_of:
            return None
        async with self._reading:
            if teacher not in self._traces:
                self._traces[teacher] = await sync_to_async(self._read_traces)(teacher)
        return self._traces[teacher].get((example, round))

    async def answer(self, key: str) -> EarlierAnswer | None:
        """What the same LM said to the same question."""
        if not self._answers_of:
            return None
        async with self._reading:
            if self._answers is None:
                self._answers = await sync_to_async(self._read_answers)()
        return self._answers.get(key)

    def _read_scores(self, candidate: str) -> dict[str, EarlierScore]:
        rows = ScoreRow.objects.filter(run__in=self._scores_of, candidate=candidate, repeat=0)
        found: dict[str, EarlierScore] = {}
        for row in self._newest_first(rows, self._scores_of):
            if not row.prediction.get("values"):
                continue
            same = self._by_metric[row.run_id] and row.value is not None
            known = found.get(row.example)
            # A score is worth more than an answer that has to be judged again.
            if known is None or (same and known.score is None):
                found[row.example] = _earlier_score(row, same=same)
        return found

    def _read_traces(self, teacher: str) -> dict[tuple[str, int], EarlierTrace]:
        rows = TraceRow.objects.filter(run__in=self._traces_of, teacher=teacher)
        found: dict[tuple[str, int], EarlierTrace] = {}
        for row in self._newest_first(rows, self._traces_of):
            if row.steps:
                steps = tuple(map(Step.from_dict, row.steps))
                earlier = EarlierTrace(
                    Traced(row.passed, row.reason, steps), row.calls or _calls(steps)
                )
                found.setdefault((row.example, row.round), earlier)
        return found

    def _read_answers(self) -> dict[str, EarlierAnswer]:
        rows = AnswerRow.objects.filter(run__in=list(self._answers_of), problem="")
        found: dict[str, EarlierAnswer] = {}
        for row in self._newest_first(rows, list(self._answers_of)):
            theirs = self._answers_of[row.run_id].get(row.role, "")
            if theirs and theirs == self._lms.get(row.role, "") and row.answer:
                earlier = EarlierAnswer(row.role, Answered(row.answer), row.calls)
                found.setdefault(row.key, earlier)
        return found

    def _newest_first(self, rows: Iterable[Any], runs: Sequence[UUID]) -> list[Any]:
        place = {run: number for number, run in enumerate(runs)}
        return sorted(rows, key=lambda row: (place[row.run_id], row.pk))


def _ended_before(run: Run) -> Iterable[Run]:
    ended = [state for state in State if state.is_final]
    earlier = Run.objects.filter(
        project=run.project_id,
        kind__in=(Run.Kind.COMPILE, Run.Kind.EVALUATE),
        state__in=ended,
        finished_at__lt=run.created_at,
    ).only("fingerprints", "params", "compiler")
    return earlier.order_by("-finished_at", "-pk")[:MOST_LOOKED_AT]


def _ids(run: Run, found: Sequence[Run], needs: Callable[[Run], list[Any]]) -> list[UUID]:
    """The newest runs that agree with `run` in what a result needs."""
    wanted = needs(run)
    return [one.pk for one in found if needs(one) == wanted][:MOST_RUNS]


def _program(run: Run) -> list[Any]:
    """What an answer depends on besides candidate and example."""
    told: Fingerprints = run.fingerprints
    steps = sorted(item for item in told.items() if item[0].startswith(STEP_LM))
    return [*(told.get(name, "") for name in ("pipeline", "collections", "lm")), steps]


def _teaching(run: Run) -> list[Any]:
    """What a trace depends on besides teacher, example and round, and whether it passed."""
    threshold = run.params.get(_THRESHOLD, run.compiler)
    return [*_program(run), run.fingerprints.get("teacher", ""), _metric(run), threshold]


def _metric(run: Run) -> str:
    return str(run.fingerprints.get("metric", ""))


def _lms(run: Run) -> dict[str, str]:
    """The LM behind each role; whoever is not named is the student."""
    told: Fingerprints = run.fingerprints
    student = told.get("lm", "")
    return {
        "student": student,
        "proposer": told.get("proposer", student),
        "teacher": told.get("teacher", student),
    }


def _earlier_score(row: ScoreRow, *, same: bool) -> EarlierScore:
    steps = tuple(map(Step.from_dict, row.prediction.get("steps", ())))
    return EarlierScore(
        Prediction(row.prediction["values"], steps),
        Score(row.value, row.reason) if same else None,
        row.calls or _calls(steps),
        row.seconds or 0.0,
    )


def _calls(steps: Iterable[Step]) -> int:
    """Of a row that was taken over itself: what its answer took when it was given."""
    return sum(step.usage.calls for step in steps)
