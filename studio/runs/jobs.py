"""The work of each kind of run, as coroutines: what they return is the run's report."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import Any

from asgiref.sync import sync_to_async
from django.db import transaction

from studio.engine.codec import canonical_json
from studio.engine.compilers import CompileTask, compile_program
from studio.engine.compilers.events import (
    CandidateMade,
    Confirmed,
    Event,
    ExampleScored,
    Finished,
    TraceTried,
)
from studio.engine.compilers.selecting import own_keys, without
from studio.engine.evaluation import Evaluation, evaluate_all
from studio.engine.example import Candidate
from studio.engine.lm.base import LM
from studio.engine.lm.metered import Budget
from studio.engine.metrics.base import Metric
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.errors import Conflict
from studio.lms.services import open_lm
from studio.metrics.services import open_metric
from studio.pipelines.services import build
from studio.runs import leases
from studio.runs.artifacts import make_artifact
from studio.runs.comparison import compare
from studio.runs.equipment import collections_hash, equip
from studio.runs.fingerprints import lm_fingerprint, metric_fingerprint
from studio.runs.ledger import DatabaseLedger, Spent
from studio.runs.models import Artifact, CandidateRow, Run
from studio.runs.models import Event as EventRow
from studio.runs.sources import Sources, needed_fields, read_sources


class Job:
    """A claimed run with what its work needs; opened in the run's own thread."""

    def __init__(self, run: Run, owner: str, budget: Budget) -> None:
        self.run = run
        self.owner = owner
        self.budget = budget
        self.ledger: DatabaseLedger | None = None
        self._lm: LM | None = None

    @cached_property
    def program(self) -> Program:
        """The run's pipeline, uncompiled."""
        return build(self.run.version)

    def open_lm(self) -> LM:
        """The run's LM, under its budget."""
        if self.run.connection is None:
            raise Conflict("The LM connection of this run was deleted. Start a new run.")
        self._same("lm", lm_fingerprint(self.run.connection), "LM connection")
        self._lm = open_lm(self.run.connection, budget=self.budget)
        return self._lm

    def equip(self, lm: LM, format: str = "") -> Runtime:
        """The runtime in which the run's pipeline finds what its steps name."""
        run = self.run
        found = collections_hash(run.version.spec, run.project)
        if found != run.fingerprints.get("collections", ""):
            raise Conflict(
                "A dataset that the pipeline looks into was changed since this run was started. "
                "Start a new run."
            )
        return equip(run.version.spec, project=run.project, lm=lm, format=format)

    def open_metric(self) -> Metric:
        """The run's metric."""
        if self.run.metric is None:
            raise Conflict("The metric of this run was deleted. Start a new run.")
        self._same("metric", metric_fingerprint(self.run.metric), "metric")
        return open_metric(self.run.metric, budget=self.budget)

    def read_sources(self) -> Sources:
        """The run's examples, if they are what they were when it was started."""
        run = self.run
        if run.dataset is None or run.metric is None:
            raise Conflict("The dataset or the metric of this run was deleted. Start a new run.")
        self._same("dataset", run.dataset.fingerprint, "dataset")
        return read_sources(run.dataset, needed_fields(self.program, run.metric))

    def open_ledger(self, sources: Sources) -> DatabaseLedger:
        """The run's ledger with everything that earlier attempts stored."""
        self.ledger = DatabaseLedger(self.run, self.owner, sources.by_id, self._spent)
        self.ledger.load()
        return self.ledger

    def _same(self, name: str, now: str, what: str) -> None:
        """Scores of before and after a change could not be compared."""
        if now != self.run.fingerprints.get(name):
            raise Conflict(f"The {what} was changed since this run was started. Start a new run.")

    def _spent(self) -> Spent:
        return Spent(self.budget.used, self.run.cost + self.budget.usage.cost)

    async def drain(self) -> None:
        """Done when every result is stored."""
        if self.ledger is not None:
            await self.ledger.drain()

    async def close(self) -> None:
        """Give back connections."""
        await self.drain()
        if self._lm is not None:
            await self._lm.aclose()


