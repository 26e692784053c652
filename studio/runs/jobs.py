"""The work of each kind of run, as coroutines: what they return is the run's report."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import cached_property
from typing import Any

from asgiref.sync import sync_to_async
from django.db import transaction

from studio.datasets.editing.changes import get_version
from studio.datasets.models import Split
from studio.engine.compilers import CompileTask, Teacher, compile_program
from studio.engine.compilers.events import Finished
from studio.engine.compilers.near import NearDuplicates
from studio.engine.evaluation import Evaluation, evaluate_all
from studio.engine.example import Candidate
from studio.engine.graph.excerpt import Excerpt
from studio.engine.lm.base import LM
from studio.engine.lm.metered import Budget
from studio.engine.metrics.base import Metric
from studio.engine.modules.inside import named_lms
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.errors import Conflict
from studio.lms.models import Connection
from studio.lms.services import open_lm
from studio.metrics.services import open_metric
from studio.pipelines.lm_overrides import require_lms
from studio.runs import leases
from studio.runs.artifacts import make_artifact
from studio.runs.comparison import compare
from studio.runs.equipment import collections_hash, equip
from studio.runs.evaluations.asked import Asked
from studio.runs.evaluations.job import evaluate_alone
from studio.runs.excerpts import excerpt_of
from studio.runs.fingerprints import (
    STEP_LM,
    lm_fingerprint,
    metric_fingerprint,
    teacher_fingerprint,
)
from studio.runs.leaks import Leaks
from studio.runs.ledger import DatabaseLedger
from studio.runs.models import Artifact, Run
from studio.runs.recorder import Recorder
from studio.runs.reuse import Earlier
from studio.runs.roles import candidate_of, program_of
from studio.runs.sources import Sources, gold_field, needed_fields, read_sources
from studio.runs.trying import try_


class Job:
    """A claimed run with what its work needs; opened in the run's own thread."""

    def __init__(self, run: Run, owner: str, budget: Budget) -> None:
        self.run = run
        self.owner = owner
        self.budget = budget
        self.ledger: DatabaseLedger | None = None
        self.kept: Callable[[], dict[str, Any]] = dict
        """What the report says of work that fails or is stopped; by default nothing."""
        self.must_stop: Callable[[], bool] = lambda: False
        """For work that keeps the run's own thread for long: renews the lease, and says whether
        the run has to stop."""
        self._lms: dict[int, LM] = {}

    @cached_property
    def excerpt(self) -> Excerpt:
        """What of the drawing is run."""
        return excerpt_of(self.run)

    @property
    def program(self) -> Program:
        """The run's pipeline, uncompiled."""
        return self.excerpt.program

    def open_lm(self) -> LM:
        """The run's LM, under its budget."""
        if self.run.connection is None:
            raise Conflict("The LM connection of this run was deleted. Start a new run.")
        self._same("lm", lm_fingerprint(self.run.connection), "LM connection")
        return self._open(self.run.connection)

    def open_teacher(self) -> Teacher | None:
        """Who teaches; None: the student itself."""
        run, artifact = self.run, self.run.teacher_artifact
        self._same("teacher", teacher_fingerprint(run.teacher, artifact), "teacher")
        connection = run.teacher or (artifact.connection if artifact else None)
        if connection is None:
            return None
        lm = self._open(connection)
        if artifact is None:
            return Teacher(runtime=self.equip(lm))
        # On its own LM it is asked as it was compiled, on another one as that one likes it.
        format_ = "" if run.teacher else artifact.content.get("format", "")
        spec, program = artifact.content["spec"], program_of(artifact)
        lms = self._open_steps(program, require_lms(spec, run.project))
        return Teacher(
            runtime=equip(spec, project=run.project, lm=lm, format=format_, lms=lms),
            program=program,
            candidate=candidate_of(artifact),
        )

    def open_proposer(self) -> Runtime | None:
        """Who is asked for instructions; None: the student."""
        proposer = self.run.proposer
        self._same("proposer", lm_fingerprint(proposer) if proposer else "", "proposer")
        return Runtime(lm=self._open(proposer)) if proposer else None

    def open_artifact(self, name: str) -> Candidate | None:
        """The candidate of the run's `start` or `release` artifact, if it has one."""
        artifact: Artifact | None = getattr(self.run, f"{name}_artifact")
        self._same(name, artifact.hash if artifact else "", f"{name} artifact")
        return candidate_of(artifact) if artifact else None

    def equip(self, lm: LM, format: str = "") -> Runtime:
        """The runtime in which the run's pipeline finds what its steps name."""
        run, spec = self.run, self.excerpt.spec
        found = collections_hash(spec, run.project)
        if found != run.fingerprints.get("collections", ""):
            raise Conflict(
                "A dataset that the pipeline looks into was changed since this run was started. "
                "Start a new run."
            )
        lms = self._open_steps(self.program, self._steps_connections())
        return equip(spec, project=run.project, lm=lm, format=format, lms=lms)

    def open_metric(self) -> Metric:
        """The run's metric."""
        if self.run.metric is None:
            raise Conflict("The metric of this run was deleted. Start a new run.")
        used = self.run.metric_version or self.run.metric
        self._same("metric", metric_fingerprint(used), "metric")
        return open_metric(self.run.metric, version=self.run.metric_version, budget=self.budget)

    def read_sources(self, splits: Sequence[str] = tuple(Split.values)) -> Sources:
        """The run's examples, if they are what they were when it was started."""
        run = self.run
        if run.dataset is None or run.metric is None:
            raise Conflict("The dataset or the metric of this run was deleted. Start a new run.")
        version = get_version(run.dataset, run.dataset_number or run.dataset.number)
        self._same("dataset", version.fingerprint, "dataset")
        fields = needed_fields(self.program, run.metric_version or run.metric)
        return read_sources(run.dataset, fields, splits, number=version.number)

    async def refuse_leaks(self) -> None:
        """Raise `Invalid` when test examples are given away; waits for a scan that is going on."""
        run = self.run
        if run.dataset is not None:
            leaks = await sync_to_async(Leaks)(self.program, run.dataset, run.dataset_number)
            await leaks.wait(self.must_stop)
            await sync_to_async(leaks.refuse)()

    def open_ledger(
        self,
        sources: Sources,
        metric: Metric,
        earlier: Earlier | None,
        *,
        keeps_predictions: bool = True,
    ) -> DatabaseLedger:
        """The run's ledger with everything that earlier attempts stored."""
        self.ledger = DatabaseLedger(
            self.run,
            self.owner,
            sources.by_id,
            lambda: self.budget.spent,
            metric=metric,
            earlier=earlier,
            answer_field=gold_field(used) if (used := self.run.metric) else "",
            keeps_predictions=keeps_predictions,
        )
        self.ledger.load()
        return self.ledger

    def _open(self, connection: Connection) -> LM:
        """One LM a connection, so that its roles share what may be in flight."""
        if connection.pk not in self._lms:
            self._lms[connection.pk] = open_lm(connection, budget=self.budget)
        return self._lms[connection.pk]

    def _steps_connections(self) -> dict[str, Connection]:
        """The connections that single steps name, if they are what they were."""
        slugs = set(named_lms(self.program).values())
        found = {one.slug: one for one in self.run.project.connections.filter(slug__in=slugs)}
        for slug in sorted(slugs):
            now = lm_fingerprint(found[slug]) if slug in found else ""
            self._same(f"{STEP_LM}{slug}", now, f"LM connection “{slug}”")
        return found

    def _open_steps(
        self, program: Program, connections: Mapping[str, Connection]
    ) -> dict[str, LM]:
        """The LMs of single steps by path; one that has several steps is opened once."""
        return {path: self._open(connections[slug]) for path, slug in named_lms(program).items()}

    def _same(self, name: str, now: str, what: str) -> None:
        """Scores of before and after a change could not be compared."""
        before = self.run.fingerprints.get(name, "")
        if before and not now:
            raise Conflict(f"The {what} of this run was deleted. Start a new run.")
        if now != before:
            raise Conflict(f"The {what} was changed since this run was started. Start a new run.")

    async def drain(self) -> None:
        """Done when every result is stored."""
        if self.ledger is not None:
            await self.ledger.drain()

    async def close(self) -> None:
        """Give back connections."""
        await self.drain()
        for lm in self._lms.values():
            await lm.aclose()


