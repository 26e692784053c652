"""Start an evaluation of one program, and let one that has reached a cap go on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db import transaction

from studio.accounts.models import Role, User
from studio.accounts.services import record, require
from studio.datasets.models import Dataset
from studio.engine.errors import EngineError
from studio.engine.program import Program
from studio.errors import Conflict
from studio.lms.models import Connection
from studio.metrics.models import Metric
from studio.pipelines.models import Pipeline
from studio.pipelines.services import build
from studio.runs import services
from studio.runs.checks import check_limits, invalid
from studio.runs.evaluations.asked import ALL, Asked
from studio.runs.evaluations.subjects import Subject, candidate_hash
from studio.runs.models import Run
from studio.runs.sources import Sources, check_gold, needed_fields, read_sources
from studio.runs.states import State


@transaction.atomic
def start_evaluation(
    *,
    actor: User,
    pipeline: Pipeline,
    subject: Subject,
    dataset: Dataset,
    metric: Metric,
    connection: Connection | None,
    asked: Asked,
    number: int | None = None,
    seed: int = 0,
    max_calls: int,
    max_tokens: int | None = None,
    max_cost: float | None = None,
    max_seconds: int | None = None,
    reuse: bool = True,
    kick: bool = True,
) -> Run:
    """Queue scoring one program of a pipeline on rows of a dataset's version.

    Without a connection an artifact runs on the LM that it was compiled for. `number` is the
    dataset's version, by default the newest. `reuse=False` asks every question anew. Raises
    `NotAllowed` below the role author, and `Invalid` that says what does not fit together.
    """
    require(user=actor, project=pipeline.project, role=Role.AUTHOR)
    asked.check()
    check_limits(
        seed=seed,
        max_calls=max_calls,
        max_tokens=max_tokens,
        max_cost=max_cost,
        max_seconds=max_seconds,
    )
    lm = connection or subject.connection
    if lm is None:
        raise invalid("connection", "Choose the language model that answers.")
    try:
        version = subject.frozen(actor, pipeline)
        program = build(version)
    except EngineError as error:
        raise invalid("subject", f"This version does not run any more: {error}") from None
    check_rows(program, dataset, metric, asked, number)
    return services.start_evaluate(
        actor=actor,
        version=version,
        dataset=dataset,
        metric=metric,
        connection=lm,
        max_calls=max_calls,
        kick=kick,
        alone={
            "params": replace(
                asked,
                artifact=subject.artifact.hash if subject.artifact else "",
                label=subject.label,
                candidate=candidate_hash(subject, program),
            ).to_params(),
            "dataset_number": number,
            "seed": seed,
            "max_tokens": max_tokens,
            "max_cost": max_cost,
            "max_seconds": max_seconds,
            "reuse": reuse,
        },
    )


def check_rows(
    program: Program, dataset: Dataset, metric: Metric, asked: Asked, number: int | None
) -> Sources:
    """The rows that may be scored, if they are what program and metric need; or `Invalid`."""
    fields = needed_fields(program, metric)
    sources = read_sources(dataset, fields, asked.judged_on, number=number)
    check_gold(sources, dataset, metric)
    if not any(sources[split] for split in asked.judged_on):
        where = "no rows" if asked.split == ALL else f"no {asked.split} rows"
        version = f" in version {number}" if number and number != dataset.number else ""
        raise invalid(
            "split",
            f"The dataset {dataset.name} has {where}{version}, so there is nothing to score. "
            "Choose another split, or split it on its page.",
        )
    return sources


@transaction.atomic
def go_on(*, actor: User, run: Run, kick: bool = True, **caps: Any) -> Run:
    """Let an evaluation that has reached a cap go on under higher ones; it repeats no row.

    `caps` are those of `start_evaluation`; one that is not named stays. Raises `Conflict` when it
    does not wait for this, and `Invalid` when a cap leaves no room.
    """
    require(user=actor, project=run.project, role=Role.AUTHOR)
    run = Run.objects.select_for_update().get(pk=run.pk)
    if run.state != State.PAUSED or Asked.of(run) is None:
        raise Conflict(
            f"This run is {run.get_state_display().lower()}: only a paused evaluation can go on "
            "under other caps."
        )
    wanted = {name: getattr(run, name) for name in _SPENT} | caps
    if wanted["max_calls"] is None:
        raise invalid("max_calls", "Say how many calls it may take.")
    check_limits(seed=run.seed, **wanted)
    for name, (spent, what) in _SPENT.items():
        cap, used = wanted[name], getattr(run, spent)
        if cap is not None and cap <= used:
            raise invalid(
                name,
                f"{what.capitalize()}: {used:,.6g} are spent already, so a cap of {cap:,.6g} "
                "leaves no room. Raise it.",
            )
    for name, cap in wanted.items():
        setattr(run, name, cap)
    run.report = {name: told for name, told in run.report.items() if name != "stopped"}
    run.save(update_fields=[*wanted, "report"])
    record(project=run.project, actor=actor, action="run.raise-caps", subject=str(run), **wanted)
    return services.resume(actor=actor, run=run, kick=kick)


_SPENT = {
    "max_calls": ("calls", "calls"),
    "max_tokens": ("tokens", "tokens"),
    "max_cost": ("cost", "US dollars"),
    "max_seconds": ("seconds", "seconds of work"),
}
"""By cap, what is spent of it, and what that is."""