async def try_(job: Job) -> dict[str, Any]:
    """Run the program once: `{"outputs", "steps"}`."""
    lm = await sync_to_async(job.open_lm)()
    runtime = await sync_to_async(job.equip)(lm)
    prediction = await job.program(job.run.params["inputs"], runtime)
    return {
        "outputs": dict(prediction.values),
        "steps": [step.to_dict() for step in prediction.steps],
    }


async def evaluate_(job: Job) -> dict[str, Any]:
    """Score the uncompiled program, and the artifact if one is named, on one split."""
    lm = await sync_to_async(job.open_lm)()
    metric = job.open_metric()
    sources = await sync_to_async(job.read_sources)()
    artifact = await sync_to_async(_artifact_of)(job.run)
    plain = job.program.candidate()
    candidate = Candidate.from_dict(artifact.content["candidate"]) if artifact else plain
    ledger = await sync_to_async(_open_borrowing)(job, sources, {plain.hash, candidate.hash})
    format_ = artifact.content["format"] if artifact else ""
    runtime = await sync_to_async(job.equip)(lm, format_)
    split = job.run.params["split"]
    # Never on its own demos, also not under another spelling of an input.
    own = own_keys(job.program, candidate, sources["train"])
    examples = without(job.program, sources[split], own)

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
    ledger = await sync_to_async(job.open_ledger)(sources)
    runtime = await sync_to_async(job.equip)(lm)
    recorder = Recorder(job)
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
    )
    async for event in compile_program(task):
        await sync_to_async(recorder.record)(event)
        if isinstance(event, Finished):
            finished = event
    if finished is None:
        raise RuntimeError(f"The compiler {run.compiler} ended without a result.")
    format_ = runtime.format or lm.default_format
    return await sync_to_async(_make_artifact)(job, recorder, finished, format_, sources)


class Recorder:
    """Stores the events of a compile; what an earlier attempt has stored is not stored again."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._known: set[str] = set()
        self._number = 0
        self._hashes: dict[int, str] = {}
        self.confirmed = ""
        """Hash of the candidate that was compared with the uncompiled program."""

    def load(self) -> None:
        """Read what is stored."""
        for event in EventRow.objects.filter(run=self._job.run):
            self._known.add(canonical_json([event.kind, event.data]))
            self._number = event.number

    def record(self, event: Event) -> None:
        """Store an event, unless it is stored, or told by score and trace rows already."""
        if isinstance(event, ExampleScored | TraceTried):
            return
        if isinstance(event, CandidateMade):
            self._hashes[event.number] = event.candidate.hash
        if isinstance(event, Confirmed):
            self.confirmed = self._hashes.get(event.number, "")
        data = event.to_dict()
        mark = canonical_json([event.kind, data])
        if mark in self._known:
            return
        run = self._job.run
        with transaction.atomic():
            leases.holds(run.pk, self._job.owner)
            if isinstance(event, CandidateMade):
                CandidateRow.objects.get_or_create(
                    run=run,
                    hash=event.candidate.hash,
                    defaults={
                        "number": event.number,
                        "origin": event.origin[:200],
                        "states": event.candidate.to_dict(),
                    },
                )
            self._number += 1
            EventRow.objects.create(run=run, number=self._number, kind=event.kind, data=data)
        self._known.add(mark)


@transaction.atomic
def _make_artifact(
    job: Job, recorder: Recorder, finished: Finished, format_: str, sources: Sources
) -> dict[str, Any]:
    leases.holds(job.run.pk, job.owner)
    report = finished.result.to_dict()
    report["compared"] = recorder.confirmed
    report["doubled"] = sources.doubled
    artifact = make_artifact(
        run=job.run,
        candidate=finished.result.candidate,
        format=format_,
        report=report,
        sources=sources.by_id,
    )
    return {**report, "artifact": artifact.hash}


def _open_borrowing(job: Job, sources: Sources, candidates: set[str]) -> DatabaseLedger:
    """The ledger, with what the run that `reuse` names has scored already."""
    ledger = job.open_ledger(sources)
    reuse = job.run.params.get("reuse")
    other = Run.objects.filter(pk=reuse, project=job.run.project_id).first() if reuse else None
    if other is not None:
        ledger.borrow(other, candidates, job.run.params["split"])
        ledger.load()
    return ledger


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
