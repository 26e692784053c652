"""What people do with runs: start them, stop them, ask what they would take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from studio.accounts.models import Project, Role, User
from studio.accounts.services import record, require
from studio.datasets.models import Dataset, Split
from studio.errors import Conflict, Invalid
from studio.lms.models import Connection
from studio.metrics.models import Metric
from studio.metrics.services import newest_version
from studio.pipelines.models import Pipeline, PipelineVersion
from studio.pipelines.services import build, freeze
from studio.runs import leases
from studio.runs.checks import check_compiler, check_data, check_limits, invalid
from studio.runs.fingerprints import fingerprints
from studio.runs.kicks import kick as send_kick
from studio.runs.leaks import Leaks
from studio.runs.models import Artifact, Run
from studio.runs.openings import write_opening
from studio.runs.roles import check_start, check_teacher, released_artifact
from studio.runs.states import State
from studio.runs.tries import read_try, version_for_try

MOST_LMS = 20
"""Language models of one matrix."""


@transaction.atomic
def start_compile(
    *,
    actor: User,
    pipeline: Pipeline,
    dataset: Dataset,
    metric: Metric,
    connection: Connection,
    compiler: str,
    params: Mapping[str, Any],
    seed: int,
    max_calls: int,
    max_tokens: int | None = None,
    max_cost: float | None = None,
    max_seconds: int | None = None,
    teacher: Connection | None = None,
    proposer: Connection | None = None,
    teacher_artifact: Artifact | None = None,
    start_artifact: Artifact | None = None,
    matrix: UUID | None = None,
    reuse: bool = True,
    kick: bool = True,
) -> Run:
    """Queue a compile of the pipeline as it is drawn now.

    `max_cost` is in US dollars; a cap that is None is not there. `teacher` and `proposer` are LMs
    of the project; `teacher_artifact` teaches on `teacher`, or else on its own LM. A compile with
    `start_artifact` improves that one. `reuse=False` takes nothing over from earlier runs.
    `kick=False` leaves it to the caller to execute the run. Raises `NotAllowed` below the role
    author, and `Invalid` that says what does not fit together, or which rows leak from test.
    """
    require(user=actor, project=pipeline.project, role=Role.AUTHOR)
    roles = [
        one for one in (teacher, proposer, teacher_artifact, start_artifact) if one is not None
    ]
    _same_project(pipeline, dataset, metric, connection, *roles)
    check_limits(
        seed=seed,
        max_calls=max_calls,
        max_tokens=max_tokens,
        max_cost=max_cost,
        max_seconds=max_seconds,
    )
    checked = check_compiler(compiler, params)
    version = freeze(actor=actor, pipeline=pipeline)
    program = build(version)
    check_data(program, dataset, metric)
    Leaks(program, dataset).refuse()
    if teacher_artifact is not None:
        check_teacher(program, teacher_artifact, teacher)
    if start_artifact is not None:
        check_start(program, start_artifact)
    return _start(
        actor,
        version,
        kind=Run.Kind.COMPILE,
        kick=kick,
        connection=connection,
        dataset=dataset,
        metric=metric,
        compiler=compiler,
        params=checked,
        seed=seed,
        max_calls=max_calls,
        max_tokens=max_tokens,
        max_cost=max_cost,
        max_seconds=max_seconds,
        teacher=teacher,
        proposer=proposer,
        teacher_artifact=teacher_artifact,
        start_artifact=start_artifact,
        release_artifact=released_artifact(pipeline, program),
        matrix=matrix,
        reuse=reuse,
    )


@transaction.atomic
def start_matrix(
    *, actor: User, pipeline: Pipeline, connections: Sequence[Connection], **options: Any
) -> list[Run]:
    """Queue one compile for each of several LMs, all else the same; the runs share `matrix`.

    One LM alone is no matrix. `options` are those of `start_compile`, whose caps hold for each
    run. Raises what it raises.
    """
    require(user=actor, project=pipeline.project, role=Role.AUTHOR)
    if len({connection.pk for connection in connections}) != len(connections):
        raise invalid("connections", "A language model stands twice in the matrix.")
    if not 1 <= len(connections) <= MOST_LMS:
        raise invalid(
            "connections",
            f"A matrix has between 1 and {MOST_LMS} language models, not {len(connections)}.",
        )
    matrix = uuid4() if len(connections) > 1 else None
    return [
        start_compile(
            **{**options, "actor": actor, "pipeline": pipeline},
            connection=connection,
            matrix=matrix,
        )
        for connection in connections
    ]


@transaction.atomic
def start_evaluate(
    *,
    actor: User,
    version: PipelineVersion,
    dataset: Dataset,
    metric: Metric,
    connection: Connection,
    max_calls: int,
    split: str = Split.TEST,
    artifact: str = "",
    reuse: Run | None = None,
    role: Role = Role.AUTHOR,
    alone: Mapping[str, Any] | None = None,
    kick: bool = True,
) -> Run:
    """Queue scoring a frozen pipeline, uncompiled or as an artifact sets it, on one split.

    `reuse` names an earlier run whose scores of the same candidates need not be made again. With
    `alone`, fields of the run that are checked already, one program is scored and not compared
    with another: see `evaluations.starting`.
    """
    require(user=actor, project=version.pipeline.project, role=role)
    _same_project(version.pipeline, dataset, metric, connection)
    if alone is None:
        check_limits(seed=0, max_calls=max_calls)
        check_data(build(version), dataset, metric, splits=(split,))
        named = str(reuse.pk) if reuse else ""
        alone = {"params": {"split": str(split), "artifact": artifact, "reuse": named}}
    return _start(
        actor,
        version,
        kind=Run.Kind.EVALUATE,
        kick=kick,
        connection=connection,
        dataset=dataset,
        metric=metric,
        max_calls=max_calls,
        **alone,
    )


@transaction.atomic
def start_try(
    *,
    actor: User,
    pipeline: Pipeline,
    connection: Connection,
    inputs: Mapping[str, Any],
    until: str = "",
    given: Mapping[str, Any] | None = None,
    kick: bool = True,
) -> Run:
    """Queue running the pipeline as it is drawn now on one set of inputs.

    With `until`, the id or the name of a step, it ends there; `given` are values by the name of
    the step in whose place they stand, and by field. Then only what runs has to be sound. Raises
    `Invalid` with a sentence.
    """
    require(user=actor, project=pipeline.project, role=Role.AUTHOR)
    _same_project(pipeline, connection)
    version = version_for_try(actor=actor, pipeline=pipeline, partial=bool(until or given))
    params = read_try(version.spec, inputs, until, given)
    return _start(
        actor,
        version,
        kind=Run.Kind.TRY,
        kick=kick,
        connection=connection,
        params=params,
        max_calls=100,
    )


@transaction.atomic
def cancel(*, actor: User, run: Run) -> Run:
    """Stop a run: at once when it waits, else as soon as its worker sees it (half a second)."""
    require(user=actor, project=run.project, role=Role.AUTHOR)
    run = Run.objects.select_for_update().get(pk=run.pk)
    if State(run.state).is_final:
        raise Conflict(f"This run has already ended: it is {run.get_state_display().lower()}.")
    if run.state in (State.QUEUED, State.PAUSED):
        run = leases.move(
            run.pk, State.CANCELLED, cancel_requested=True, finished_at=timezone.now()
        )
    else:
        run.cancel_requested = True
        run.save(update_fields=["cancel_requested"])
    record(project=run.project, actor=actor, action="run.cancel", subject=str(run))
    return run


@transaction.atomic
def pause(*, actor: User, run: Run) -> Run:
    """Put a run aside until somebody resumes it: at once when it waits, else within a second.

    What it has done is kept, and it goes on from there.
    """
    require(user=actor, project=run.project, role=Role.AUTHOR)
    run = Run.objects.select_for_update().get(pk=run.pk)
    if run.state not in (State.QUEUED, State.RUNNING):
        raise Conflict(
            f"This run is {run.get_state_display().lower()}, so it cannot be paused: only one "
            "that waits or runs can."
        )
    if run.cancel_requested:
        raise Conflict("This run is being cancelled, so it cannot be paused.")
    if run.state == State.QUEUED:
        run = leases.move(run.pk, State.PAUSED, pause_requested=True)
    else:
        run.pause_requested = True
        run.save(update_fields=["pause_requested"])
    record(project=run.project, actor=actor, action="run.pause", subject=str(run))
    return run


@transaction.atomic
def resume(*, actor: User, run: Run, kick: bool = True) -> Run:
    """Queue a paused run again; it goes on where it was. A pause that is only asked for is off."""
    require(user=actor, project=run.project, role=Role.AUTHOR)
    run = Run.objects.select_for_update().get(pk=run.pk)
    if run.state == State.PAUSED:
        now = timezone.now()
        run = leases.move(run.pk, State.QUEUED, pause_requested=False, kicked_at=now)
        if kick:
            transaction.on_commit(partial(send_kick, run.pk))
    elif run.state == State.RUNNING and run.pause_requested:
        run.pause_requested = False
        run.save(update_fields=["pause_requested"])
    else:
        raise Conflict(
            f"This run is {run.get_state_display().lower()}: only a paused run can be resumed."
        )
    record(project=run.project, actor=actor, action="run.resume", subject=str(run))
    return run


def _start(actor: User, version: PipelineVersion, *, kick: bool, **fields: Any) -> Run:
    project = version.pipeline.project
    run = Run(
        project=project, version=version, created_by=actor, kicked_at=timezone.now(), **fields
    )
    if run.dataset is not None and run.dataset_number is None:
        run.dataset_number = run.dataset.number
    if run.metric is not None:
        run.metric_version = newest_version(run.metric)
    run.fingerprints = fingerprints(run)
    run.save(force_insert=True)
    write_opening(run)
    record(
        project=project,
        actor=actor,
        action=f"run.{run.kind}",
        subject=f"{version.pipeline} v{version.number}",
        run=str(run.pk),
    )
    if kick:
        transaction.on_commit(partial(send_kick, run.pk))
    return run


def _same_project(pipeline: Pipeline, *others: Dataset | Metric | Connection | Artifact) -> None:
    project: Project = pipeline.project
    for other in others:
        if other.project_id != project.pk:
            raise Invalid(f"{other} belongs to another project than {pipeline}.")
