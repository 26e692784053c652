"""Content hashes of what a run depends on, so that nothing is compared across a change."""

from __future__ import annotations

from studio.datasets.models import Dataset
from studio.engine.codec import content_hash
from studio.lms.models import Connection
from studio.metrics.models import Metric
from studio.pipelines.models import PipelineVersion
from studio.runs.equipment import collections_hash


def fingerprints(
    version: PipelineVersion,
    *,
    connection: Connection,
    dataset: Dataset | None = None,
    metric: Metric | None = None,
) -> dict[str, str]:
    """The hashes that a run keeps of everything as it was when the run was made."""
    found = {"pipeline": version.hash, "lm": lm_fingerprint(connection)}
    if looked_up := collections_hash(version.spec, version.pipeline.project):
        found["collections"] = looked_up
    if dataset is not None:
        found["dataset"] = dataset.fingerprint
    if metric is not None:
        found["metric"] = metric_fingerprint(metric)
    return found


def lm_fingerprint(connection: Connection) -> str:
    """Which model answers, where, and how it is asked; not by which key."""
    said = [connection.follows_schemas, connection.calls_tools, connection.sees_images]
    return content_hash(
        [
            *(connection.kind, connection.model, connection.base_url, connection.format),
            *(said if any(value is not None for value in said) else ()),
        ]
    )


def lm_identity(connection: Connection) -> dict[str, str]:
    """The same as people read it in an artifact; its format stands beside it."""
    return {
        "kind": connection.kind,
        "model": connection.model,
        "base_url": connection.base_url,
    }


def metric_fingerprint(metric: Metric) -> str:
    """Which metric, with which parameters and which judge."""
    asked = [lm_fingerprint(metric.judge)] if metric.judge else []
    return content_hash([metric.kind, metric.params, *asked])
