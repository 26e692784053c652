"""A metric held against people's verdicts: asked for, done by a worker, told.

The agreement's row is the truth; a message to a worker is only a kick. What was judged is kept
row by row, so that nothing is asked twice when a worker dies.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event, Thread
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from studio.accounts.models import Role, User
from studio.accounts.services import record, require
from studio.datasets.claims import Claim
from studio.datasets.claims import kick as send_kick
from studio.datasets.table import Table
from studio.engine.agreement import compare
from studio.engine.codec import content_hash
from studio.engine.errors import EngineError, MetricError
from studio.engine.example import Example
from studio.engine.lm.metered import Budget, Spent
from studio.engine.metrics import Metric as EngineMetric
from studio.engine.metrics import Score
from studio.engine.metrics import judge as judge_one
from studio.engine.metrics.judging import judgements
from studio.engine.side_by_side import side_by_side
from studio.engine.trace import Prediction
from studio.errors import Invalid, NotFound, StudioError
from studio.metrics.models import Agreement, AgreementRow, HumanScore, Metric
from studio.metrics.scales import SCALES, Scale, scale_of
from studio.metrics.services import newest_version, open_metric
from studio.runs.metric_rows import COLUMN, Sources, TrialRow, columns_by_field, read_rows
from studio.runs.metric_tries import CAP, plain
from studio.runs.storable import storable

TASK = "runs.agreement"
HERE = "here"
"""Verdicts that people gave on the page for it."""
MOST_ROWS = 300
MOST_READ = 5_000
"""So many rows are looked at for some with a verdict."""
_BLOCK = 8
_BEAT_EVERY_S = 15.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """The rows that have a verdict, before anything is asked."""

    rows: tuple[tuple[TrialRow, float], ...]
    without: int
    """Rows that were looked at and have none."""
    calls: int
    """What the judge is asked about them."""

    @property
    def cap(self) -> int:
        """The most calls, with those that are made again."""
        return self.calls * CAP


def row_key(row: TrialRow) -> str:
    """Names an answer to an example by its content."""
    return content_hash([dict(row.values), dict(row.prediction)])


def find(metric: Metric, chosen: Sources, verdicts: str) -> Found:
    """The first rows with a verdict: of a column, or given here.

    Raises `Invalid` when the rows cannot be read.
    """
    scale = scale_of(metric.params)
    column = verdicts.removeprefix(COLUMN) if verdicts.startswith(COLUMN) else ""
    target = str(metric.params.get("field") or "")
    rows = read_rows(chosen, metric_field=target, limit=MOST_READ)
    if column:
        rows = [_without(row, column, chosen) for row in rows]
    given = _by_column(chosen, rows, column, scale) if column else given_here(metric, rows)
    found = [(row, given[at]) for at, row in enumerate(rows) if given[at] is not None]
    kept = tuple((row, value) for row, value in found[:MOST_ROWS] if value is not None)
    calls = judgements(open_metric(metric)) * len(kept)
    return Found(kept, len(rows) - len(found), calls)


@transaction.atomic
def ask(*, actor: User, metric: Metric, chosen: Sources, verdicts: str) -> Agreement:
    """Hold the newest version against the verdicts; a worker does it. Needs the role author.

    Raises `Invalid` when fewer than two rows have a verdict.
    """
    require(user=actor, project=metric.project, role=Role.AUTHOR)
    found = find(metric, chosen, verdicts)
    if len(found.rows) < 2:
        raise Invalid(
            f"{len(found.rows)} of the rows that were looked at have a verdict, and it takes two "
            "at least: choose another column or split, or label some here."
        )
    labels = {option.value: option.label for option in chosen.sources}
    column = verdicts.removeprefix(COLUMN) if verdicts.startswith(COLUMN) else ""
    made = Agreement.objects.create(
        metric=metric,
        version=newest_version(metric),
        data=f"{chosen.dataset.name} v{chosen.dataset.number}, {chosen.split or 'train and dev'}",
        answers=labels.get(chosen.source, chosen.source)[:300],
        verdicts=f"Column “{column}”"[:300] if column else "Labelled here",
        scale=scale_of(metric.params).name,
        max_calls=found.cap,
        created_by=actor,
    )
    AgreementRow.objects.bulk_create(
        AgreementRow(
            agreement=made,
            number=number,
            row=row.number,
            values=dict(row.values),
            prediction=dict(row.prediction),
            human=value,
        )
        for number, (row, value) in enumerate(found.rows, 1)
    )
    record(
        project=metric.project,
        actor=actor,
        action="metric.compare-with-people",
        subject=metric.name,
        version=made.version.number,
        rows=len(found.rows),
        most_calls=made.max_calls,
    )
    transaction.on_commit(lambda: kick(made.pk))
    return made


def get_agreement(metric: Metric, pk: int) -> Agreement:
    """The agreement of the metric, or `NotFound`."""
    found = metric.agreements.select_related("version", "created_by").filter(pk=pk).first()
    if found is None:
        raise NotFound(f"There is no such comparison of {metric.name} with people.")
    return found


@transaction.atomic
def retry(*, actor: User, agreement: Agreement) -> None:
    """Go on with one that failed; what was judged is not asked again."""
    require(user=actor, project=agreement.metric.project, role=Role.AUTHOR)
    changed = Agreement.objects.filter(pk=agreement.pk, state=Agreement.State.FAILED).update(
        state=Agreement.State.WAITING, error="", kicked_at=None
    )
    if changed:
        left = agreement.rows.filter(reason="").count()
        # A cap that was reached would be reached again at once.
        per_row = -(-agreement.max_calls // max(1, agreement.rows.count()))
        most = max(agreement.max_calls, agreement.calls + left * per_row)
        Agreement.objects.filter(pk=agreement.pk).update(max_calls=most)
        transaction.on_commit(lambda: kick(agreement.pk))


@transaction.atomic
def label(*, actor: User, metric: Metric, row: TrialRow, value: float | None) -> None:
    """Keep a person's verdict on an answer, or take it back (None). Needs the role author."""
    require(user=actor, project=metric.project, role=Role.AUTHOR)
    if value is None:
        HumanScore.objects.filter(metric=metric, key=row_key(row)).delete()
        return
    allowed = [one.value for one in scale_of(metric.params).labels]
    if value not in allowed:
        raise Invalid(f"{value:g} is none of the verdicts of {metric.name}.")
    HumanScore.objects.update_or_create(
        metric=metric, key=row_key(row), defaults={"value": value, "created_by": actor}
    )