async def evaluate_(job: Job) -> dict[str, Any]:
    """Score one program, or for a review an artifact beside the uncompiled one, on one split."""
    if Asked.of(job.run) is not None:
        return await evaluate_alone(job)
    lm = await sync_to_async(job.open_lm)()
    metric = job.open_metric()
    sources = await sync_to_async(job.read_sources)()
    artifact = await sync_to_async(_artifact_of)(job.run)
    plain = job.program.candidate()
    candidate = candidate_of(artifact) if artifact else plain
    earlier = await sync_to_async(_named_run)(job.run)
    ledger = await sync_to_async(job.open_ledger)(sources, metric, earlier)
    format_ = artifact.content["format"] if artifact else ""
    runtime = await sync_to_async(job.equip)(lm, format_)
    split = job.run.params["split"]
    # Never on its own demos, also not under another spelling of an input.
    near = NearDuplicates(job.program, sources["train"])
    examples = near.not_own(candidate, sources[split])

    async def score(one: Candidate) -> Evaluation:
        return await evaluate_all(
            job.program,
            one,
            examples,
            metric,
            runtime,
            ledger,
            concurrency=_concurrency(job),
        )

    baseline = await score(plain)
    await score(candidate)  # costs nothing when it is the uncompiled one
    if artifact is None:
        return {"baseline": baseline.mean, "confirmed_on": len(baseline.values), "split": split}
    return await sync_to_async(_keep_scores)(job, artifact, plain, candidate, split)


