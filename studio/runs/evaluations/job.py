"""The work of an evaluation: every row, as often as asked, each result stored as it comes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.db import transaction

from studio.engine.compilers.near import NearDuplicates
from studio.engine.errors import BudgetSpent
from studio.engine.evaluation import evaluate
from studio.engine.example import Candidate, Example
from studio.errors import Conflict
from studio.runs import leases
from studio.runs.evaluations.asked import Asked
from studio.runs.evaluations.results import read_results
from studio.runs.models import Artifact, Run
from studio.runs.reuse import Earlier
from studio.runs.roles import candidate_of
from studio.runs.sources import Sources

if TYPE_CHECKING:
    from studio.runs.jobs import Job

_ASK_AGAIN_S = 1.0
"""A pause that somebody has taken back before it was seen is asked for again after this."""
_AFRESH = 1_000_000
"""Answers that are asked for anew are numbered from here on, by the run."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is scored, and what is not."""

    rows: int
    """Rows that are scored."""
    repeats: int
    there: int
    """Rows of the split, with those that stand there twice."""
    doubled: int
    """Rows left out because an equal one stands before them, in the split or an earlier one."""
    unchosen: int
    """Rows left out because fewer were asked for."""
    own: int
    """Rows left out because the program's own demos give them away."""


async def evaluate_alone(job: Job) -> dict[str, Any]:
    """Score one program on the rows that were asked for.

    When a cap is reached it puts itself aside, as people would, so that it can go on under a
    higher one.
    """
    run, asked = job.run, Asked.of(job.run)
    if asked is None:
        raise RuntimeError("This run was not asked for as an evaluation of one program.")
    lm = await sync_to_async(job.open_lm)()
    metric = job.open_metric()
    sources = await sync_to_async(job.read_sources)(asked.reads)
    artifact = await sync_to_async(_artifact_of)(run)
    candidate = candidate_of(artifact) if artifact else job.program.candidate()
    earlier = await sync_to_async(Earlier)(run) if run.reuse else None
    ledger = await sync_to_async(job.open_ledger)(
        sources, metric, earlier, keeps_predictions=False
    )
    # On another LM than it was compiled for it is asked as that one likes it.
    own_lm = artifact is not None and artifact.connection_id == run.connection_id
    format_ = artifact.content.get("format", "") if artifact is not None and own_lm else ""
    runtime = await sync_to_async(job.equip)(lm, format_)
    plan, examples = await sync_to_async(_plan)(job, asked, sources, candidate)
    job.kept = lambda: {"plan": asdict(plan), "candidate": candidate.hash}
    first = 0 if run.reuse else _AFRESH + run.pk.int % _AFRESH
    concurrency = run.connection.concurrency if run.connection else 1
    try:
        for repeat in range(asked.repeats):
            results = evaluate(
                job.program,
                candidate,
                examples,
                metric,
                replace(runtime, rollout=first + repeat),
                ledger.repetition(repeat),
                concurrency=concurrency,
                block=4 * concurrency,
            )
            async with aclosing(results):
                async for _ in results:
                    pass
    except BudgetSpent as error:
        await job.drain()
        while True:  # until whoever watches this work ends it
            await sync_to_async(_stop_here)(job, str(error))
            await asyncio.sleep(_ASK_AGAIN_S)
    return await sync_to_async(report_of)(run, job.kept())


def report_of(run: Run, kept: dict[str, Any]) -> dict[str, Any]:
    """What a run that has ended tells of its scores."""
    results = read_results(run)
    mean = results.mean
    return {
        **kept,
        "score": mean.to_dict() if mean else None,
        "scored": results.scored,
        "unscored": results.counts["unscored"],
        "failed": results.counts["failed"],
        "consistency": results.consistency,
        "split": run.params["split"],
    }


def _plan(
    job: Job, asked: Asked, sources: Sources, candidate: Candidate
) -> tuple[Plan, list[Example]]:
    chosen = asked.choose(sources, job.run.seed)
    # Never on its own demos, also not under another spelling of an input.
    examples = NearDuplicates(job.program, sources["train"]).not_own(candidate, chosen)
    unique = sum(len(sources[split]) for split in asked.judged_on)
    there = sum(sources.there.get(split, 0) for split in asked.judged_on)
    plan = Plan(
        rows=len(examples),
        repeats=asked.repeats,
        there=there,
        doubled=there - unique,
        unchosen=unique - len(chosen),
        own=len(chosen) - len(examples),
    )
    with transaction.atomic():
        leases.holds(job.run.pk, job.owner)
        kept = {"plan": asdict(plan), "candidate": candidate.hash}
        Run.objects.filter(pk=job.run.pk).update(report=kept)
    if not examples:
        raise Conflict(_nothing(plan))
    return plan, examples


def _nothing(plan: Plan) -> str:
    if plan.own:
        return (
            f"All {plan.own:,} rows are among the program's own demos, or nearly equal to one of "
            "them, so a score would say nothing. Choose another split."
        )
    return "There is no row to score. Choose another split, or split the dataset on its page."


@transaction.atomic
def _stop_here(job: Job, why: str) -> None:
    leases.holds(job.run.pk, job.owner)
    report = {**job.kept(), "stopped": why}
    Run.objects.filter(pk=job.run.pk).update(pause_requested=True, report=report)


def _artifact_of(run: Run) -> Artifact | None:
    if not run.params.get("artifact"):
        return None
    found = Artifact.objects.filter(project=run.project, hash=run.params["artifact"]).first()
    if found is None:
        raise Conflict("The artifact of this run is gone. Start a new run.")
    return found
