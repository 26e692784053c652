"""What people do with runs: start them, stop them, ask what they would take."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from studio.accounts.models import Project, Role, User
from studio.accounts.services import record, require
from studio.datasets.models import Dataset, Split
from studio.engine.compilers import COMPILERS
from studio.engine.errors import EngineError
from studio.engine.params import read_params
from studio.engine.program import Program
from studio.errors import Conflict, Invalid
from studio.lms.models import Connection
from studio.metrics.models import Metric
from studio.pipelines.models import Pipeline, PipelineVersion
from studio.pipelines.services import build, freeze
from studio.runs import leases
from studio.runs.fingerprints import fingerprints
from studio.runs.inputs import read_inputs
from studio.runs.kicks import kick as send_kick
from studio.runs.models import Run
from studio.runs.sources import Sources, check_gold, needed_fields, read_sources
from studio.runs.states import State

MOST_CALLS = 1_000_000
MOST_SEED = 2**31 - 1

_FOR = {
    Split.TRAIN: "learn from",
    Split.DEV: "choose between candidates on",
    Split.TEST: "be judged on",
}


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
    kick: bool = True,
) -> Run:
    """Queue a compile of the pipeline as it is drawn now.

    `kick=False` leaves it to the caller to execute the run. Raises `NotAllowed` below the role
    author, and `Invalid` that says what does not fit together.
    """
    require(user=actor, project=pipeline.project, role=Role.AUTHOR)
    _same_project(pipeline, dataset, metric, connection)
    check_limits(seed=seed, max_calls=max_calls)
    checked = check_compiler(compiler, params)
    version = freeze(actor=actor, pipeline=pipeline)
    check_data(build(version), dataset, metric)
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
    )


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
    kick: bool = True,
) -> Run:
    """Queue scoring a frozen pipeline, uncompiled or as an artifact sets it, on one split.

    `reuse` names an earlier run whose scores of the same candidates need not be made again.
    """
    require(user=actor, project=version.pipeline.project, role=role)
    _same_project(version.pipeline, dataset, metric, connection)
    check_limits(seed=0, max_calls=max_calls)
    check_data(build(version), dataset, metric, splits=(split,))
    return _start(
        actor,
        version,
        kind=Run.Kind.EVALUATE,
        kick=kick,
        connection=connection,
        dataset=dataset,
        metric=metric,
        params={
            "split": str(split),
            "artifact": artifact,
            "reuse": str(reuse.pk) if reuse else "",
        },
        max_calls=max_calls,
    )


@transaction.atomic
def start_try(
    *,
    actor: User,
    pipeline: Pipeline,
    connection: Connection,
    inputs: Mapping[str, Any],
    kick: bool = True,
) -> Run:
    """Queue running the pipeline as it is drawn now on one set of inputs."""
    require(user=actor, project=pipeline.project, role=Role.AUTHOR)
    _same_project(pipeline, connection)
    version = freeze(actor=actor, pipeline=pipeline)
    read = read_inputs(build(version), inputs)
    return _start(
        actor,
        version,
        kind=Run.Kind.TRY,
        kick=kick,
        connection=connection,
        params={"inputs": read},
        max_calls=100,
    )


@transaction.atomic
def cancel(*, actor: User, run: Run) -> Run:
    """Stop a run: at once when it waits, else as soon as its worker sees it (half a second)."""
    require(user=actor, project=run.project, role=Role.AUTHOR)
    run = Run.objects.select_for_update().get(pk=run.pk)
    if State(run.state).is_final:
        raise Conflict(f"This run has already ended: it is {run.get_state_display().lower()}.")
    if run.state == State.QUEUED:
        run = leases.move(
            run.pk, State.CANCELLED, cancel_requested=True, finished_at=timezone.now()
        )
    else:
        run.cancel_requested = True
        run.save(update_fields=["cancel_requested"])
    record(project=run.project, actor=actor, action="run.cancel", subject=str(run))
    return run


def check_limits(*, seed: int, max_calls: int) -> None:
    """Raise `Invalid` unless the seed and the cap on calls make sense."""
    if max_calls < 1:
        raise Invalid(
            f"The cap on calls is {max_calls}, so the run could never ask the LM. Allow at least "
            "1 call; the estimate says how many it will want.",
            problems=[{"field": "max_calls", "message": "At least 1."}],
        )
    if max_calls > MOST_CALLS:
        raise Invalid(
            f"The cap on calls is {max_calls:,}; the most is {MOST_CALLS:,}.",
            problems=[{"field": "max_calls", "message": f"At most {MOST_CALLS:,}."}],
        )
    if not 0 <= seed <= MOST_SEED:
        raise Invalid(
            f"The seed is {seed}; it has to be between 0 and {MOST_SEED:,}.",
            problems=[{"field": "seed", "message": f"Between 0 and {MOST_SEED:,}."}],
        )


def check_compiler(compiler: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of the compiler, checked, defaults filled in; raises `Invalid`."""
    if compiler not in COMPILERS:
        raise Invalid(
            f"There is no compiler “{compiler}”. Known compilers are {', '.join(COMPILERS)}.",
            problems=[{"field": "compiler", "message": "Not known."}],
        )
    try:
        return dict(vars(read_params(COMPILERS[compiler].params, params)))
    except EngineError as error:
        raise Invalid(str(error), problems=[{"field": "params", "message": str(error)}]) from None


def check_data(
    program: Program,
    dataset: Dataset,
    metric: Metric,
    *,
    splits: tuple[str, ...] = (Split.TRAIN, Split.DEV, Split.TEST),
) -> Sources:
    """The examples, if they are what program and metric need; raises `Invalid`."""
    fields = needed_fields(program, metric)
    sources = read_sources(dataset, fields, splits)
    check_gold(sources, dataset, metric)
    for split in splits:
        if not sources[split]:
            raise Invalid(
                f"The dataset {dataset.name} has no {split} examples to {_FOR[Split(split)]}. "
                "Split it on its page (train, dev and test each need some).",
                problems=[{"field": "dataset", "message": f"No {split} examples."}],
            )
    return sources


def _start(actor: User, version: PipelineVersion, *, kick: bool, **fields: Any) -> Run:
    project = version.pipeline.project
    run = Run.objects.create(
        project=project,
        version=version,
        created_by=actor,
        fingerprints=fingerprints(
            version,
            connection=fields["connection"],
            dataset=fields.get("dataset"),
            metric=fields.get("metric"),
        ),
        kicked_at=timezone.now(),
        **fields,
    )
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


def _same_project(pipeline: Pipeline, *others: Dataset | Metric | Connection) -> None:
    project: Project = pipeline.project
    for other in others:
        if other.project_id != project.pk:
            raise Invalid(f"{other} belongs to another project than {pipeline}.")