async def compile_(job: Job) -> dict[str, Any]:
    """Compile, storing each event; makes the artifact at the end."""
    run = job.run
    lm = await sync_to_async(job.open_lm)()
    metric = job.open_metric()
    sources = await sync_to_async(job.read_sources)()
    await job.refuse_leaks()
    earlier = await sync_to_async(Earlier)(run) if run.reuse else None
    ledger = await sync_to_async(job.open_ledger)(sources, metric, earlier)
    runtime = await sync_to_async(job.equip)(lm)
    recorder = Recorder(run, job.owner)
    await sync_to_async(recorder.load)()
    finished: Finished | None = None
    task = CompileTask(
        program=job.program,
        train=sources["train"],
        dev=sources["dev"],
        test=sources["test"],
        metric=metric,
        runtime=runtime,
        ledger=ledger,
        seed=run.seed,
        compiler=run.compiler,
        params=run.params,
        budget=job.budget,
        concurrency=_concurrency(job),
        teacher=await sync_to_async(job.open_teacher)(),
        proposer=job.open_proposer(),
        start=job.open_artifact("start"),
        release=job.open_artifact("release"),
    )
    async for event in compile_program(task):
        await sync_to_async(recorder.record)(event)
        if isinstance(event, Finished):
            finished = event
    if finished is None:
        raise RuntimeError(f"The compiler {run.compiler} ended without a result.")
    format_ = runtime.format or lm.default_format
    return await sync_to_async(_make_artifact)(job, recorder, finished, format_, sources)


@transaction.atomic
def _make_artifact(
    job: Job, recorder: Recorder, finished: Finished, format_: str, sources: Sources
) -> dict[str, Any]:
    leases.holds(job.run.pk, job.owner)
    report = finished.result.to_dict()
    report["compared"] = recorder.confirmed
    report["doubled"] = sources.doubled
    if job.ledger is not None:
        report["saved"] = job.ledger.saved
    if job.run.release_artifact is not None:
        report["release"] = {
            "artifact": job.run.release_artifact.hash,
            "candidate": candidate_of(job.run.release_artifact).hash,
        }
    artifact = make_artifact(
        run=job.run,
        candidate=finished.result.candidate,
        format=format_,
        report=report,
        sources=sources.by_id,
    )
    return {**report, "artifact": artifact.hash}


def _named_run(run: Run) -> Earlier | None:
    """What the run knows that `reuse` names; an evaluate takes over nothing else."""
    reuse = run.params.get("reuse")
    other = Run.objects.filter(pk=reuse, project=run.project_id).first() if reuse else None
    return Earlier(run, [other]) if other else None


def _artifact_of(run: Run) -> Artifact | None:
    if not run.params.get("artifact"):
        return None
    found = Artifact.objects.filter(project=run.project, hash=run.params["artifact"]).first()
    if found is None:
        raise Conflict("The artifact of this run is gone. Start a new run.")
    return found


@transaction.atomic
def _keep_scores(
    job: Job, artifact: Artifact, plain: Candidate, candidate: Candidate, split: str
) -> dict[str, Any]:
    """What the scores say, kept with the run and, for held-out examples, with the artifact."""
    leases.holds(job.run.pk, job.owner)
    found = compare(job.run, plain.hash, candidate.hash, split=split)
    means, difference = found.means(), found.difference()
    if means is None or difference is None:
        raise Conflict(f"No {split} example could be scored, so there is nothing to compare.")
    report = {
        "baseline": means[0],
        "compiled": means[1],
        "difference": difference.to_dict(),
        "confirmed_on": len(found.pairs),
        "improved": difference.low > 0,
        "candidate": candidate.hash,
        "compared": candidate.hash,
        "run": str(job.run.pk),
    }
    if split == "test" and not artifact.report.get("difference"):
        artifact.report = {**artifact.report, **report}
        artifact.run = job.run
        artifact.save(update_fields=["report", "run"])
    return {**report, "artifact": artifact.hash, "split": split}


def _concurrency(job: Job) -> int:
    return job.run.connection.concurrency if job.run.connection else 1


JOBS: dict[str, Callable[[Job], Coroutine[Any, Any, dict[str, Any]]]] = {
    Run.Kind.TRY: try_,
    Run.Kind.EVALUATE: evaluate_,
    Run.Kind.COMPILE: compile_,
}
