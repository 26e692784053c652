"""Content hashes of what a run depends on, so that nothing is compared across a change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from studio.datasets.editing.changes import get_version
from studio.datasets.models import Dataset
from studio.engine.codec import content_hash
from studio.lms.models import Connection
from studio.metrics.models import Metric, MetricVersion
from studio.pipelines.lm_overrides import require_lms
from studio.runs.equipment import collections_hash
from studio.runs.excerpts import spec_of
from studio.runs.models import Artifact, Run

STEP_LM = "lm:"
"""Before the short name of an LM that a single step names."""


def fingerprints(run: Run) -> dict[str, str]:
    """The hashes that a run keeps of everything as it was when the run was made.

    What a run does not have, such as a teacher, has no hash. The run needs not be saved yet.
    Raises `Invalid` when a step names what is not there.
    """
    version, spec, project = run.version, spec_of(run), run.version.pipeline.project
    found = {
        "pipeline": version.hash,
        "constraints": constraints_hash(spec),
        "collections": collections_hash(spec, project),
        "lm": lm_fingerprint(run.connection) if run.connection else "",
        "dataset": dataset_fingerprint(run.dataset, run.dataset_number) if run.dataset else "",
        "metric": metric_fingerprint(run.metric_version or run.metric) if run.metric else "",
        "teacher": teacher_fingerprint(run.teacher, run.teacher_artifact),
        "proposer": lm_fingerprint(run.proposer) if run.proposer else "",
        "start": run.start_artifact.hash if run.start_artifact else "",
        "release": run.release_artifact.hash if run.release_artifact else "",
        **lms_fingerprints(require_lms(spec, project)),
    }
    return {name: hash_ for name, hash_ in found.items() if hash_}


def dataset_fingerprint(dataset: Dataset, number: int | None) -> str:
    """Which rows, columns and splits: of a version, or of the newest one."""
    if number in (None, dataset.number):
        return dataset.fingerprint
    return get_version(dataset, number).fingerprint


def lm_fingerprint(connection: Connection) -> str:
    """Which model answers, where, and how it is asked; not by which key."""
    said = [connection.follows_schemas, connection.calls_tools, connection.sees_images]
    return content_hash(
        [
            *(connection.kind, connection.model, connection.base_url, connection.format),
            *(said if any(value is not None for value in said) else ()),
        ]
    )


def lms_fingerprints(connections: Mapping[str, Connection]) -> dict[str, str]:
    """The hashes of the LMs that single steps name, by what they are called in a run."""
    return {
        f"{STEP_LM}{slug}": lm_fingerprint(connection) for slug, connection in connections.items()
    }


def lm_identity(connection: Connection) -> dict[str, str]:
    """The same as people read it in an artifact; its format stands beside it."""
    return {
        "kind": connection.kind,
        "model": connection.model,
        "base_url": connection.base_url,
    }


def step_lm_identity(connection: Connection) -> dict[str, str]:
    """The same of an LM that a single step names; its format stands with it."""
    return {**lm_identity(connection), "format": connection.format}


def metric_fingerprint(metric: Metric | MetricVersion) -> str:
    """Which metric, with which parameters and which judge."""
    asked = [lm_fingerprint(metric.judge)] if metric.judge else []
    return content_hash([metric.kind, metric.params, *asked])


def teacher_fingerprint(teacher: Connection | None, artifact: Artifact | None) -> str:
    """Which LM teaches, with which compiled program; empty when the student teaches itself."""
    connection = teacher or (artifact.connection if artifact else None)
    if connection is None:
        return ""
    if artifact is None:
        return content_hash([lm_fingerprint(connection)])
    spec = artifact.content["spec"]
    looked_up = collections_hash(spec, artifact.project)
    others = lms_fingerprints(require_lms(spec, artifact.project))
    return content_hash(
        [lm_fingerprint(connection), artifact.hash, looked_up, *([others] if others else [])]
    )


def constraints_hash(spec: Mapping[str, Any]) -> str:
    """The hash of what a pipeline's answers must satisfy; empty when that is nothing.

    These are the bounds on fields and the Constraint steps, also inside of parts.
    """
    found = sorted(_constraints(spec, ""), key=content_hash)
    return content_hash(found) if found else ""


def without_constraints(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The spec as it would be if its answers had to satisfy nothing."""
    return {**spec, "nodes": [_unconstrained(node) for node in spec.get("nodes", ())]}


def _unconstrained(node: Mapping[str, Any]) -> dict[str, Any]:
    bare = dict(node)
    if bare.get("fields"):
        bare["fields"] = _unbounded(bare["fields"])
    if bare.get("signature"):
        signature = bare["signature"]
        bare["signature"] = {**signature, "fields": _unbounded(signature.get("fields", ()))}
    if bare.get("kind") == "constraint":
        bare["params"] = {}
    if bare.get("parts"):
        bare["parts"] = {name: without_constraints(part) for name, part in bare["parts"].items()}
    return bare


def _unbounded(fields: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in field.items() if name != "constraints"} for field in fields
    ]


def _constraints(spec: Mapping[str, Any], inside: str) -> Iterator[list[Any]]:
    for node in spec.get("nodes", ()):
        place = f"{inside}{node.get('name', '')}"
        fields = [*(node.get("fields") or ()), *((node.get("signature") or {}).get("fields", ()))]
        for field in fields:
            if field.get("constraints"):
                yield [place, field.get("name"), field["constraints"]]
        if node.get("kind") == "constraint":
            yield [place, "", node.get("params") or {}]
        for name, part in (node.get("parts") or {}).items():
            yield from _constraints(part, f"{place}.{name}.")
