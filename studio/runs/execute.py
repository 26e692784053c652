"""How a worker executes a run: claim it, do the work, watch for a cancel, end it in one state.

The work is asynchronous and runs on an event loop beside this thread; what touches the database
comes back to this thread, so that one run uses one connection.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync, sync_to_async
from django.db.utils import InterfaceError, OperationalError

from studio.engine.errors import EngineError
from studio.engine.lm.metered import Budget, Spent
from studio.errors import StudioError
from studio.runs import leases
from studio.runs.jobs import JOBS, Job
from studio.runs.models import Run
from studio.runs.states import State

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.4
"""How soon a cancel is seen."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the work on a run ended."""

    state: State
    """`QUEUED`: given back, because this worker shuts down; `PAUSED`: people put it aside."""
    report: dict[str, Any] = field(default_factory=dict)
    error: str = ""


def execute(
    run_id: UUID,
    *,
    shutting_down: threading.Event | None = None,
    on_look: Callable[[Run], None] | None = None,
) -> State | None:
    """Work on a run until it ends; its state then, or None when somebody else has it.

    `on_look` is called every half second with the run as it stands. Raises what nobody expected,
    after the run has been marked as failed.
    """
    owner = leases.new_owner()
    if not leases.claim(run_id, owner):
        return None
    run = Run.objects.select_related(
        "project",
        "version__pipeline",
        "connection",
        "dataset",
        "metric__judge",
        "metric_version__judge",
        "metric_version__metric",
        "teacher",
        "proposer",
        "teacher_artifact__connection",
        "start_artifact",
        "release_artifact",
        "created_by",
    ).get(pk=run_id)
    budget = budget_of(run)
    try:
        outcome = async_to_sync(_work_and_watch)(run, owner, budget, shutting_down, on_look)
        return _end(run, owner, budget, outcome)
    except leases.LeaseLost:
        logger.warning("Another worker has taken %s over.", run)
        return None
    except (OperationalError, InterfaceError):
        raise  # the database is away, so nothing can be said; the reaper will put the run back
    except BaseException as error:
        sentence = (
            f"The studio ran into a problem of its own ({type(error).__name__}: {error}). "
            "The worker's log has the details; please report it."
        )
        # What broke may be what would tell how far it came: what was told last is kept.
        told = Run.objects.values_list("live", flat=True).get(pk=run.pk)
        _end(run, owner, budget, Outcome(State.FAILED, report=told, error=sentence))
        raise


def budget_of(run: Run) -> Budget:
    """The run's caps, with what earlier attempts spent taken from them."""
    return Budget(
        run.max_calls,
        max_tokens=run.max_tokens,
        max_cost=run.max_cost,
        max_seconds=run.max_seconds,
        already=Spent(calls=run.calls, tokens=run.tokens, cost=run.cost, seconds=run.seconds),
    )


def _end(run: Run, owner: str, budget: Budget, outcome: Outcome) -> State:
    spent = asdict(budget.spent)
    if outcome.state == State.QUEUED:
        leases.give_back(run.pk, owner, **spent)
    elif outcome.state == State.PAUSED:
        return leases.put_aside(run.pk, owner, **spent)
    else:
        leases.finish(
            run.pk, owner, outcome.state, report=outcome.report, error=outcome.error, **spent
        )
    return outcome.state


async def _work_and_watch(
    run: Run,
    owner: str,
    budget: Budget,
    shutting_down: threading.Event | None,
    on_look: Callable[[Run], None] | None,
) -> Outcome:
    job = Job(run, owner, budget)
    look = partial(_look, run, owner, budget, shutting_down, on_look)
    job.must_stop = partial(_must_stop, look)
    work = asyncio.create_task(JOBS[run.kind](job))
    watch = asyncio.create_task(_watch(look))
    try:
        await asyncio.wait((work, watch), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return await _outcome_of(work, job)
        work.cancel()
        await asyncio.wait((work,))
        await job.drain()
        stopped = watch.result()  # raises LeaseLost
        if not work.cancelled():
            return await _outcome_of(work, job)  # work that ended in the same moment counts
        return replace(stopped, report=job.kept())
    finally:
        watch.cancel()
        work.cancel()
        await asyncio.wait((watch, work))
        await job.close()


async def _outcome_of(work: asyncio.Task[dict[str, Any]], job: Job) -> Outcome:
    try:
        return Outcome(State.SUCCEEDED, await work)
    except (EngineError, StudioError) as error:
        return Outcome(State.FAILED, report=job.kept(), error=str(error))


async def _watch(look: Callable[[], Outcome | None]) -> Outcome:
    """Look now and then; ends when the run has to stop."""
    while True:
        stop = await sync_to_async(look)()
        if stop is not None:
            return stop
        await asyncio.sleep(LOOK_EVERY_S)


def _look(
    run: Run,
    owner: str,
    budget: Budget,
    shutting_down: threading.Event | None,
    on_look: Callable[[Run], None] | None,
) -> Outcome | None:
    """Keep the lease and what was spent; how the run has to stop, if it has to."""
    beat = leases.beat(run.pk, owner, budget.spent)
    if on_look is not None:
        on_look(Run.objects.get(pk=run.pk))
    if beat.cancel:
        return Outcome(State.CANCELLED)
    if beat.pause:
        return Outcome(State.PAUSED)
    if shutting_down is not None and shutting_down.is_set():
        return Outcome(State.QUEUED)
    return None


def _must_stop(look: Callable[[], Outcome | None]) -> bool:
    """Whether it has to; whoever watches finds out how by themselves."""
    try:
        return look() is not None
    except leases.LeaseLost:
        return True
