"""What has changed since an artifact was compiled, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from studio.engine.graph import spec_hash
from studio.errors import StudioError
from studio.runs.artifacts import root_of
from studio.runs.equipment import collections_hash
from studio.runs.fingerprints import (
    STEP_LM,
    constraints_hash,
    lm_fingerprint,
    lm_identity,
    metric_fingerprint,
    teacher_fingerprint,
    without_constraints,
)
from studio.runs.models import Artifact, Run


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not what it was."""

    what: str
    """`pipeline`, `constraints`, `collections`, `lm`, `lms`, `dataset`, `metric`, `teacher` or
    `proposer`."""
    sentence: str


def read_staleness(artifact: Artifact) -> tuple[Change, ...]:
    """What changed or went away since; nothing when a compile would find everything the same.

    An artifact that a reviewer edited is compared as the one that it was edited from. Hashes that
    an artifact does not have are not compared.
    """
    seen = _Seen(artifact, root_of(artifact).run, artifact.content.get("hashes", {}))
    return tuple(
        Change(what, sentence) for what, look in _LOOKS.items() if (sentence := look(seen))
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """What there is to compare."""

    artifact: Artifact
    run: Run | None
    """The one that it came out of; None when that is gone."""
    hashes: dict[str, str]


def _pipeline(seen: _Seen) -> str:
    version = seen.artifact.version
    now, then = version.pipeline.spec, seen.artifact.content["spec"]
    if spec_hash(without_constraints(now)) == spec_hash(without_constraints(then)):
        return ""
    return f"The pipeline {version.pipeline} was changed after version {version.number}."


def _constraints(seen: _Seen) -> str:
    version = seen.artifact.version
    then = constraints_hash(seen.artifact.content["spec"])
    if constraints_hash(version.pipeline.spec) == then:
        return ""
    return (
        f"What the answers of {version.pipeline} must satisfy was changed after version "
        f"{version.number}."
    )


def _collections(seen: _Seen) -> str:
    artifact = seen.artifact
    try:
        now = collections_hash(artifact.content["spec"], artifact.project)
    except StudioError as error:
        return f"A collection that the pipeline looks into is gone: {error}"
    if "collections" not in seen.hashes or now == seen.hashes["collections"]:
        return ""
    return "A dataset that the pipeline looks into was changed."


def _lm(seen: _Seen) -> str:
    connection, content = seen.artifact.connection, seen.artifact.content
    if connection is None:
        return "The connection to the language model that it was compiled for was deleted."
    then = content.get("lm", {})
    if then and then != lm_identity(connection):
        was, now = _named(then), _named(lm_identity(connection))
        return f"The connection {connection} leads to {now} now; this was compiled for {was}."
    if seen.hashes.get("lm", lm_fingerprint(connection)) != lm_fingerprint(connection):
        return f"How {connection} is asked was changed: its format, or what it is able to do."
    return ""


def _steps_lms(seen: _Seen) -> str:
    then = {
        name.removeprefix(STEP_LM): hash_
        for name, hash_ in seen.hashes.items()
        if name.startswith(STEP_LM)
    }
    found = seen.artifact.project.connections.filter(slug__in=then)
    now = {connection.slug: connection for connection in found}
    for slug, hash_ in sorted(then.items()):
        if slug not in now:
            return f"The language model “{slug}”, which a step of it asks, was deleted."
        if lm_fingerprint(now[slug]) != hash_:
            return (
                f"The connection {now[slug]}, which a step of it asks, was changed: its model, or "
                "how it is asked."
            )
    return ""


def _dataset(seen: _Seen) -> str:
    then = seen.hashes.get("dataset", "")
    dataset = seen.run.dataset if seen.run else None
    if not then or (dataset is not None and dataset.fingerprint == then):
        return ""
    # The same rows under another name are the same data.
    if seen.artifact.project.datasets.filter(fingerprint=then).exists():
        return ""
    if dataset is None:
        return "The dataset that it learned from was deleted."
    return f"The dataset {dataset} was changed; it has {dataset.row_count:,} rows now."


def _metric(seen: _Seen) -> str:
    then = seen.hashes.get("metric", "")
    metric = seen.run.metric if seen.run else None
    if not then or (metric is not None and metric_fingerprint(metric) == then):
        return ""
    others = seen.artifact.project.metrics.select_related("judge")
    if any(metric_fingerprint(other) == then for other in others):
        return ""
    if metric is None:
        return "The metric that it was chosen by was deleted."
    return f"The metric {metric} was changed: its parameters, or the model that judges."


def _teacher(seen: _Seen) -> str:
    then = seen.hashes.get("teacher", "")
    if not then or seen.run is None:
        return ""
    try:
        now = teacher_fingerprint(seen.run.teacher, seen.run.teacher_artifact)
    except StudioError as error:
        return f"The teacher cannot look things up any more: {error}"
    if not now:
        return "The teacher was deleted."
    return "" if now == then else "The teacher was changed: its model, or how it is asked."


def _proposer(seen: _Seen) -> str:
    then = seen.hashes.get("proposer", "")
    if not then or seen.run is None:
        return ""
    proposer = seen.run.proposer
    if proposer is None:
        return "The language model that proposed instructions was deleted."
    if lm_fingerprint(proposer) == then:
        return ""
    return f"The proposer {proposer} was changed: its model, or how it is asked."


def _named(identity: Mapping[str, str]) -> str:
    """The model, and its server where one is named: either may have changed."""
    server = identity.get("base_url", "")
    return f"{identity.get('model', '')} at {server}" if server else identity.get("model", "")


_LOOKS: dict[str, Callable[[_Seen], str]] = {
    "pipeline": _pipeline,
    "constraints": _constraints,
    "collections": _collections,
    "lm": _lm,
    "lms": _steps_lms,
    "dataset": _dataset,
    "metric": _metric,
    "teacher": _teacher,
    "proposer": _proposer,
}
