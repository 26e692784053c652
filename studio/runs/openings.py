"""Runs that read a sealed test split: each is written down, and people are told how many did."""

from __future__ import annotations

from studio.datasets.models import Dataset
from studio.datasets.splits.sealing import count_openings, open_test
from studio.pipelines.models import Pipeline
from studio.runs.models import Run

_VERBS = {Run.Kind.COMPILE.value: "Compile", Run.Kind.EVALUATE.value: "Evaluate"}


def reads_test(run: Run) -> bool:
    """Whether the run's scores say something about test: a compile confirms its winner on it."""
    if run.kind == Run.Kind.COMPILE:
        return True
    return run.kind == Run.Kind.EVALUATE and run.params.get("split", "test") in ("test", "all")


def write_opening(run: Run) -> None:
    """The log entry of a run that was just made; nothing unless it reads a sealed test split."""
    if run.dataset is None or not reads_test(run):
        return
    open_test(
        actor=run.created_by,
        dataset=run.dataset,
        number=run.dataset_number or run.dataset.number,
        run=run.pk,
        purpose=_purpose(run),
    )


def notice(dataset: Dataset | None, pipeline: Pipeline) -> str:
    """What whoever is about to open a sealed test split should know; empty: it is not sealed."""
    if dataset is None or not dataset.sealed:
        return ""
    times = count_openings(dataset)
    told = f"The test split of “{dataset.name}” is sealed. This opens it, and is counted: so far "
    if not times:
        return f"{told}nobody has opened it."
    told += f"it was opened {_times(times)}"
    same = opened_for(dataset, pipeline)
    if not same:
        return f"{told}, never for this pipeline."
    return (
        f"{told}, {_times(same)} for this pipeline. The more often it is opened, the less its "
        "score says: open it once for each release."
    )


def opened_for(dataset: Dataset, pipeline: Pipeline) -> int:
    """How often runs of a pipeline have opened the dataset's test split."""
    runs = Run.objects.filter(version__pipeline=pipeline, dataset=dataset).values("pk")
    return dataset.openings.filter(run__in=runs).count()


def _purpose(run: Run) -> str:
    about = f"{_VERBS[run.kind]} {run.version.pipeline} v{run.version.number}"
    artifact = str(run.params.get("artifact") or "") if run.kind == Run.Kind.EVALUATE else ""
    return f"{about}, artifact {artifact[:12]}" if artifact else about


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")