def work(pk: int) -> None:
    """Do what is left of an agreement. Does nothing when somebody does it, or it is done."""
    claim = Claim(_waiting(), pk)
    if not claim.held:
        return
    agreement = Agreement.objects.select_related("metric", "version__judge").get(pk=pk)
    done = False
    try:
        try:
            with _beating(claim):
                _judge(agreement, claim)
        except (EngineError, Invalid) as error:
            told = storable(str(error))
            claim.end(state=Agreement.State.FAILED, error=told, finished_at=timezone.now())
        else:
            claim.end(
                state=Agreement.State.DONE,
                progress=100,
                result=_result(agreement),
                finished_at=timezone.now(),
            )
        done = True
    finally:
        if not done:
            _let_go(claim)


def kick(pk: int) -> None:
    """Tell a worker of it."""
    if problem := send_kick(_waiting(), pk, TASK):
        _log.warning("no broker for agreement %s: %s", pk, problem)


def kick_all() -> None:
    """Tell workers of everything that waits."""
    for pk in _waiting().values_list("pk", flat=True):
        kick(pk)


def disagreements(agreement: Agreement) -> list[AgreementRow]:
    """The rows where the judge says something else than the person, the farthest apart first."""
    scale = SCALES[agreement.scale]
    found = [
        row
        for row in agreement.rows.exclude(judged=None)
        if scale.index(row.human) != scale.index(row.judged or 0.0)
    ]
    return sorted(found, key=lambda row: (-abs(row.human - (row.judged or 0.0)), row.number))


def _judge(agreement: Agreement, claim: Claim) -> None:
    """Judge what is left, a few rows at a time; after each few it is kept."""
    budget = Budget(max(1, agreement.max_calls), already=Spent(calls=agreement.calls))
    metric = open_metric(agreement.metric, version=agreement.version, budget=budget)
    total = agreement.rows.count()
    while rows := list(agreement.rows.filter(reason="")[:_BLOCK]):
        try:
            for row, score in asyncio.run(_judge_block(metric, rows)):
                row.judged = score.value
                row.reason = storable(score.reason) or "no reason given"
                row.save(update_fields=["judged", "reason"])
        finally:
            claim.mine.update(calls=budget.used)
        claim.beat((total - agreement.rows.filter(reason="").count()) / total)


async def _judge_block(
    metric: EngineMetric, rows: Sequence[AgreementRow]
) -> list[tuple[AgreementRow, Score]]:
    async def one(row: AgreementRow) -> tuple[AgreementRow, Score]:
        try:
            score = await judge_one(metric, Example(row.values), Prediction(row.prediction))
        except MetricError as error:
            score = Score.unscored(plain(error))
        return row, score

    async with side_by_side() as group:
        tasks = [group.create_task(one(row)) for row in rows]
    return [task.result() for task in tasks]


def _result(agreement: Agreement) -> dict[str, Any]:
    scale = SCALES[agreement.scale]
    rows = list(agreement.rows.all())
    pairs = [
        (scale.index(row.human), scale.index(row.judged)) for row in rows if row.judged is not None
    ]
    unscored = len(rows) - len(pairs)
    if not pairs:
        return {"count": 0, "unscored": unscored}
    return {**compare(pairs, len(scale.labels), scale.weights).to_dict(), "unscored": unscored}


def _without(row: TrialRow, column: str, chosen: Sources) -> TrialRow:
    """The row without the verdict: a judge that reads it would only repeat it."""
    named = columns_by_field(chosen.dataset, chosen.fields)
    hidden = {name for name, one in named.items() if one == column}
    values = {name: value for name, value in row.values.items() if name not in hidden}
    return replace(row, values=values)


def _by_column(
    chosen: Sources, rows: Sequence[TrialRow], column: str, scale: Scale
) -> list[float | None]:
    if column not in chosen.dataset.columns:
        raise Invalid(f"“{chosen.dataset.name}” has no column “{column}”.")
    numbers = [row.number for row in rows if row.number is not None]
    cells = {row.number: row.values.get(column) for row in Table(chosen.dataset).at(numbers)}
    return [scale.read(cells.get(row.number or 0)) for row in rows]


def given_here(metric: Metric, rows: Sequence[TrialRow]) -> list[float | None]:
    """What people said of these answers on the page for it."""
    given = dict(metric.human_scores.values_list("key", "value"))
    return [given.get(row_key(row)) for row in rows]


@contextmanager
def _beating(claim: Claim) -> Iterator[None]:
    """Say that the work goes on while a judge takes its time."""
    ended = Event()

    def beat() -> None:
        try:
            while not ended.wait(_BEAT_EVERY_S):
                claim.mine.update(heartbeat_at=timezone.now())
        finally:
            connection.close()

    thread = Thread(target=beat, name=f"agreement-{claim.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _waiting() -> Any:
    return Agreement.objects.filter(state=Agreement.State.WAITING)


def _let_go(claim: Claim) -> None:
    """After a failure of ours. When the worker was told to stop, the next one tries again."""
    error = sys.exception()
    values: dict[str, Any] = {"owner": "", "heartbeat_at": None}
    if isinstance(error, Exception) and not isinstance(error, StudioError):
        values |= {
            "state": Agreement.State.FAILED,
            "error": "The studio failed at this; its log says why. Try again.",
        }
    claim.mine.update(**values)
